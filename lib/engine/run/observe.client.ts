import pMap from 'p-map';
import { principalsOf, principalOf, storageOf } from '../../config/derive.js';
import type { KitConfig, Team } from '../../config/model.js';
import {
  accessOf,
  desiredConfigVars,
  KEY_TAGS,
  parseUserName,
  principalLabel,
  secretName,
  STAGES,
  userName,
  type ConfigVarName,
  type DesiredConfigVars,
  type PrincipalId,
} from '../../contract/index.js';
import { isKitError } from '../../errors.js';
import type { Clock } from '../clock.js';
import type { AppState, KeyState, PrincipalState, TeamObservation } from '../model.js';
import type { Ports, SecretVersion, UserRecord } from '../ports/ports.js';
import type { Recent } from './recent.js';
import { keyMemory, parseIntention, staleTags } from '../tags.js';
import { fingerprint, type Vault } from './vault.js';

/** Everything one look needs. `recent` lays our own latest effects over answers that do not show them yet. */
export interface Looking {
  readonly config: KitConfig;
  readonly team: Team;
  readonly ports: Ports;
  readonly vault: Vault;
  readonly recent: Recent;
  readonly clock: Clock;
  readonly concurrency: number;
}

export async function observePrincipals(looking: Looking): Promise<PrincipalState[]> {
  const { team, ports, recent } = looking;
  const users = recent.over(await ports.keys.users(team.name));
  const declared = principalsOf(team);
  const wanted = new Map<string, PrincipalId>(declared.map((principal) => [userName(principal), idOf(principal)]));
  const present = users.flatMap((user) => {
    const id = wanted.get(user.name) ?? parseUserName(team.name, user);
    return id === undefined ? [] : [{ id, user }];
  });
  const absent = [...wanted].filter(([name]) => !users.some((user) => user.name === name));
  const needsStack = present.some(({ user }) => !wanted.has(user.name));
  const inStack = needsStack ? await ports.keys.usersInStack(team.name) : undefined;
  const states = await pMap(present, ({ id, user }) => readPrincipal(looking, id, user, wanted.has(user.name), inStack), {
    concurrency: looking.concurrency,
  });
  return [
    ...states,
    ...absent.map(([user, id]): PrincipalState => ({
      id,
      label: principalLabel(id),
      user,
      declared: true,
      exists: false,
      secret: 'missing',
      keys: [],
      versions: {},
    })),
  ].sort((a, b) => (a.user < b.user ? -1 : 1));
}

async function readPrincipal(
  looking: Looking,
  id: PrincipalId,
  user: UserRecord,
  declared: boolean,
  inStack?: ReadonlySet<string>,
): Promise<PrincipalState> {
  const { ports, vault } = looking;
  const versions = await ports.secrets.read(
    secretName(id),
    user.keys.map((key) => key.id),
  );
  for (const { keyId, secret } of versions ?? []) if (secret !== undefined) vault.put(keyId, secret);
  const staged = (stage: string) => versions?.find((version: SecretVersion) => version.stages.includes(stage))?.keyId;
  const current = staged(STAGES.current);
  const pending = staged(STAGES.pending);
  const previous = staged(STAGES.previous);
  const keys = user.keys.map((key): KeyState => {
    const print = vault.fingerprintOf(key.id);
    return {
      ...key,
      ...(print === undefined ? {} : { fingerprint: print }),
      stored: versions?.some((version) => version.keyId === key.id) ?? false,
      ...keyMemory(user.tags, key.id),
    };
  });
  const creating = parseIntention(user.tags[KEY_TAGS.creating]);
  const stale = staleTags(
    user.tags,
    user.keys.map((key) => key.id),
  );
  return {
    id,
    label: principalLabel(id),
    user: user.name,
    declared,
    exists: true,
    ...(declared || inStack === undefined ? {} : { inStack: inStack.has(user.name) }),
    secret: versions === undefined ? 'missing' : versions.length === 0 ? 'empty' : 'present',
    keys,
    versions: Object.fromEntries(
      [...(versions ?? [])].sort((a, b) => a.stages.length - b.stages.length).map(({ keyId, versionId }) => [keyId, versionId]),
    ),
    ...(current === undefined ? {} : { current }),
    ...(pending === undefined ? {} : { pending }),
    ...(previous === undefined ? {} : { previous }),
    ...(creating === undefined ? {} : { creating }),
    ...(stale.length === 0 ? {} : { stale }),
  };
}

/**
 * One request an app, its config vars; with `flights`, three more before it: what is running, and since when the app has its key. In that
 * order: an app that still has the new key at the end had it when the others were answered, but for a rollback and back in between.
 */
export async function observeApps(
  looking: Looking,
  options: { readonly names?: readonly string[]; readonly flights: boolean },
): Promise<AppState[]> {
  const { team, ports } = looking;
  const read = async (app: Team['apps'][number]): Promise<AppState> => {
    const principal = principalOf(team, app);
    const access = accessOf(app.mode, app.clean);
    const base = {
      name: app.name,
      canary: app.canary,
      ...(principal === undefined ? {} : { user: userName(principal) }),
      ...(access === undefined ? {} : { access }),
      wanted: wantedVars(looking, app),
    };
    try {
      const flight = options.flights ? await ports.apps.flight(app.name) : undefined;
      const vars: Partial<Record<ConfigVarName, string>> = { ...(await ports.apps.vars(app.name)) };
      const secret = vars.HALCYON_AWS_SECRET_ACCESS_KEY;
      if (secret !== undefined) vars.HALCYON_AWS_SECRET_ACCESS_KEY = fingerprint(secret);
      return { ...base, state: 'present', vars, ...(flight === undefined ? {} : { flight }) };
    } catch (error) {
      if (isKitError(error, 'app-not-found')) return { ...base, state: 'missing', vars: {} };
      if (isKitError(error, 'heroku-forbidden')) return { ...base, state: 'unreadable', problem: error.message, vars: {} };
      throw error;
    }
  };
  const apps = team.apps.filter((app) => options.names === undefined || options.names.includes(app.name));
  return pMap(apps, read, { concurrency: looking.concurrency });
}

/** Whether some key is to retire, so that what still runs must be looked at. */
export function needsFlights(principals: readonly PrincipalState[]): boolean {
  return principals.some((principal) => principal.keys.length > (principal.declared ? 1 : 0));
}

export async function observeAll(looking: Looking): Promise<TeamObservation> {
  const principals = await observePrincipals(looking);
  const apps = await observeApps(looking, { flights: needsFlights(principals) });
  return { team: looking.team.name, at: new Date(looking.clock.now()).toISOString(), principals, apps };
}

function wantedVars(looking: Looking, app: Team['apps'][number]): DesiredConfigVars {
  return {
    ...desiredConfigVars(storageOf(looking.config, looking.team, app)),
    HALCYON_AWS_ACCESS_KEY_ID: null,
    HALCYON_AWS_SECRET_ACCESS_KEY: null,
  };
}

const idOf = ({ team, access, app }: PrincipalId): PrincipalId => ({ team, access, ...(app === undefined ? {} : { app }) });
