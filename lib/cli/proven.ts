import pMap from 'p-map';
import { z } from 'zod';
import { storageOf } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { digestOf, proofKey, type Mode } from '../contract/index.js';
import type { Deployer } from '../deploy/deploy.client.js';
import { isStackChanged, stacksFor } from '../deploy/stacks.plan.js';
import { isKitError } from '../errors.js';
import type { SmokeReport } from '../smoke/report.js';
import { subjectsOf, type Subject } from '../smoke/subject.js';
import { inWords } from '../engine/clock.js';
import { byRun } from './changes.plan.js';
import { alike, several } from './render.js';
import type { LastProof } from './glance.js';
import type { Preview, TeamPlan } from './preview.js';
import { workable, type Session } from './session.js';

/** `modes`: what was proven, by mode and access, and when; `of` is a digest of what it rests on. */
const PROOF = z.object({
  at: z.iso.datetime(),
  ok: z.boolean(),
  modes: z.record(z.string(), z.object({ at: z.iso.datetime(), of: z.string() })).default({}),
});
type ProofRecord = z.infer<typeof PROOF>;

/** Nice to know, and nothing hangs on it: what no record tells of is proven again. */
const dispensable =
  ({ host }: Session) =>
  (error: unknown): undefined => {
    if (!isKitError(error)) throw error;
    host.io.debug(`the last proof: ${error.message}`);
  };

/** What smoke deploys are made with, beside what the file says of a team. */
interface Means {
  readonly config: KitConfig;
  /** Of the SigV4 buildpack. */
  readonly buildpackUrl?: string;
}

const nameOf = ({ mode, access }: Pick<Subject, 'mode' | 'access'>): string => (access === undefined ? mode : `${mode} ${access}`);

/** Bucket, key and buildpacks; what the key may do is the stacks', which tell when they were changed. */
const restsOn = ({ config, buildpackUrl }: Means, { team, app }: Subject, keyId: string | undefined): string =>
  digestOf([storageOf(config, team, app), keyId, config.buildpack, config.signing, buildpackUrl]);

/**
 * Modes of a team that no proof holds for: there is none, or what it rested on is not what there is now. Pure.
 * @internal
 * @param now.keyOf - the current key that an app is to have.
 * @param now.changedAt - when each stack that the team needs was last changed; undefined where that is now.
 */
export function unprovenModes(
  means: Means,
  team: Team,
  now: {
    readonly proof?: ProofRecord;
    readonly keyOf: (app: string) => string | undefined;
    readonly changedAt: ReadonlyArray<Date | undefined>;
  },
): Mode[] {
  const changed = Math.max(0, ...now.changedAt.map((at) => at?.getTime() ?? Infinity));
  const lacking = subjectsOf(team).filter((subject) => {
    const held = now.proof?.modes[nameOf(subject)];
    return held === undefined || Date.parse(held.at) < changed || held.of !== restsOn(means, subject, now.keyOf(subject.app.name));
  });
  return [...new Set(lacking.map(({ mode }) => mode))];
}

const keyIn =
  ({ observation: { apps, principals } }: TeamPlan) =>
  (app: string): string | undefined => {
    const { user } = apps.find(({ name }) => name === app) ?? {};
    return principals.find((one) => one.user === user)?.current;
  };

/** What `up` has to prove, team by team, and since when the rest is proven. */
export interface ToProve {
  readonly due: ReadonlyArray<{ readonly team: string; readonly modes: readonly Mode[] }>;
  readonly held: ReadonlyArray<{ readonly team: string; readonly at: string }>;
}

const NOTHING: ToProve = { due: [], held: [] };

/** @param options.again - whatever was proven. */
export async function toProve(
  session: Session,
  { stacks, teams }: Pick<Preview, 'stacks' | 'teams'>,
  options: { readonly deployer: Deployer; readonly buildpackUrl?: string; readonly again?: boolean },
): Promise<ToProve> {
  const { config } = session;
  const now = await pMap(
    session.teams,
    async (team) => {
      const proof = options.again ? undefined : await recordOf(session, team);
      const seen = teams.find((one) => one.team === team.name);
      const changedAt = stacksFor(config, [team]).map(({ name }) =>
        stacks.some((one) => one.stack === name && isStackChanged(one)) ? undefined : options.deployer.changedAt(name),
      );
      // It is not known yet what the key will be.
      const changing = seen === undefined || byRun(seen.plan).now.some(({ kind }) => kind === 'promote');
      const modes = unprovenModes({ config, buildpackUrl: options.buildpackUrl }, workable(session, team), {
        ...(changing ? {} : { proof }),
        ...{ keyOf: seen === undefined ? () => undefined : keyIn(seen), changedAt },
      });
      const [at] = Object.values(proof?.modes ?? {})
        .map((held) => held.at)
        .sort();
      return { team: team.name, modes, at };
    },
    { concurrency: session.concurrency },
  );
  return {
    due: now.flatMap(({ team, modes }) => (modes.length > 0 ? [{ team, modes }] : [])),
    held: now.flatMap(({ team, modes, at }) => (modes.length === 0 && at !== undefined ? [{ team, at }] : [])),
  };
}

export function renderDue({ due }: ToProve = NOTHING): string[] {
  const groups = alike(due, ({ modes }) => modes.join(), false).map(
    (group) => `${several(group.map(({ team }) => team))} (${group[0].modes.join(', ')})`,
  );
  return groups.length === 0 ? [] : [`Then builds on short-lived apps prove ${groups.join('; ')}.`];
}

export function renderHeld({ held }: ToProve = NOTHING, now: number): string[] {
  if (held.length === 0) return [];
  const [names, first] = [several(held.map(({ team }) => team)), Math.min(...held.map(({ at }) => Date.parse(at)))];
  const ago = `proven ${inWords(now - first)} ago${held.length > 1 ? ', or later' : ''}`;
  return [`${names}: ${ago}, and what that rests on has not changed; --smoke proves it again`];
}

/** What smoke deploys of a team have shown, beside what was `before` of modes that they did not try. Pure. @internal */
export function proofOf(means: Means, team: Team, reports: readonly SmokeReport[], at: number, before?: ProofRecord): ProofRecord {
  const tried = new Set(reports.map(nameOf));
  const modes = reports.flatMap((report) => {
    const subject = subjectsOf(team).find((one) => nameOf(one) === nameOf(report));
    if (!report.ok || subject === undefined) return [];
    return [[nameOf(report), { at: report.evidence.startedAt, of: restsOn(means, subject, report.evidence.keyId) }] as const];
  });
  const kept = Object.entries(before?.modes ?? {}).filter(([mode]) => !tried.has(mode));
  return { at: new Date(at).toISOString(), ok: reports.every(({ ok }) => ok), modes: Object.fromEntries([...kept, ...modes]) };
}

/** Written down beside the lease. */
export async function noteProof(session: Session, means: Means, team: Team, reports: readonly SmokeReport[]): Promise<void> {
  if (team.bucket === undefined || reports.length === 0) return;
  const { Objects } = await import('../smoke/objects.client.js');
  const proof = proofOf(means, team, reports, session.network.time.now(), await recordOf(session, team));
  const objects = new Objects(session.aws(team.bucket.spec.region), team.bucket.spec);
  await objects.put(proofKey(team.name), JSON.stringify(proof)).catch(dispensable(session));
}

async function recordOf(session: Session, { name, bucket }: Team): Promise<ProofRecord | undefined> {
  if (bucket === undefined) return undefined;
  const { s3Object } = await import('../engine/ports/s3-object.client.js');
  const found = await s3Object(session.aws(bucket.spec.region), bucket.spec, proofKey(name)).read().catch(dispensable(session));
  try {
    return found && PROOF.parse(JSON.parse(found.body));
  } catch {
    return undefined;
  }
}

/** For `status`. */
export async function lastProof(session: Session, team: Team): Promise<LastProof | undefined> {
  const proof = await recordOf(session, team);
  return proof && { at: proof.at, ok: proof.ok };
}
