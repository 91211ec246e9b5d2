import pMap from 'p-map';
import { namesOf, principalsOf, principalOf, reachOf, storageOf } from '../../config/derive.js';
import type { App, KitConfig, Team } from '../../config/model.js';
import {
  accessOf,
  ACLS,
  deploymentOf,
  desiredConfigVars,
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
import { isKitError } from '../../errors.js';
import type { Clock } from '../clock.js';
import type { AppState, Holder, KeyState, OutsideApp, PackageMove, PrincipalState, TeamObservation } from '../model.js';
import { secretsOf, type AppsPort, type Ports, type SecretsPort, type UserRecord } from '../ports/ports.js';
import { LAG, type Recent } from './recent.js';
import { keyMemory, parseIntention, staleTags } from '../tags.js';
import { fingerprint, type Vault } from './vault.js';

/** Everything one look needs. `recent` lays our own latest effects over answers that do not show them yet. */
export interface ObserveContext {
  readonly config: KitConfig;
  readonly team: Team;
  readonly ports: Ports;
  readonly vault: Vault;
  readonly recent: Recent;
  readonly clock: Clock;
  readonly concurrency: number;
  /** Apps outside the team, by name or id, that are not asked what they hold. */
  readonly forget?: ReadonlySet<string>;
  /** Apps that are not to be written, and why. */
  readonly refused?: ReadonlyMap<string, string>;
}

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
    // Another file may have a team of this name, or one that this one gave up. Those of the kit's first version name no deployment.
    const named = record.tags[TAGS.deployment] ?? (id?.team === team.was ? deploymentOf(record.tags) : team.deployment);
    const other = team.deployment !== undefined && named !== team.deployment;
    return id === undefined || other ? [] : [{ id, declared: wanted.has(record.name), record }];
  });
  const absent = [...wanted].filter(([name]) => !users.some((user) => user.name === name)).map(([, id]) => ({ id, declared: true }));
  return [...present, ...absent].sort((a, b) => (userName(a.id) < userName(b.id) ? -1 : 1));
}

/** Reads what may be refused. The engine goes no further then; who can do without it notes that, and gets undefined. */
export type Read = <T>(what: string, work: () => Promise<T>) => Promise<T | undefined>;
const strictly: Read = (_what, work) => work();

/** What a user may reach, as its tags say; undefined for users of the kit's first version. */
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

export async function observePrincipals({ team, ports, recent, vault, concurrency }: ObserveContext): Promise<PrincipalState[]> {
  const found = principalsAmong(team, recent.over(await ports.keys.users(namesOf(team))));
  const inStack = found.some(({ declared }) => !declared) ? await ports.keys.usersInStack(team.name) : undefined;
  const states = await pMap(found, (one) => observePrincipal(one, { secretsIn: secretsOf(ports), vault }), { concurrency });
  return states.map((state) => (state.declared || inStack === undefined ? state : { ...state, inStack: inStack.has(state.user) }));
}

interface AppReads {
  readonly config: KitConfig;
  readonly team: Team;
  readonly vars: AppsPort['vars'];
  readonly activity?: AppsPort['activity'];
  readonly read?: Read;
  readonly id?: string;
}

/**
 * One app by one request, its config vars; with `activity`, three more before it: what is running, and since when the app has its key. In that
 * order: an app that still has the new key at the end had it when the others were answered, but for a rollback and back in between.
 */
export async function observeApp(app: App, { config, team, id, ...reads }: AppReads): Promise<AppState> {
  const principal = principalOf(team, app);
  const access = accessOf(app.mode, app.clean);
  const base = {
    name: app.name,
    ...(id === undefined ? {} : { id }),
    canary: app.canary,
    ...(principal === undefined ? {} : { user: userName(principal) }),
    ...(access === undefined ? {} : { access }),
    wanted: desiredConfigVars(storageOf(config, team, app)),
  };
  return readApp(base, reads);
}

/** What is asked of Heroku of an app, and what becomes of it where it does not answer. */
async function readApp<A extends Pick<AppState, 'name'>>(
  base: A,
  { vars: readVars, activity: readActivity, read = strictly }: Pick<AppReads, 'vars' | 'activity' | 'read'>,
): Promise<A & Pick<AppState, 'state' | 'vars' | 'problem' | 'activity'>> {
  try {
    const activity = await readActivity?.(base.name);
    const vars = await read('config vars', () => readVars(base.name));
    if (vars === undefined) return { ...base, state: 'unreadable', vars: {} };
    const secret = vars.HALCYON_AWS_SECRET_ACCESS_KEY;
    const shown = secret === undefined ? vars : { ...vars, HALCYON_AWS_SECRET_ACCESS_KEY: fingerprint(secret) };
    return { ...base, state: 'present', vars: shown, ...(activity === undefined ? {} : { activity }) };
  } catch (error) {
    if (isKitError(error, 'app-not-found')) return { ...base, state: 'missing', vars: {} };
    if (isKitError(error, 'heroku-forbidden')) return { ...base, state: 'unreadable', problem: error.message, vars: {} };
    throw error;
  }
}

export async function observeApps(
  { config, team, ports, concurrency, refused }: ObserveContext,
  { names, activity }: { readonly names?: readonly string[]; readonly activity: boolean },
): Promise<AppState[]> {
  const { apps } = ports;
  const vars = (app: string) => apps.vars(app);
  const reads = { config, team, vars, ...(activity ? { activity: (app: string) => apps.activity(app) } : {}) };
  return pMap(
    team.apps.filter((app) => names === undefined || names.includes(app.name)),
    async (app) => {
      const seen = await observeApp(app, { ...reads, id: apps.id(app.name) });
      return seen.state === 'present' && refused?.has(app.name) === true ? { ...seen, problem: refused.get(app.name) } : seen;
    },
    { concurrency },
  );
}

/** Whether some key is to retire, so that what still runs must be looked at. */
export function needsActivity(principals: readonly PrincipalState[]): boolean {
  return principals.some((principal) => principal.keys.length > (principal.declared ? 1 : 0));
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
      const known = principal.exists ? await holders.read(principal.user, principal.reach) : undefined;
      if (known !== undefined) recorded[principal.user] = known.holders;
      const { making } = known ?? {};
      return making !== undefined && clock.now() - Date.parse(making.at) < LAG ? { ...principal, making } : principal;
    },
    { concurrency },
  );
  return { principals: noted, recorded };
}

/** Apps on the record that are not of the team; one that is gone is left out. */
export async function observeOutside(
  { config, team, ports: { apps }, concurrency, forget }: ObserveContext,
  recorded: TeamObservation['recorded'] = {},
  { activity }: { readonly activity: boolean },
): Promise<OutsideApp[]> {
  const own = new Set(team.apps.map(({ name }) => apps.id(name)));
  const holders = new Map(Object.values(recorded).flatMap((list) => list.map((holder) => [holder.id, holder] as const)));
  const reads = { vars: apps.vars, ...(activity ? { activity: apps.activity } : {}) };
  const seen = await pMap(
    [...holders.values()].filter(({ id, app }) => !own.has(id) && forget?.has(id) !== true && forget?.has(app) !== true),
    async ({ id, app }): Promise<OutsideApp> => {
      const base = { id, canary: false, wanted: desiredConfigVars({ mode: 'public' }) };
      try {
        const name = await apps.find(id);
        const of = config.teams.find((one) =>
          // Renamed on Heroku, and not yet in the file.
          one.apps.some((other) => other.name === name || (other.name === app && apps.id(app) === undefined)),
        )?.name;
        return await readApp({ ...base, name, ...(of === undefined ? {} : { team: of }) }, reads);
      } catch (error) {
        if (isKitError(error, 'app-not-found')) return { ...base, name: app, state: 'missing', vars: {} };
        if (isKitError(error, 'heroku-forbidden'))
          return {
            ...base,
            name: app,
            state: 'unreadable',
            problem: `${error.message}; get access to it, or ask its owner to take the key away and run again with --forget ${app}`,
            vars: {},
          };
        throw error;
      }
    },
    { concurrency },
  );
  return seen.filter(({ state }) => state !== 'missing');
}

export async function observeAll(looking: ObserveContext): Promise<TeamObservation> {
  const principals = await observePrincipals(looking);
  const packages = await observePackages(looking, principals);
  const noted = await observeRecord(looking, principals);
  const activity = needsActivity(principals);
  const apps = await observeApps(looking, { activity });
  const outside = await observeOutside(looking, noted.recorded, { activity });
  return { team: looking.team.name, at: new Date(looking.clock.now()).toISOString(), ...noted, apps, outside, packages };
}
