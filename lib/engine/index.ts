import type { Aws } from '../aws/aws.js';
import { principalsOf } from '../config/derive.js';
import type { KitConfig, Principal, Team } from '../config/model.js';
import { parseUserName, userName } from '../contract/index.js';
import type { Heroku } from '../heroku/heroku.js';
import type { IoHost } from '../io/io-host.js';
import type { Run, Smoke } from './run/apply.client.js';
import { herokuApps } from './ports/heroku-apps.client.js';
import { realClock, type Clock } from './clock.js';
import { findKeyOf, killAtOnce, type FoundKey, type Killing } from './run/emergency.client.js';
import { converge } from './run/reconcile.client.js';
import { keysToReplace, NO_KNOWLEDGE, plan } from './plan/next.plan.js';
import { awsKeys } from './ports/iam.client.js';
import { noLease } from './run/lease.client.js';
import { s3LeaseStore } from './ports/s3-lease.client.js';
import { DEFAULT_POLICY, type Event, type Intent, type Outcome, type Plan, type Policy, type TeamObservation } from './model.js';
import { observeAll } from './run/observe.client.js';
import type { Ports } from './ports/ports.js';
import { Recent } from './run/recent.js';
import { awsSecrets } from './ports/secrets-manager.client.js';
import { Vault } from './run/vault.js';
import { awsVerifier } from './ports/key-check.client.js';

export * from './model.js';
export type { Clock } from './clock.js';
export type { FoundKey } from './run/emergency.client.js';
export type { Smoke } from './run/apply.client.js';

/** What the engine works with. `aws` is for the region of the team's bucket. */
export interface EngineContext {
  readonly config: KitConfig;
  readonly aws: Aws;
  readonly heroku: Heroku;
  readonly io: IoHost;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called during a rotation when the first app has the new key, before any other gets it. */
  readonly smoke?: Smoke;
  /** The team's stack was deployed a moment ago: users that IAM does not list yet are looked for again, for up to a minute. */
  readonly deployed?: boolean;
}

/** Secrets seen with an observation: they never become part of it. */
const vaults = new WeakMap<TeamObservation, Vault>();

/** Look at everything of a team; change nothing. */
export async function observeTeam(context: EngineContext, team: Team, policy: Policy = DEFAULT_POLICY): Promise<TeamObservation> {
  const vault = new Vault();
  const observation = await observeAll(makeRun(context, team, policy, vault));
  vaults.set(observation, vault);
  return observation;
}

/** What would be done: pure, and the same that {@link runTeam} does. */
export function planTeam(
  observation: TeamObservation,
  intent: Intent,
  policy: Policy = DEFAULT_POLICY,
  now: number = Date.parse(observation.at),
): Plan {
  return plan(observation, intent, policy, now, { ...NO_KNOWLEDGE, replace: keysToReplace(observation, intent, policy, now) });
}

/**
 * Bring a team to what is wanted, and keep looking while doing so. Running it again after anything finishes what was begun.
 * @param from - an observation by {@link observeTeam} of this process: saves reading apps again where nothing has changed.
 * @returns what it came to. Throws only the signal's reason, when that is aborted.
 */
export async function runTeam(
  context: EngineContext,
  team: Team,
  intent: Intent,
  policy: Policy = DEFAULT_POLICY,
  from?: TeamObservation,
): Promise<Outcome> {
  const known = from === undefined ? undefined : vaults.get(from);
  return converge(makeRun(context, team, policy, known ?? new Vault()), intent, known === undefined ? undefined : from);
}

/** What finding and killing a key needs: no Heroku. */
export type KillContext = Pick<EngineContext, 'aws' | 'io' | 'signal' | 'clock'>;

/** Whose of the team's users a key is; undefined: nobody's. */
export async function findKey(context: KillContext, team: Team, keyId: string): Promise<FoundKey | undefined> {
  return findKeyOf(killing(context, team), keyId);
}

/** Mark a leaked key and make it inactive, by IAM alone: the first thing that {@link runTeam} does in an emergency. @returns what was done. */
export async function killKey(context: KillContext, team: Team, keyId: string): Promise<Event[]> {
  return killAtOnce(killing(context, team), keyId);
}

function killing({ aws, io, signal, clock = realClock }: KillContext, team: Team): Killing {
  return { team, ports: { keys: awsKeys(aws) }, recent: new Recent(clock), clock, io, ...(signal ? { signal } : {}) };
}

/** Principals that the file no longer wants and whose keys have not been retired: their users must stay in the team's stack meanwhile. */
export async function principalsToKeep(aws: Aws, team: Team): Promise<Principal[]> {
  const keys = awsKeys(aws);
  const declared = new Set(principalsOf(team).map(userName));
  const users = (await keys.users(team.name)).filter((user) => !declared.has(user.name) && user.keys.length > 0);
  if (users.length === 0) return [];
  const inStack = await keys.usersInStack(team.name);
  return users
    .filter((user) => inStack.has(user.name))
    .flatMap((user) => {
      const id = parseUserName(team.name, user);
      return id === undefined ? [] : [{ ...id, apps: [] }];
    });
}

function makeRun(context: EngineContext, team: Team, policy: Policy, vault: Vault): Run {
  const { aws, heroku, io } = context;
  const ports: Ports = {
    keys: awsKeys(aws),
    secrets: awsSecrets(aws),
    apps: herokuApps(heroku, io, policy.concurrency),
    verifier: team.bucket === undefined ? { check: async () => undefined } : awsVerifier(aws, team.bucket),
    ...(team.bucket === undefined ? {} : { lease: s3LeaseStore(aws, team.bucket.spec.name, team.name) }),
  };
  return runOf({ ...context, team, ports, policy, vault });
}

/** A run over any ports. */
export function runOf(given: {
  readonly config: KitConfig;
  readonly team: Team;
  readonly ports: Ports;
  readonly policy: Policy;
  readonly io: IoHost;
  readonly vault?: Vault;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly smoke?: Smoke;
  readonly deployed?: boolean;
  readonly holder?: Run['holder'];
  readonly isGone?: Run['isGone'];
}): Run {
  const clock = given.clock ?? realClock;
  return {
    ...given,
    clock,
    vault: given.vault ?? new Vault(),
    recent: new Recent(clock),
    concurrency: given.policy.concurrency,
    lease: noLease(),
    made: new Map(),
    verified: new Set(),
    smoked: new Set(),
    failedApps: new Map(),
    appAttempts: new Map(),
    evidence: [],
    began: false,
  };
}
