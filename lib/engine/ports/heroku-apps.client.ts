import { oursOf, parseStage } from '../../contract/index.js';
import type { Build, Dyno, Heroku, Release } from '../../heroku/heroku.js';
import { byId } from '../../heroku/by-id.js';
import { syncApps } from '../../heroku/sync.js';
import { registerSecret } from '../../io/redaction.js';
import type { IoHost } from '../../io/io-host.js';
import type { Activity } from '../model.js';
import type { AppsPort, Guard } from './ports.js';

/** Releases looked at: the latest change of the key is nearly always among the newest few. */
const RELEASES = 100;
const BUILDS = 50;
/** Dynos that run a command to its end, and so keep the config vars they began with; those of the formation restart at every release. */
const ONE_OFF = new Set(['run', 'scheduler', 'release']);

interface HerokuAppsOptions {
  readonly io: IoHost;
  readonly concurrency: number;
  readonly guard: Guard;
  /** Ids of apps, as far as they are known. */
  readonly ids?: ReadonlyMap<string, string>;
}

/** Heroku, by way of the façade. */
export function herokuApps(plain: Heroku, { io, concurrency, guard, ids = new Map() }: HerokuAppsOptions): AppsPort {
  const found = new Map<string, { readonly id: string }>();
  const heroku = byId(plain, found);
  /** Names by id, of a look that is under way. */
  const listed = new Map<string, string>();
  const idOf = (app: string) => found.get(app)?.id ?? ids.get(app);
  return {
    id: idOf,
    async list(some) {
      for (const { id, name } of await plain.appsById(some)) listed.set(id, name);
    },
    async find(id) {
      const name = listed.get(id) ?? (await plain.app(id)).name;
      listed.delete(id);
      // An app of the file that was made anew under the name of one that is gone is another.
      const called = ids.has(name) && ids.get(name) !== id ? `${name} (${id})` : name;
      found.set(called, { id });
      return called;
    },
    async vars(app) {
      const all = await heroku.configVars(app);
      registerSecret(all.HALCYON_AWS_SECRET_ACCESS_KEY);
      return oursOf(all);
    },
    async activity(app) {
      const [releases, builds, dynos] = await Promise.all([
        heroku.releases(app, { max: RELEASES }),
        heroku.builds(app, { max: BUILDS }),
        heroku.dynos(app),
      ]);
      return activityOf(releases, builds, dynos);
    },
    async members(stage) {
      const named = parseStage(idOf(stage) ?? stage);
      // A test run's apps go with it, and it is a build of its stage.
      if (named?.stage !== 'review') return [];
      const members = await plain.pipelineApps(named.pipeline, named.stage);
      const names = new Map((await plain.appsById(members)).map(({ id, name }) => [id, name]));
      return members.map((id) => {
        const name = names.get(id) ?? id;
        found.set(name, { id });
        return name;
      });
    },
    async releasedSince(written) {
      const known = [...written].flatMap(([app, at]) => [{ app, at, id: idOf(app) }].filter(({ id }) => id !== undefined));
      const now = new Map((await plain.appsById(known.map(({ id }) => id as string))).map((app) => [app.id, app.releasedAt]));
      return known
        .filter(({ id, at }) => {
          const releasedAt = now.get(id as string);
          return releasedAt === undefined || Date.parse(releasedAt) > Date.parse(at);
        })
        .map(({ app }) => app);
    },
    write: (writes, signal) => syncApps(heroku, writes, { io, signal, concurrency, guard }),
  };
}

/** What may hold an older key than the app does now. Pure. @internal */
export function activityOf(releases: readonly Release[], builds: readonly Build[], dynos: readonly Dyno[]): Activity {
  const keyRelease = keyReleaseOf(releases);
  const running: Activity['running'] = [
    ...builds
      .filter(({ status }) => status === 'pending')
      .map(({ id, createdAt }) => ({ kind: 'build' as const, id, startedAt: createdAt })),
    ...dynos
      .filter(({ type, state }) => ONE_OFF.has(type) && state !== 'crashed' && state !== 'down')
      .map(({ name, createdAt, releaseVersion }) => ({ kind: 'dyno' as const, id: name, startedAt: createdAt, release: releaseVersion })),
  ];
  const ended = builds.filter(({ status, createdAt }) => status !== 'pending' && keyRelease !== undefined && createdAt <= keyRelease.at);
  const lastEnded = ended
    .map(({ updatedAt }) => updatedAt)
    .sort()
    .at(-1);
  return {
    releasePending: releases[0]?.status === 'pending',
    running,
    ...(keyRelease ? { keyRelease } : {}),
    ...(lastEnded ? { lastEnded } : {}),
  };
}

/**
 * The latest release that may have changed the app's key. Only descriptions that surely did not are passed over: deploys, and config
 * changes that name other variables. With none among those looked at, the key is older than all of them.
 * @internal
 */
export function keyReleaseOf(releases: readonly Release[]): Activity['keyRelease'] {
  const found = releases.find((release) => mayChangeKey(release.description));
  const oldest = releases.at(-1);
  const release = found ?? (releases.length >= RELEASES ? oldest : undefined);
  return release === undefined
    ? undefined
    : { version: release.version, at: release.updatedAt > release.createdAt ? release.updatedAt : release.createdAt };
}

/** Heroku writes `Deploy 1a2b3c4d`, `Initial release`, `Set A, B config vars`, `Remove A config vars`, `Rollback to v12`, `Attach …`. @internal */
export function mayChangeKey(description: string): boolean {
  if (/HALCYON_AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/.test(description)) return true;
  if (/^(Deploy |Initial release|Enable Logplex)/i.test(description)) return false;
  const names = /^(?:Set|Remove|Unset) ([\w, ]+) config vars?$/i.exec(description)?.[1];
  return names === undefined;
}
