import { differing, KEY_CONFIG_VARS, type ConfigVarName } from '../../contract/index.js';
import { unfitness } from '../../heroku/preflight.js';
import { desiredOf, principalFor, type AppFacts, type Check, type Observation, type TeamFacts } from '../model.js';
import {
  about,
  broken,
  CACHE_MISS,
  info,
  NO_PRIVATE_STORAGE,
  notChecked,
  subjectOf,
  UPLOAD_FAILS,
  warning,
  type Fault,
} from './finding.js';

/** A check of each app by itself. */
const ofApps =
  (check: (app: AppFacts, facts: TeamFacts, observation: Observation) => Iterable<Fault>): Check =>
  (observation) =>
    observation.teams.flatMap((facts) => facts.apps.flatMap((app) => about(subjectOf(app.name), check(app, facts, observation))));

export const appThere = ofApps(function* ({ state, stage, info: app, problem }) {
  const unfit = app && unfitness(app);
  if (state === 'missing')
    yield broken('app-not-found', {
      message: `Heroku knows no ${stage === undefined ? 'app' : 'pipeline'} of that name, or you may not see it`,
      fix: `correct its name in the file, or get access to it`,
    });
  else if (app === undefined)
    yield broken('app-forbidden', {
      message: problem ?? 'you may not use it',
      looksLike: 'unknown',
      fix: 'ask its owner for deploy and operate permissions',
    });
  else if (unfit !== undefined)
    yield broken(unfit.code, { message: `it is ${unfit.why}`, looksLike: 'no build by haskell-on-heroku at all', fix: unfit.fix });
});

/** Whether there is anything to run, and whether the next build of the same source finds what it needs. */
export const builtApp = ofApps(function* ({ name, access, info: app, lastBuild: last, processTypes, releases = [] }) {
  if (app === undefined) return;
  const prebuild = `halcyon-kit prebuild ${name} --source DIR --deploy`;
  const at = releases.findIndex(({ id }) => id === last?.releaseId);
  const rolledBackSince = releases.slice(0, Math.max(at, 0)).some(({ description }) => /^Rollback/i.test(description));
  const nothing = processTypes?.length === 0 && releases.some(({ description }) => /^Deploy/i.test(description));
  if ((last?.buildpackOnly === true && !rolledBackSince) || (last === undefined && nothing))
    yield broken('buildpack-only', {
      message:
        last === undefined
          ? 'its current release declares no process types'
          : 'its current release is buildpack only: nothing of it can run',
      looksLike: '"Deploying buildpack only", though the release succeeds',
      fix:
        access === 'upload' || access === 'append-only'
          ? `${prebuild}; until then heroku rollback -a ${name}`
          : `heroku rollback -a ${name}; docs/prebuild.md says who can prebuild for it`,
    });
  else if (last?.stored === false && (access === 'upload' || access === 'append-only'))
    yield warning('install-archive-missing', {
      message: `the install archive of the source it was last built from is not in the bucket: ${last.install}`,
      looksLike: '"Downloading s3://…... 404 (not found)" at its next build, which may end in "Deploying buildpack only"',
      fix: prebuild,
    });
});

/** Stacks that go, and stacks that Halcyon cannot install GHC on. */
export const appStack = ofApps(function* (one, _, { config }) {
  const stack = one.info?.stack;
  if (stack === undefined || one.info?.generation !== 'cedar') return;
  if (one.stackState !== undefined && one.stackState !== 'public' && one.stackState !== 'available')
    yield warning('stack-old', {
      message: `its stack ${stack} is ${one.stackState}`,
      looksLike: 'soon: no build at all',
      fix: `heroku stack:set -a ${one.name} with a newer one; archives are kept by platform, so prebuild again`,
    });
  // Upstream knows GHC for Ubuntu 10 to 15; a fork may know more.
  if (
    config.buildpack.halcyonUrl === undefined &&
    one.access !== undefined &&
    /^heroku-(1[6-9]|[2-9]\d)$/.test(stack) &&
    one.state === 'present' &&
    one.switches.HALCYON_URL === undefined
  )
    yield info('stack-without-ghc', {
      message: `upstream Halcyon cannot install GHC on ${stack}: deployments need prebuilt archives, or a fork`,
      looksLike: '"Deploying buildpack only" where an archive is missing',
      fix: 'keep archives for that platform in the bucket, or name a fork with buildpack.halcyonUrl in the file',
    });
});

/** Config vars of ours that differ; the key is a matter of `keyHeld`. */
export const configVars = ofApps(function* (one, { team, principals }) {
  if (one.state !== 'present') return;
  const { vars } = one;
  const wanted = desiredOf(one, principals);
  const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
  const known = principalFor(one, principals)?.current !== undefined;
  const keyAside = one.user !== undefined && (!known || (held !== undefined && held !== wanted.HALCYON_AWS_ACCESS_KEY_ID));
  const differ = differing(vars, wanted).filter((name) => !(keyAside && KEY_CONFIG_VARS.includes(name)));
  if (differ.length === 0) return;
  const list = differ.map((name) => {
    if (name === 'HALCYON_AWS_SECRET_ACCESS_KEY')
      return `${name} ${vars[name] === undefined ? 'is missing' : wanted[name] === null ? 'should be unset' : 'is not that of its key'}`;
    const has = vars[name] === undefined ? 'is missing' : `is ${JSON.stringify(vars[name])}`;
    return `${name} ${has}, ${wanted[name] === null ? 'should be unset' : `should be ${JSON.stringify(wanted[name])}`}`;
  });
  yield broken('config-vars-differ', {
    message: list.join('; '),
    looksLike: looksLikeVars(differ, one),
    fix: `run halcyon-kit sync ${team.name}`,
  });
});

function looksLikeVars(differ: readonly ConfigVarName[], { vars, access }: AppFacts): string {
  if (access === undefined) return '"External storage: private and public" in place of "public"';
  const needed: ConfigVarName[] = ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_BUCKET'];
  if (needed.some((name) => !vars[name])) return NO_PRIVATE_STORAGE;
  if (differ.includes('HALCYON_S3_ENDPOINT')) return '"Incorrect HALCYON_S3_ENDPOINT", and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD'))
    return access === 'read-only' ? UPLOAD_FAILS : 'no "Uploading s3://…" after packages were built';
  if (differ.includes('HALCYON_S3_ACL')) return '"Uploading s3://…... 400 (bad request)" or "403 (forbidden)", and the build fails';
  if (differ.includes('HALCYON_NO_PUBLIC_STORAGE'))
    return '"External storage: private and public" in place of "private", or the other way round';
  return CACHE_MISS;
}

/** The key an app holds, where it is not the current one. */
export const keyHeld = ofApps(function* (one, { principals, team }) {
  const held = one.vars.HALCYON_AWS_ACCESS_KEY_ID;
  const own = principalFor(one, principals);
  if (held === undefined || own?.current === undefined || held === own.current) return;
  const holder = principals.find(({ keys }) => keys.some((key) => key.id === held));
  const key = holder?.keys.find(({ id }) => id === held);
  const fix = `run halcyon-kit sync ${team.name}`;
  const state = key === undefined ? 'which AWS does not know' : 'which is inactive';
  const culprit = rolledBack(one);
  if (key?.status === 'Active')
    yield warning('key-not-current', {
      message: `it holds key ${held}${holder === own ? ', which is not the current one' : ` of ${holder?.label}`}; the current one is ${own.current}`,
      looksLike: 'nothing, until the old key is retired',
      fix,
    });
  else if (culprit !== undefined)
    yield broken('rolled-back-key', {
      message: `release v${culprit.version} (${culprit.description}) brought back key ${held}, ${state}`,
      looksLike: CACHE_MISS,
      fix: `${fix}, which gives it the current key`,
    });
  else
    yield broken(key === undefined ? 'key-unknown' : 'key-inactive', {
      message: `it holds key ${held}, ${state}`,
      looksLike: CACHE_MISS,
      fix,
    });
});

/** A rollback since the config vars were last set by name. */
function rolledBack({ releases = [] }: AppFacts) {
  const latest = releases.find(({ description }) => /^Rollback to v\d+/i.test(description) || /\bHALCYON_AWS_/.test(description));
  return latest !== undefined && /^Rollback/i.test(latest.description) ? latest : undefined;
}

/** Switches of Halcyon's that were meant for one build, or that switch private storage off. */
export const switches = ofApps(function* ({ name, access, stage, switches: set }) {
  const on = (one: keyof typeof set) => !['', '0'].includes(set[one] ?? '');
  const unset = (one: keyof typeof set) =>
    stage === undefined ? `heroku config:unset ${one} -a ${name}` : `take ${one} out of the pipeline’s settings, in Heroku’s Dashboard`;
  if (on('HALCYON_PURGE_CACHE'))
    yield warning('purge-cache-left', {
      message: 'HALCYON_PURGE_CACHE is still set: every build begins with an empty cache',
      looksLike: '"Purging cache" in every build, and slow builds',
      fix: unset('HALCYON_PURGE_CACHE'),
    });
  if (on('HALCYON_NO_BUILD_DEPENDENCIES'))
    yield warning('no-build-dependencies-left', {
      message: 'HALCYON_NO_BUILD_DEPENDENCIES is still set: what is not stored is never built',
      looksLike: '"Deploying buildpack only", also on a one-off dyno',
      fix: unset('HALCYON_NO_BUILD_DEPENDENCIES'),
    });
  if (on('HALCYON_NO_PRIVATE_STORAGE') && access !== undefined)
    yield broken('private-storage-off', {
      message: 'HALCYON_NO_PRIVATE_STORAGE is set, and it is in a private mode',
      looksLike: NO_PRIVATE_STORAGE,
      fix: unset('HALCYON_NO_PRIVATE_STORAGE'),
    });
});

/** The list of buildpacks and its order. */
export const buildpacks = ofApps(function* (one, { team }, { config }) {
  const plan = one.buildpackPlan;
  if (plan === undefined) return;
  const { url: haskell, install } = config.buildpack;
  const fix = `run halcyon-kit sync ${team.name}`;
  if (plan.problem === 'no-haskell-on-heroku' || plan.changes.some(({ action, url }) => action === 'add' && url === haskell))
    yield broken('no-haskell-on-heroku', {
      message: 'haskell-on-heroku is not among its buildpacks',
      looksLike: 'no build by haskell-on-heroku at all',
      fix: install ? fix : `heroku buildpacks:add ${haskell} -a ${one.name}, or set "buildpack: { install: true }" in the file`,
    });
  const looksLike = '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail';
  for (const { action, url, from } of plan.changes.filter((change) => change.url !== haskell)) {
    if (action === 'add') {
      const message = 'the SigV4 buildpack is not among its buildpacks, so requests are signed with version 2';
      yield broken('sigv4-buildpack-missing', { message, looksLike, fix });
    } else if (action === 'move') {
      const message = `the SigV4 buildpack must be the first of its buildpacks: it is no. ${(one.buildpacks ?? []).indexOf(url) + 1}`;
      yield broken('buildpack-order', { message, looksLike, fix });
    } else if (action === 'replace') {
      yield warning('sigv4-buildpack-other', { message: `the SigV4 buildpack is ${from}, and the file says ${url}`, fix });
    } else {
      yield warning('sigv4-buildpack-left', {
        message: `the SigV4 buildpack ${url} is among its buildpacks, and should not be`,
        looksLike: 'requests that are signed with version 4 all the same',
        fix,
      });
    }
  }
});

/** What goes on just now. */
export const inFlight = ofApps(function* ({ builds = [], oneOffs = [], releases = [] }) {
  const fix = 'wait for it';
  for (const { id, createdAt } of builds)
    yield info('build-in-flight', { message: `build ${id} has been running since ${createdAt}, with the config vars of then`, fix });
  for (const { name, createdAt, releaseVersion } of oneOffs)
    yield info('dyno-in-flight', {
      message: `one-off dyno ${name} has been running since ${createdAt}, with the config vars of v${releaseVersion}`,
      fix,
    });
  const [latest] = releases;
  if (latest?.status === 'pending')
    yield info('release-pending', { message: `release v${latest.version} has not ended: config vars may be about to change`, fix });
});

export const appUnread = ofApps(({ unread }) => notChecked(unread, 'run the doctor again'));
