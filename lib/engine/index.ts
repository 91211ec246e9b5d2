import type { Aws } from '../aws/aws.js';
import { identity } from '../aws/identity.js';
import { namesOf, s3Endpoint } from '../config/derive.js';
import type { BucketSpec, Team } from '../config/model.js';
import { confirmedKey, leaseKey, secretName, TAGS } from '../contract/index.js';
import { isKitError } from '../errors.js';
import { Confirmed, type Trust } from '../heroku/confirmed.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { thisProcess } from '../lease-owner.js';
import { clockOf, type Clock } from './clock.js';
import {
  DEFAULT_POLICY,
  NO_KNOWLEDGE,
  type Event,
  type Holder,
  type Intent,
  type Plan,
  type Policy,
  type TeamObservation,
  type TeamResult,
} from './model.js';
import { plan } from './plan/forecast.plan.js';
import { keysToReplace } from './plan/next.plan.js';
import { herokuApps } from './ports/heroku-apps.client.js';
import { awsKeys } from './ports/iam.client.js';
import { awsVerifier } from './ports/key-check.client.js';
import { s3Packages } from './ports/s3-packages.client.js';
import { recordIn, s3Holders, type ObjectIn } from './ports/s3-holders.client.js';
import { s3Object } from './ports/s3-object.client.js';
import { awsSecrets } from './ports/secrets-manager.client.js';
import { findKeyOf, killAtOnce, type FoundKey, type IamContext } from './run/kill.client.js';
import { Fence, removeIfDead } from './run/lease.client.js';
import { observeAll, principalsAmong } from './run/observe.client.js';
import { Recent } from './run/recent.js';
import { reconcile } from './run/reconcile.client.js';
import type { RunContext } from './run/run.js';
import { Vault } from './run/vault.js';

export * from './model.js';
export type { FoundKey } from './run/kill.client.js';
export type { Smoke } from './run/run.js';

type OfRun = Pick<RunContext, 'config' | 'io' | 'signal' | 'smoke' | 'forget' | 'onEvent' | 'confirmed' | 'refused' | 'deployed'>;

/** What the engine works with. */
export interface EngineContext extends OfRun {
  /** For the region of the team's bucket. */
  readonly aws: Aws;
  readonly heroku: Heroku;
  readonly clock?: Clock;
  /** Heroku's ids of apps, by name: those that are known are written down before they get a key. */
  readonly ids?: ReadonlyMap<string, string>;
}

/** Secrets seen with an observation: they never become part of it. */
const vaults = new WeakMap<TeamObservation, Vault>();

/** Look at everything of a team; change nothing. */
export async function observeTeam(context: EngineContext, team: Team, policy: Policy = DEFAULT_POLICY): Promise<TeamObservation> {
  const vault = new Vault();
  const observation = await observeAll(runContext(context, team, policy, vault), { trust: true });
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
): Promise<TeamResult> {
  const known = from === undefined ? undefined : vaults.get(from);
  const run = runContext(context, team, policy, known ?? new Vault());
  // Whoever is in a hurry, or goes back, or away, does not wait for packages: the next `up` sees to them.
  const moves = intent.kind === 'ensure' || intent.kind === 'rotate' || intent.kind === 'finish';
  const ports = moves ? run.ports : { ...run.ports, packages: undefined };
  return reconcile({ ...run, ports }, intent, known === undefined ? undefined : from);
}

export interface ConfirmedRecord {
  readonly confirmed: Confirmed;
  /** Keeps what has become known. Lost to another's writing, or to a bucket that is not there yet, it costs requests the next time and no more. */
  save(): Promise<void>;
}

/** The record of what the team's apps, listed at that time, were last seen to have; undefined where there is no bucket to keep it in. */
export async function openConfirmed(
  { aws, heroku }: Pick<EngineContext, 'aws' | 'heroku'>,
  team: Team,
  trust: Trust,
  { apps, listed }: { readonly apps: ReadonlyMap<string, HerokuApp>; readonly listed: number },
): Promise<ConfirmedRecord | undefined> {
  const store = team.bucket && s3Object(aws, team.bucket.spec, confirmedKey(team.name));
  if (store === undefined) return undefined;
  const found = await unlessNoBucket(store.read());
  const confirmed = new Confirmed(found?.body, apps, heroku, trust, listed);
  return {
    confirmed,
    async save() {
      const body = await confirmed.body();
      if (body === undefined) return;
      await unlessNoBucket(found === undefined ? store.create(body) : store.replace(body, found.etag));
    },
  };
}

const unlessNoBucket = <T>(work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (!isKitError(error, 'bucket-missing')) throw error;
    return undefined;
  });

/** A lease that a killed run left, or let expire: whoever has nothing to do removes it. */
export async function removeDeadLease({ aws }: KillContext, team: Team): Promise<void> {
  const clock = clockOf(aws.network.time);
  const store = team.bucket && s3Object(aws, team.bucket.spec, leaseKey(team.name));
  if (store === undefined) return;
  await unlessNoBucket(removeIfDead(store, thisProcess(DEFAULT_POLICY.leaseTtl, clock.now())));
}

/** What finding and killing a key needs: no Heroku. */
export type KillContext = Pick<EngineContext, 'aws' | 'io' | 'signal' | 'clock'>;

/** Whose of the team's users a key is; undefined: nobody's. */
export async function findKey(context: KillContext, team: Team, keyId: string, owner?: string): Promise<FoundKey | undefined> {
  return findKeyOf(iamContext(context, team), keyId, owner);
}

/**
 * Make a leaked key inactive and mark it, by IAM alone: the first thing that {@link runTeam} does in an emergency.
 * @param done - gets what was done, also where something fails.
 */
export async function killKey(context: KillContext, team: Team, keyId: string, found: FoundKey, done: Event[]): Promise<void> {
  await killAtOnce(iamContext(context, team), keyId, done, found);
}

/** Whether a secret of the team's has kept a version of a key that IAM does not know any more: then it was one of the team's. */
export async function wasKeyOf({ aws }: KillContext, team: Team, keyId: string): Promise<boolean> {
  for (const { id, record } of principalsAmong(team, await awsKeys(aws).users(namesOf(team)))) {
    const secrets = awsSecrets(aws.in(record?.tags[TAGS.region] ?? aws.region));
    if ((await secrets.read(secretName(id), []))?.some((version) => version.keyId === keyId)) return true;
  }
  return false;
}

/** Who is written down in a record. @throws KitError `holders-unreadable`. */
export const holdersIn = (body: string, place: string): readonly Holder[] => recordIn(body, place).holders;

/** Apps of the kit's own that are given a key of a user for hours: written down, so that it does not retire while they have it. */
export function holdersOf(aws: Aws, spec: BucketSpec) {
  const record = s3Holders(objectsIn(aws, spec));
  const insist = async (work: () => Promise<void>): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt >= 5 || !isKitError(error, 'state-changed')) throw error;
      }
    }
  };
  return {
    add: (user: string, holder: Holder) => insist(() => record.add(user, undefined, [holder])),
    forget: (user: string, id: string) => insist(() => record.forget(user, undefined, id)),
  };
}

function iamContext({ aws, io, signal, clock = clockOf(aws.network.time) }: KillContext, team: Team): IamContext {
  return { team, ports: { keys: awsKeys(aws) }, recent: new Recent(clock), clock, io, signal };
}

/** The kit's own objects are where its users may reach: there, too, when the team has no bucket any more; in its own where that is not known. */
function objectsIn(aws: Aws, spec: BucketSpec | undefined): ObjectIn {
  let account: Promise<string> | undefined;
  return async (place, key) => {
    const { region, bucketName } = place ?? { region: spec?.region, bucketName: spec?.name };
    if (region === undefined || bucketName === undefined) return undefined;
    account ??= spec === undefined ? identity(aws).then((who) => who.account) : Promise.resolve(spec.account);
    return s3Object(aws.in(region), { name: bucketName, account: await account }, key);
  };
}

function runContext(context: EngineContext, team: Team, policy: Policy, vault: Vault): RunContext {
  const { aws, heroku, ids: _, clock = clockOf(aws.network.time), ...rest } = context;
  const fence = new Fence();
  const { concurrency } = policy;
  const objectIn = objectsIn(aws, team.bucket?.spec);
  const ports = {
    keys: awsKeys(aws, fence.check),
    secretsIn: (region = aws.region) => awsSecrets(aws.in(region), fence.check),
    apps: herokuApps(heroku, { io: rest.io, concurrency, guard: fence.check, ids: context.ids }),
    verifier:
      team.bucket === undefined
        ? { check: async () => undefined }
        : awsVerifier(aws, team.bucket, s3Endpoint(context.config, team.bucket.spec)),
    ...(team.packages === 'leave' ? {} : { packages: s3Packages((region) => aws.in(region)) }),
    lease: (name: string, place: Parameters<ObjectIn>[0]) => objectIn(place, leaseKey(name)),
    holders: s3Holders(objectIn),
  };
  const owner = thisProcess(policy.leaseTtl, clock.now());
  return { ...rest, clock, team, policy, concurrency, ports, fence, owner, vault, recent: new Recent(clock) };
}
