import { bucketsOf, holdersOf } from '../config/derive.js';
import type { App, KitConfig, Team, TeamBucket } from '../config/model.js';
import { differing, type ConfigVarName } from '../contract/index.js';
import type { Left } from '../deploy/left.plan.js';
import { about, broken, subjectOf, warning } from '../doctor/checks/finding.js';
import { GLANCE, runChecks } from '../doctor/checks/index.js';
import { ageing } from '../doctor/checks/keys.js';
import type { Check, Finding } from '../doctor/model.js';
import type { AppState, KeyState, Policy, PrincipalState, TeamObservation } from '../engine/model.js';
import { desiredHolding } from '../engine/plan/apps.plan.js';
import { leftHolders } from '../engine/plan/holders.plan.js';
import type { PreflightProblem } from '../heroku/preflight.js';
import type { PackagesOfKind } from '../storage/packages.plan.js';

/** What `status` sees, without a secret: the one thing that its text, its metrics and its page are made from. */
export interface Glance {
  /** ISO 8601. */
  readonly at: string;
  readonly deployment: string;
  readonly policy: Pick<Policy, 'soak' | 'maxAge'>;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly buckets: readonly GlanceBucket[];
  readonly teams: readonly GlanceTeam[];
  /** Where the hosted SigV4 buildpack is served from. */
  readonly buildpack: ReadonlyArray<{ readonly account: string; readonly region: string }>;
  readonly left: Left;
  /** What is kept where, in a bucket or below a prefix of it; absent where it was not looked for. */
  readonly packages?: readonly GlancePackages[];
}

export interface GlancePackages {
  readonly bucket: string;
  readonly place: string;
  readonly kinds: readonly PackagesOfKind[];
  /** Why it cannot be told what there is, or what is asked for, empty where it can; absent where builds were not looked at. */
  readonly unknown?: readonly string[];
}

interface GlanceBucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly kind: TeamBucket['kind'];
  readonly teams: readonly string[];
}

export interface GlanceTeam {
  readonly team: string;
  /** Status of its stack; `none`. */
  readonly stack: string;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly modes: Readonly<Record<string, App['mode']>>;
  readonly observation: TeamObservation;
  readonly lastProof?: LastProof;
}

/** Of a team's last smoke deploys: since when each mode has one, and whether every proof held. */
export interface LastProof {
  readonly at: string;
  readonly ok: boolean;
  /** Modes that it holds for no more; absent where there is none. */
  readonly due?: readonly App['mode'][];
}

/** What was looked at. */
interface Looked extends Pick<Glance, 'at' | 'policy' | 'left' | 'buildpack'> {
  readonly config: KitConfig;
  readonly refused: readonly PreflightProblem[];
  readonly teams: ReadonlyArray<{
    readonly team: Team;
    /** Undefined where it has none to have. */
    readonly stack?: { readonly name: string; readonly exists: boolean; readonly status?: string };
    readonly observation: TeamObservation;
    readonly lastProof?: LastProof;
  }>;
}

export function glanceOf({ at, policy, config, left, refused, buildpack, teams }: Looked): Glance {
  const facts = teams.map(({ team, stack, observation: { principals, apps } }) => ({
    ...{ team, stack, unread: [] },
    principals: principals.map((one) => ({ ...one, unread: [] })),
    apps: apps.map((one) => ({ ...one, switches: {}, unread: [] })),
  }));
  const unable = refused.flatMap(({ app, code, message, team }) =>
    about(subjectOf(app), [broken(code, { message, looksLike: 'unknown', fix: `then run halcyon-kit sync ${team}` })]),
  );
  const unread = teams.flatMap(({ observation }) =>
    observation.apps
      .filter(({ name, state }) => state !== 'present' && !refused.some(({ app }) => app === name))
      .flatMap(({ name, problem = 'no reason given' }) =>
        about(subjectOf(name), [broken('not-checked', { message: problem, looksLike: 'unknown', fix: 'run halcyon-kit doctor' })]),
      ),
  );
  const outside = teams.flatMap(({ team, observation }) =>
    leftHolders(observation).flatMap(({ name, vars }) =>
      about(subjectOf(name), [
        warning('app-left', {
          message: `no team of the file has it, and it holds ${vars.HALCYON_AWS_ACCESS_KEY_ID} of team ${team.name}, which is kept working for it`,
          fix: `put it back into the file; or halcyon-kit plan ${team.name} --prune shows what up --prune takes away, its config vars among it`,
        }),
      ]),
    ),
  );
  const own: Check = () => [...unable, ...unread, ...outside];
  const checked = runChecks({ config, left, at, buckets: [], teams: facts }, [own, ...GLANCE, ageing(policy)]);
  return {
    ...{ at, deployment: config.deployment, policy, findings: checked },
    buckets: bucketsOf(teams.map(({ team }) => team)).map(({ spec: { name, account, region }, kind, teams: using }) => ({
      ...{ name, account, region, kind, teams: using.map((team) => team.name) },
    })),
    teams: teams.map(({ team, stack, observation, lastProof }) => ({
      ...{ team: team.name, stack: stack?.exists ? (stack.status ?? 'unknown') : 'none' },
      ...(team.bucket === undefined ? {} : { bucket: team.bucket.spec.name }),
      ...(team.bucket?.prefix === undefined ? {} : { prefix: team.bucket.prefix }),
      modes: Object.fromEntries(holdersOf(team).map(({ name, mode }) => [name, mode])),
      observation,
      ...(lastProof === undefined ? {} : { lastProof }),
    })),
    ...{ buildpack, left },
  };
}

/** What a key is to its principal. */
export const stageOf = (principal: PrincipalState, key: KeyState): string => {
  if (key.refused === 'revoked') return 'leaked';
  // Apps have another principal's by now.
  if (!principal.declared && key.stored) return 'old';
  return (['current', 'pending', 'previous'] as const).find((one) => principal[one] === key.id) ?? (key.stored ? 'old' : 'unknown');
};

/** Our config vars of an app that are not as the file and the current key have them. */
export function driftOf(app: AppState, { principals }: TeamObservation): ConfigVarName[] {
  const current = principals.find(({ user }) => user === app.user)?.current;
  return differing(app.vars, desiredHolding(current, app, principals) ?? app.wanted);
}
