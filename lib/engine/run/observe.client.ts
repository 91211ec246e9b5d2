import pMap from 'p-map';
import { namesOf, principalsOf, reachOf } from '../../config/derive.js';
import type { Team } from '../../config/model.js';
import {
  ACLS,
  deploymentOf,
  KEY_TAGS,
  parseUserName,
  principalLabel,
  secretName,
  STAGES,
  TAGS,
  userName,
  type PrincipalId,
  type Reach,
} from '../../contract/index.js';
import type { AppState, Holder, KeyState, PackageMove, PrincipalState, TeamObservation } from '../model.js';
import type { SecretsPort, UserRecord } from '../ports/ports.js';
import { keyMemory, parseIntention, staleTags } from '../tags.js';
import { strictly, type ObserveContext, type Read } from './looking.js';
import { observeApps, observeOutside } from './observe-apps.client.js';
import { LAG } from './recent.js';
import type { Vault } from './vault.js';

/** A principal of the team, and its user if IAM has one. */
export interface FoundPrincipal {
  readonly id: PrincipalId;
  readonly declared: boolean;
  readonly record?: UserRecord;
}

/** The principals among a team's users, and those that the file wants and that are not there yet; by user name. */
export function principalsAmong(team: Team, users: readonly UserRecord[]): FoundPrincipal[] {
  const wanted = new Map(principalsOf(team).map(({ apps: _, ...id }) => [userName(id), id]));
  const present = users.flatMap((record): FoundPrincipal[] => {
    const id = wanted.get(record.name) ?? parseUserName(record);
    // Another file may have a team of this name, or one that this one gave up.
    const named = record.tags[TAGS.deployment] ?? (id?.team === team.was ? deploymentOf(record.tags) : team.deployment);
    const other = team.deployment !== undefined && named !== team.deployment;
    return id === undefined || other ? [] : [{ id, declared: wanted.has(record.name), record }];
  });
  const absent = [...wanted].filter(([name]) => !users.some((user) => user.name === name)).map(([, id]) => ({ id, declared: true }));
  return [...present, ...absent].sort((a, b) => (userName(a.id) < userName(b.id) ? -1 : 1));
}

/** What a user may reach, as its tags say. */
export const reachIn = (tags: Readonly<Record<string, string>> = {}): PrincipalState['reach'] => {
  const { [TAGS.bucket]: bucketName, [TAGS.region]: region, [TAGS.prefix]: prefix, [TAGS.acl]: acl } = tags;
  if (bucketName === undefined || region === undefined) return undefined;
  return {
    bucketName,
    region,
    ...(prefix === undefined ? {} : { prefix }),
    acl: ACLS.find((one) => one === acl) ?? 'bucket-owner-full-control',
  };
};

/** Secrets of a region; of the team's where none is known. */
export type SecretsIn = (region: string | undefined) => Pick<SecretsPort, 'read'>;

/** One principal, with its keys and its secret. What the secret holds goes into the vault. */
export async function observePrincipal(
  { id, declared, record }: FoundPrincipal,
  { secretsIn, vault, read = strictly }: { readonly secretsIn: SecretsIn; readonly vault: Vault; readonly read?: Read },
): Promise<PrincipalState> {
  const reach = reachIn(record?.tags);
  const base = { id, label: principalLabel(id), user: userName(id), declared, ...(reach === undefined ? {} : { reach }) };
  if (record === undefined) return { ...base, exists: false, secret: 'missing', keys: [], versions: {} };
  const keyIds = record.keys.map((key) => key.id);
  const answer = await read(
    `secret ${secretName(id)}`,
    async () => (await secretsIn(reach?.region).read(secretName(id), keyIds)) ?? 'missing',
  );
  const versions = answer === undefined || answer === 'missing' ? [] : answer;
  for (const { keyId, secret } of versions) if (secret !== undefined) vault.put(keyId, secret);
  const staged = (stage: string) => versions.find(({ stages }) => stages.includes(stage))?.keyId;
  const current = staged(STAGES.current);
  const pending = staged(STAGES.pending);
  const previous = staged(STAGES.previous);
  const keys = record.keys.map((key): KeyState => {
    const print = vault.fingerprintOf(key.id);
    return {
      ...key,
      ...(print === undefined ? {} : { fingerprint: print }),
      stored: versions.some((version) => version.keyId === key.id),
      ...keyMemory(record.tags, key.id),
    };
  });
  const creating = parseIntention(record.tags[KEY_TAGS.creating]);
  const stale = staleTags(record.tags, keyIds);
  return {
    ...base,
    exists: true,
    ...(record.quarantined ? { quarantined: record.quarantined } : {}),
    ...(record.attached ? { attached: record.attached } : {}),
    secret: answer === undefined ? 'unknown' : answer === 'missing' ? answer : answer.length === 0 ? 'empty' : 'present',
    keys,
    versions: Object.fromEntries(
      [...versions].sort((a, b) => a.stages.length - b.stages.length).map(({ keyId, versionId }) => [keyId, versionId]),
    ),
    ...(current === undefined ? {} : { current }),
    ...(pending === undefined ? {} : { pending }),
    ...(previous === undefined ? {} : { previous }),
    ...(creating === undefined ? {} : { creating }),
    ...(stale.length === 0 ? {} : { stale }),
  };
}

/** @param seen - a moment ago: when keys of the kit's own were last used is not asked again. Default: nothing was. */
export async function observePrincipals(
  { team, ports, recent, vault, concurrency }: ObserveContext,
  seen: readonly PrincipalState[] = [],
): Promise<PrincipalState[]> {
  const own = seen.flatMap(({ keys }) => keys.filter(({ fingerprint }) => fingerprint !== undefined));
  const uses = new Map(
    own.map(({ id, lastUsedAt, lastUsedService }) => [id, lastUsedAt === undefined ? {} : { lastUsedAt, lastUsedService }]),
  );
  const found = principalsAmong(team, recent.over(await ports.keys.users(namesOf(team), { uses })));
  return pMap(found, (one) => observePrincipal(one, { secretsIn: ports.secretsIn, vault }), { concurrency });
}

/** Some key that works is to retire, so that what still runs must be looked at. */
export function needsActivity(principals: readonly PrincipalState[]): boolean {
  return principals.some(({ keys, declared, current }) =>
    keys.some(({ id, status }) => status === 'Active' && !(declared && (id === current || keys.length === 1))),
  );
}

/** What principals that are on their way out can still reach, and put there, and the file's own storage lacks. */
export async function observePackages({ team, ports }: ObserveContext, principals: readonly PrincipalState[]): Promise<PackageMove[]> {
  if (ports.packages === undefined || team.bucket === undefined) return [];
  const to = reachOf(team.bucket);
  const place = ({ bucketName, prefix = '' }: Omit<Reach, 'account'>) => `${bucketName}/${prefix}`;
  const former = principals.flatMap(({ declared, reach }) =>
    declared || reach === undefined || place(reach) === place(to) ? [] : [reach],
  );
  const places = new Map(former.map((reach) => [place(reach), { ...reach, account: to.account }]));
  const moves: PackageMove[] = [];
  for (const from of places.values()) moves.push({ from, to, ...(await ports.packages.missing(from, to)) });
  return moves;
}

/** What is written down of principals: who was given a key, and whether one has just been made. */
export async function observeRecord(
  { ports: { holders }, clock, concurrency }: ObserveContext,
  principals: readonly PrincipalState[],
): Promise<Pick<TeamObservation, 'principals' | 'recorded'>> {
  if (holders === undefined) return { principals };
  const recorded: Record<string, readonly Holder[]> = {};
  const noted = await pMap(
    principals,
    async (principal) => {
      // A user that lists do not show yet may have been given a key all the same.
      const known = principal.exists || principal.declared ? await holders.read(principal.user, principal.reach) : undefined;
      if (known !== undefined) recorded[principal.user] = known.holders;
      const { making } = known ?? {};
      return making !== undefined && clock.now() - Date.parse(making.at) < LAG ? { ...principal, making } : principal;
    },
    { concurrency },
  );
  return { principals: noted, recorded };
}

/**
 * Everything.
 * @param options.trust - apps that have not changed since they were confirmed are not asked. Default false.
 * @param options.activity - what runs on them is looked at. Default: where some key that works is to retire.
 * @param options.apps - as they were seen a moment ago: they are not asked, where what runs on them does not matter.
 */
export async function observeAll(
  looking: ObserveContext,
  { trust = false, ...options }: { readonly trust?: boolean; readonly activity?: boolean; readonly apps?: readonly AppState[] } = {},
): Promise<TeamObservation> {
  const principals = await observePrincipals(looking);
  const packages = await observePackages(looking, principals);
  const noted = await observeRecord(looking, principals);
  const activity = options.activity ?? needsActivity(principals);
  const now = () => new Date(looking.clock.now()).toISOString();
  const since = now();
  const seen = activity ? undefined : options.apps;
  const apps = seen ?? (await observeApps(looking, { activity, ...(trust ? { trusting: principals } : {}) }));
  const others = await observeOutside(looking, noted.recorded, { activity, seen: apps });
  return { team: looking.team.name, at: now(), since, ...noted, apps, ...others, packages };
}
