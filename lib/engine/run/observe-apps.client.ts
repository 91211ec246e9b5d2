import pMap from 'p-map';
import { holdersOf, principalOf, storageOf } from '../../config/derive.js';
import type { App, KitConfig, Team } from '../../config/model.js';
import {
  accessOf,
  desiredConfigVars,
  differing,
  heldOf,
  parseStage,
  userName,
  withKeyVars,
  type DesiredConfigVars,
} from '../../contract/index.js';
import { isKitError } from '../../errors.js';
import type { AppState, Holder, OutsideApp, PrincipalState, TeamObservation } from '../model.js';
import type { AppsPort } from '../ports/ports.js';
import { strictly, type ObserveContext, type Read } from './looking.js';
import { fingerprint } from './vault.js';

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
  return readApp(baseOf(app, { config, team, id }), reads);
}

function baseOf(app: App, { config, team, id }: Pick<AppReads, 'config' | 'team' | 'id'>) {
  const principal = principalOf(team, app);
  const access = accessOf(app.mode, app.clean);
  return {
    name: app.name,
    ...(id === undefined ? {} : { id }),
    ...(parseStage(app.name) === undefined ? {} : { stage: app.name }),
    canary: app.canary,
    ...(principal === undefined ? {} : { user: userName(principal) }),
    ...(access === undefined ? {} : { access }),
    wanted: desiredConfigVars(storageOf(config, team, app)),
  };
}

/** What the app has when it is in order; undefined where its principal has no key that works. */
function atRest({ user, wanted }: Pick<AppState, 'user' | 'wanted'>, principals: readonly PrincipalState[]): DesiredConfigVars | undefined {
  if (user === undefined) return wanted;
  const principal = principals.find((one) => one.user === user);
  const key = principal?.keys.find(({ id, status }) => id === principal.current && status === 'Active');
  return key?.fingerprint === undefined ? undefined : withKeyVars(wanted, { accessKeyId: key.id, secretAccessKey: key.fingerprint });
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

/** How apps are looked at. */
export interface Looks {
  /** Some only. */
  readonly names?: readonly string[];
  /** What runs on them, too. */
  readonly activity: boolean;
  /** Those that have not changed since they were confirmed are not asked: what they hold follows from these principals. */
  readonly trusting?: readonly PrincipalState[];
}

export async function observeApps(context: ObserveContext, looks: Looks): Promise<AppState[]> {
  const { config, team, ports, concurrency, refused, confirmed } = context;
  const { names, activity, trusting } = looks;
  const { apps } = ports;
  if (trusting && !activity) await confirmed?.renew();
  const reads = { config, team, vars: apps.vars, ...(activity ? { activity: apps.activity } : {}) };
  const trusted = trusting !== undefined && !activity && confirmed?.trusted === true;
  const observe = async (base: ReturnType<typeof baseOf>): Promise<AppState> => {
    const { id } = base;
    const rest = trusting && atRest(base, trusting);
    const problem = refused?.get(base.name);
    if (trusted && rest !== undefined && problem === undefined && confirmed.has(id, 'configVars', rest))
      return { ...base, state: 'present', vars: heldOf(rest), trusted };
    const seen = await readApp(base, reads);
    if (seen.state !== 'present') return seen;
    if (rest !== undefined) confirmed?.saw(id, 'configVars', rest, differing(seen.vars, rest).length === 0);
    return problem === undefined ? seen : { ...seen, problem };
  };
  const own = holdersOf(team);
  const known = new Set(own.map(({ name }) => name));
  const wanted = names && new Set(names);
  // The name of an app that was made with what a stage has does not tell the stage.
  const all = team.stages !== undefined && (names === undefined || names.some((name) => !known.has(name)));
  const listed = all ? new Set(config.teams.flatMap((one) => one.apps.map(({ name }) => name))) : undefined;
  const states = await pMap(
    own.filter(({ name }) => wanted?.has(name) !== false || (all && parseStage(name) !== undefined)),
    async (app): Promise<AppState[]> => {
      const base = baseOf(app, { config, team, id: apps.id(app.name) });
      const seen = await observe(base);
      if (base.stage === undefined || seen.state !== 'present' || !all) return [seen];
      // Later than the stage: what was not yet made when its builds were looked at is here, or has what the stage has by now.
      const members = (await apps.members(app.name)).filter((name) => listed?.has(name) !== true);
      const found = await pMap(members, (name) => observe({ ...base, name, id: apps.id(name) }), { concurrency });
      return [seen, ...found.filter(({ state }) => state !== 'missing')];
    },
    { concurrency },
  ).then((found) => found.flat());
  // One was not as the record said: then none counts.
  return trusted && confirmed.contradicted ? observeApps(context, looks) : states;
}

/**
 * Apps on the record that are not of the team, and what was made with what a stage on it has; one that is gone is left out.
 * @param seen - the team's own, as they were just looked at.
 * @returns also the ids of those that are gone.
 */
export async function observeOutside(
  { config, team, ports: { apps }, concurrency, forget }: ObserveContext,
  recorded: TeamObservation['recorded'] = {},
  { activity, seen }: { readonly activity: boolean; readonly seen: readonly AppState[] },
): Promise<Pick<TeamObservation, 'outside' | 'gone'>> {
  const own = new Set([...team.apps.map(({ name }) => apps.id(name)), ...seen.map(({ id }) => id)]);
  const holders = new Map(Object.values(recorded).flatMap((list) => list.map((holder) => [holder.id, holder] as const)));
  const reads = { vars: apps.vars, ...(activity ? { activity: apps.activity } : {}) };
  const gone: string[] = [];
  /** Of a stage, and of what was made with what it has: by id. */
  const stages = new Map<string, Pick<OutsideApp, 'team' | 'stage'>>();
  const isFree = async (name: string) => apps.id(name) === undefined && (await readApp({ name }, { vars: apps.vars })).state === 'missing';
  const look = async ({ id, app }: Holder): Promise<OutsideApp> => {
    const base = { id, canary: false, wanted: desiredConfigVars({ mode: 'public' }), ...stages.get(id) };
    try {
      const name = await apps.find(id);
      const teamOf = (called: string) => config.teams.find((one) => holdersOf(one).some((other) => other.name === called))?.name;
      // Renamed on Heroku, and not yet in the file; a former name may have gone to another app by now.
      const of = teamOf(name) ?? (teamOf(app) !== undefined && (await isFree(app)) ? teamOf(app) : undefined);
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
  };
  const all = async (some: Iterable<Holder>) => {
    const outside = [...some].filter(({ id, app }) => !own.has(id) && forget?.has(id) !== true && forget?.has(app) !== true);
    await apps.list(outside.map(({ id }) => id));
    const looked = await pMap(outside, look, { concurrency });
    gone.push(...looked.filter(({ state }) => state === 'missing').map(({ id }) => id));
    return looked.filter(({ state }) => state !== 'missing');
  };
  const [staged, others] = [true, false].map((is) => [...holders.values()].filter(({ id }) => (parseStage(id) !== undefined) === is));
  const outside = await all(staged!);
  for (const { name: stage, team: of } of outside)
    for (const app of await apps.members(stage)) {
      const id = apps.id(app) ?? app;
      stages.set(id, { stage, ...(of === undefined ? {} : { team: of }) });
      others!.push({ id, app });
    }
  return { outside: [...outside, ...(await all(others!))], ...(gone.length === 0 ? {} : { gone }) };
}
