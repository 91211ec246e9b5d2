import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { holdersOf } from '../config/derive.js';
import type { App, KitConfig, Team } from '../config/model.js';
import { oursOf, type KeyPair } from '../contract/index.js';
import { observeApp } from '../engine/run/observe-apps.client.js';
import { isKitError, KitError } from '../errors.js';
import { planBuildpacks, type DesiredBuildpacks } from '../heroku/buildpacks.plan.js';
import type { Build, Heroku } from '../heroku/heroku.js';
import { registerSecret } from '../io/redaction.js';
import { installIn, isStored, newestLog } from '../prebuild/usage.client.js';
import { SWITCHES, type AppFacts } from './model.js';
import { Reader } from './reader.js';

export interface AppQuestion {
  readonly config: KitConfig;
  readonly heroku: Heroku;
  readonly team: Team;
  /** Filled with the key that each app holds. */
  readonly held: Map<string, KeyPair>;
  readonly buildpacks: ReadonlyMap<string, DesiredBuildpacks>;
  readonly stacks: ReadonlyMap<string, string>;
  /** In the region of the team's bucket. */
  readonly aws?: Aws;
  readonly signal?: AbortSignal;
}

/** Heroku, read-only: what the engine sees of each app, and more. Secret keys that apps hold go into `held` and nowhere else. */
export const appFacts = (question: AppQuestion): Promise<AppFacts[]> =>
  pMap(holdersOf(question.team), (app) => factsOf(question, app), { concurrency: 5 });

async function factsOf({ config, heroku, team, held, ...wanted }: AppQuestion, app: App): Promise<AppFacts> {
  const { name } = app;
  const reader = new Reader(wanted.signal);
  let switches: AppFacts['switches'] = {};
  const vars = async () => {
    const all = await heroku.configVars(name);
    const { HALCYON_AWS_ACCESS_KEY_ID: accessKeyId, HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey } = all;
    registerSecret(secretAccessKey);
    if (accessKeyId && secretAccessKey) held.set(name, { accessKeyId, secretAccessKey });
    switches = Object.fromEntries(SWITCHES.flatMap((one) => (Object.hasOwn(all, one) ? [[one, all[one]]] : [])));
    return oursOf(all);
  };
  const [state, info] = await Promise.all([
    observeApp(app, { config, team, vars, read: reader.read }),
    heroku.app(name).catch((error: unknown) => {
      if (isKitError(error, 'app-not-found') || isKitError(error, 'heroku-forbidden')) return error;
      throw error;
    }),
  ]);
  if (info instanceof KitError)
    return { ...state, state: info.code === 'app-not-found' ? 'missing' : 'unreadable', problem: info.message, switches, unread: [] };
  // It has config vars, and nothing else that an app has.
  if (state.stage !== undefined) return { ...state, info, switches, unread: reader.unread };
  const [buildpacks, releases, builds, dynos, processTypes] = await Promise.all([
    reader.read('buildpacks', () => heroku.buildpacks(name)),
    reader.read('releases', () => heroku.releases(name, { max: 20 })),
    reader.read('builds', () => heroku.builds(name, { max: 10 })),
    reader.read('dynos', () => heroku.dynos(name)),
    reader.read('process types', () => heroku.processTypes(name)),
  ]);
  const desired = wanted.buildpacks.get(name);
  return {
    ...state,
    info,
    stackState: wanted.stacks.get(info.stack),
    switches,
    buildpacks,
    ...(buildpacks && desired ? { buildpackPlan: planBuildpacks(buildpacks, desired) } : {}),
    releases,
    processTypes,
    ...(await reader.read('its newest build', () => lastBuild(heroku, team, builds ?? [], wanted))),
    builds: builds?.filter((build) => build.status === 'pending'),
    oneOffs: dynos?.filter((dyno) => dyno.type === 'run'),
    unread: reader.unread,
  };
}

async function lastBuild(
  heroku: Heroku,
  { bucket }: Team,
  builds: readonly Build[],
  { aws, signal }: Pick<AppQuestion, 'aws' | 'signal'>,
): Promise<Pick<AppFacts, 'lastBuild'>> {
  const log = await newestLog(heroku, builds, signal);
  if (!log) return {};
  const { releaseId } = builds.find(({ status }) => status === 'succeeded')!;
  const install = installIn(log)?.url;
  const stored = aws && bucket && install !== undefined ? await isStored(aws, bucket, install, signal) : undefined;
  return { lastBuild: { releaseId, buildpackOnly: log.buildpackOnly, install, stored } };
}
