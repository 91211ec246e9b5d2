import { differing, KEY_CONFIG_VARS, type ConfigVarName } from '../../contract/index.js';
import type { AppFacts, Check, Finding, Observation, TeamFacts } from '../model.js';
import { broken, CACHE_MISS, info, NO_PRIVATE_STORAGE, warning } from './finding.js';

type AppCheck = (app: AppFacts, facts: TeamFacts, observation: Observation) => Finding[];
const ofApps =
  (check: AppCheck): Check =>
  (observation) =>
    observation.teams.flatMap((facts) => facts.apps.flatMap((app) => check(app, facts, observation)));

const subject = ({ app }: AppFacts): string => `app ${app.name}`;

export const appThere = ofApps((one, { team }) => {
  if (one.state === 'missing')
    return [
      broken('app-not-found', subject(one), {
        message: 'Heroku knows no app of that name, or you may not see it',
        fix: `correct its name in the file, or get access to it`,
      }),
    ];
  if (one.state === 'forbidden')
    return [
      broken('app-forbidden', subject(one), {
        message: one.problem ?? 'you may not use it',
        looksLike: 'unknown',
        fix: 'ask its owner for deploy and operate permissions',
      }),
    ];
  const { info: app } = one;
  if (app !== undefined && app.generation !== 'cedar')
    return [
      broken('app-fir', subject(one), {
        message: `it is of the ${app.generation} generation, which takes no classic buildpacks`,
        looksLike: 'no build by haskell-on-heroku at all',
        fix: `use a Cedar app in team ${team.name}`,
      }),
    ];
  return [];
});

/** Stacks that go, and stacks that Halcyon cannot install GHC on. */
export const appStack = ofApps((one, _, { config }) => {
  const stack = one.info?.stack;
  if (stack === undefined || one.info?.generation !== 'cedar') return [];
  const findings: Finding[] = [];
  if (one.stackState !== undefined && one.stackState !== 'public' && one.stackState !== 'available') {
    findings.push(
      warning('stack-old', subject(one), {
        message: `its stack ${stack} is ${one.stackState}`,
        looksLike: 'soon: no build at all',
        fix: `heroku stack:set -a ${one.app.name} with a newer one; archives are kept by platform, so prebuild again`,
      }),
    );
  }
  // Upstream knows GHC for Ubuntu 10 to 15; a fork may know more.
  if (
    config.buildpack.halcyonUrl === undefined &&
    one.app.mode !== 'public' &&
    /^heroku-(1[6-9]|[2-9]\d)$/.test(stack) &&
    one.vars !== undefined &&
    one.vars.HALCYON_URL === undefined
  ) {
    findings.push(
      info('stack-without-ghc', subject(one), {
        message: `upstream Halcyon cannot install GHC on ${stack}: deployments need prebuilt archives, or a fork`,
        looksLike: '"Deploying buildpack only" where an archive is missing',
        fix: 'keep archives for that platform in the bucket, or name a fork with buildpack.halcyonUrl in the file',
      }),
    );
  }
  return findings;
});

/** Config vars of ours that differ; the key is judged by {@link keyHeld}. */
export const configVars = ofApps((one, { team, principals }) => {
  const { vars, wanted } = one;
  if (vars === undefined) return [];
  const known = principals.find(({ label }) => label === one.principal)?.current !== undefined;
  const otherKey =
    known && vars.HALCYON_AWS_ACCESS_KEY_ID !== undefined && vars.HALCYON_AWS_ACCESS_KEY_ID !== wanted.HALCYON_AWS_ACCESS_KEY_ID;
  const keyAside = one.app.mode !== 'public' && (!known || otherKey);
  const differ = differing(vars, wanted).filter((name) => !(keyAside && KEY_CONFIG_VARS.includes(name)));
  if (differ.length === 0) return [];
  const list = differ.map((name) => {
    if (name === 'HALCYON_AWS_SECRET_ACCESS_KEY')
      return `${name} ${vars[name] === undefined ? 'is missing' : wanted[name] === null ? 'should be unset' : 'is not that of its key'}`;
    const has = vars[name] === undefined ? 'is missing' : `is ${JSON.stringify(vars[name])}`;
    return `${name} ${has}, ${wanted[name] === null ? 'should be unset' : `should be ${JSON.stringify(wanted[name])}`}`;
  });
  return [
    broken('config-vars-differ', subject(one), {
      message: list.join('; '),
      looksLike: looksLikeVars(differ, one),
      fix: `run halcyon-kit sync ${team.name}`,
    }),
  ];
});

function looksLikeVars(differ: readonly ConfigVarName[], { vars = {}, app }: AppFacts): string {
  if (app.mode === 'public') return '"External storage: private and public" in place of "public"';
  const needed: ConfigVarName[] = ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_BUCKET'];
  if (needed.some((name) => !vars[name])) return NO_PRIVATE_STORAGE;
  if (differ.includes('HALCYON_S3_ENDPOINT')) return '"Incorrect HALCYON_S3_ENDPOINT", and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD') && app.mode === 'read-only')
    return '"Uploading s3://…... 403 (forbidden)", "Retrying in 2 seconds (1/5)..." four times, and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD')) return 'no "Uploading s3://…" after packages were built';
  if (differ.includes('HALCYON_S3_ACL')) return '"Uploading s3://…... 400 (bad request)" or "403 (forbidden)", and the build fails';
  if (differ.includes('HALCYON_NO_PUBLIC_STORAGE'))
    return '"External storage: private and public" in place of "private", or the other way round';
  return CACHE_MISS;
}

/** The key an app holds, where it is not the current one. */
export const keyHeld = ofApps((one, { principals, team }) => {
  const held = one.vars?.HALCYON_AWS_ACCESS_KEY_ID;
  const own = principals.find(({ label }) => label === one.principal);
  if (held === undefined || one.app.mode === 'public' || own?.current === undefined || held === own.current) return [];
  const holder = principals.find(({ keys }) => keys.some((key) => key.id === held));
  const key = holder?.keys.find(({ id }) => id === held);
  const fix = `run halcyon-kit sync ${team.name}`;
  if (key?.status === 'Active') {
    return [
      warning('key-not-current', subject(one), {
        message: `it holds key ${held}${holder === own ? ', which is not the current one' : ` of ${holder?.label}`}; the current one is ${own.current}`,
        looksLike: 'nothing, until the old key is retired',
        fix,
      }),
    ];
  }
  const state = key === undefined ? 'which AWS does not know' : 'which is inactive';
  const culprit = rolledBack(one);
  if (culprit !== undefined) {
    return [
      broken('rolled-back-key', subject(one), {
        message: `release v${culprit.version} (${culprit.description}) brought back key ${held}, ${state}`,
        looksLike: CACHE_MISS,
        fix: `${fix}, which gives it the current key`,
      }),
    ];
  }
  return [
    broken(key === undefined ? 'key-unknown' : 'key-inactive', subject(one), {
      message: `it holds key ${held}, ${state}`,
      looksLike: CACHE_MISS,
      fix,
    }),
  ];
});

/** A rollback since the config vars were last set by name. */
function rolledBack({ releases = [] }: AppFacts) {
  const latest = releases.find(({ description }) => /^Rollback to v\d+/i.test(description) || /\bHALCYON_AWS_/.test(description));
  return latest !== undefined && /^Rollback/i.test(latest.description) ? latest : undefined;
}

/** Switches of Halcyon's that were meant for one build, or that switch private storage off. */
export const switches = ofApps((one) => {
  const on = (name: string) => one.vars?.[name] !== undefined && one.vars[name] !== '' && one.vars[name] !== '0';
  const unset = (name: string) => `heroku config:unset ${name} -a ${one.app.name}`;
  return [
    ...(on('HALCYON_PURGE_CACHE')
      ? [
          warning('purge-cache-left', subject(one), {
            message: 'HALCYON_PURGE_CACHE is still set: every build begins with an empty cache',
            looksLike: '"Purging cache" in every build, and slow builds',
            fix: unset('HALCYON_PURGE_CACHE'),
          }),
        ]
      : []),
    ...(on('HALCYON_NO_BUILD_DEPENDENCIES')
      ? [
          warning('no-build-dependencies-left', subject(one), {
            message: 'HALCYON_NO_BUILD_DEPENDENCIES is still set: what is not stored is never built',
            looksLike: '"Deploying buildpack only", also on a one-off dyno',
            fix: unset('HALCYON_NO_BUILD_DEPENDENCIES'),
          }),
        ]
      : []),
    ...(on('HALCYON_NO_PRIVATE_STORAGE') && one.app.mode !== 'public'
      ? [
          broken('private-storage-off', subject(one), {
            message: 'HALCYON_NO_PRIVATE_STORAGE is set, and it is in a private mode',
            looksLike: NO_PRIVATE_STORAGE,
            fix: unset('HALCYON_NO_PRIVATE_STORAGE'),
          }),
        ]
      : []),
  ];
});

/** The list of buildpacks and its order. */
export const buildpacks = ofApps((one, { team }, { config }) => {
  const plan = one.buildpackPlan;
  if (plan === undefined || one.state !== 'present') return [];
  const fix = `run halcyon-kit sync ${team.name}`;
  const findings: Finding[] = [];
  if (plan.problem === 'no-haskell-on-heroku' || plan.changes.some(({ action, url }) => action === 'add' && url === config.buildpack.url)) {
    findings.push(
      broken('no-haskell-on-heroku', subject(one), {
        message: 'haskell-on-heroku is not among its buildpacks',
        looksLike: 'no build by haskell-on-heroku at all',
        fix: config.buildpack.install
          ? fix
          : `heroku buildpacks:add ${config.buildpack.url} -a ${one.app.name}, or set "buildpack: { install: true }" in the file`,
      }),
    );
  }
  for (const { action, url, from } of plan.changes.filter((change) => change.url !== config.buildpack.url)) {
    if (action === 'add')
      findings.push(
        broken('sigv4-buildpack-missing', subject(one), {
          message: 'the SigV4 buildpack is not among its buildpacks, so requests are signed with version 2',
          looksLike: '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail',
          fix,
        }),
      );
    if (action === 'move')
      findings.push(
        broken('buildpack-order', subject(one), {
          message: `the SigV4 buildpack must be the first of its buildpacks: it is no. ${(one.buildpacks ?? []).indexOf(url) + 1}`,
          looksLike: '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail',
          fix,
        }),
      );
    if (action === 'replace')
      findings.push(
        warning('sigv4-buildpack-other', subject(one), { message: `the SigV4 buildpack is ${from}, and the file says ${url}`, fix }),
      );
    if (action === 'remove')
      findings.push(
        warning('sigv4-buildpack-left', subject(one), {
          message: `the SigV4 buildpack ${url} is among its buildpacks, and should not be`,
          looksLike: 'requests that are signed with version 4 all the same',
          fix,
        }),
      );
  }
  return findings;
});

/** What goes on just now. */
export const inFlight = ofApps((one) => {
  const pending = one.releases?.[0]?.status === 'pending' ? one.releases[0] : undefined;
  return [
    ...(one.builds ?? []).map(({ id, createdAt }) =>
      info('build-in-flight', subject(one), {
        message: `build ${id} has been running since ${createdAt}, with the config vars of then`,
        fix: 'wait for it',
      }),
    ),
    ...(one.oneOffs ?? []).map(({ name, createdAt, releaseVersion }) =>
      info('dyno-in-flight', subject(one), {
        message: `one-off dyno ${name} has been running since ${createdAt}, with the config vars of v${releaseVersion}`,
        fix: 'wait for it',
      }),
    ),
    ...(pending === undefined
      ? []
      : [
          info('release-pending', subject(one), {
            message: `release v${pending.version} has not ended: config vars may be about to change`,
            fix: 'wait for it',
          }),
        ]),
  ];
});

export const appUnread = ofApps((one) =>
  one.unread.map((what) =>
    warning('not-checked', subject(one), { message: `could not read ${what}`, looksLike: 'unknown', fix: 'run the doctor again' }),
  ),
);

/** Where apps get the SigV4 buildpack from. */
export const buildpackServed: Check = ({ buildpack, config }) => {
  if (buildpack === undefined || (buildpack.failure === undefined && (buildpack.status ?? 200) < 400)) return [];
  return [
    broken('buildpack-not-served', 'buildpack', {
      message: `${buildpack.url} answers ${buildpack.failure ?? buildpack.status}`,
      looksLike: 'no build at all: Heroku cannot fetch the buildpack',
      fix: config.signing.buildpack === 'hosted' ? 'run halcyon-kit up, which publishes it' : 'correct "signing.buildpack" in the file',
    }),
  ];
};
