import { differing, KEY_CONFIG_VARS, type ConfigVarName } from '../../contract/index.js';
import { desiredOf, principalFor } from '../desired.js';
import type { AppFacts } from '../model.js';
import { broken, CACHE_MISS, NO_PRIVATE_STORAGE, ofApps, subject, warning } from './finding.js';

/** Config vars of ours that differ; the key is a matter of {@link keyHeld}. */
export const configVars = ofApps((one, { team, principals }) => {
  if (one.state !== 'present') return [];
  const { vars } = one;
  const wanted = desiredOf(one, principals);
  const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
  const known = principalFor(one, principals)?.current !== undefined;
  const keyAside = one.user !== undefined && (!known || (held !== undefined && held !== wanted.HALCYON_AWS_ACCESS_KEY_ID));
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

function looksLikeVars(differ: readonly ConfigVarName[], { vars, access }: AppFacts): string {
  if (access === undefined) return '"External storage: private and public" in place of "public"';
  const needed: ConfigVarName[] = ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_BUCKET'];
  if (needed.some((name) => !vars[name])) return NO_PRIVATE_STORAGE;
  if (differ.includes('HALCYON_S3_ENDPOINT')) return '"Incorrect HALCYON_S3_ENDPOINT", and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD') && access === 'read-only')
    return '"Uploading s3://…... 403 (forbidden)", "Retrying in 2 seconds (1/5)..." four times, and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD')) return 'no "Uploading s3://…" after packages were built';
  if (differ.includes('HALCYON_S3_ACL')) return '"Uploading s3://…... 400 (bad request)" or "403 (forbidden)", and the build fails';
  if (differ.includes('HALCYON_NO_PUBLIC_STORAGE'))
    return '"External storage: private and public" in place of "private", or the other way round';
  return CACHE_MISS;
}

/** The key an app holds, where it is not the current one. */
export const keyHeld = ofApps((one, { principals, team }) => {
  const held = one.vars.HALCYON_AWS_ACCESS_KEY_ID;
  const own = principalFor(one, principals);
  if (held === undefined || own?.current === undefined || held === own.current) return [];
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
  const on = (name: keyof typeof one.switches) => !['', '0'].includes(one.switches[name] ?? '');
  const unset = (name: string) => `heroku config:unset ${name} -a ${one.name}`;
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
    ...(on('HALCYON_NO_PRIVATE_STORAGE') && one.access !== undefined
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
