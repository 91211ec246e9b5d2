import type { BuildLog, StorageLine } from './log.js';
import type { Cause } from './report.js';

/** A known cause, and the line of the log that tells of it. */
interface LogCause extends Cause {
  readonly line: string;
}

/** Whose log it is, as far as that is known: what stands in commands in place of APP and TEAM. */
export interface Whose {
  readonly app?: string;
  readonly team?: string;
}

interface Rule extends Cause {
  /** The line that tells of it; undefined where none does. */
  readonly sees: (log: BuildLog) => string | undefined;
}

const shown = ({ action, url, outcome }: StorageLine): string => `${action} ${url}... ${outcome}`;

/** A request to the private bucket that ended so. */
const asked = (log: BuildLog, outcome: RegExp, ...actions: Array<StorageLine['action']>): string | undefined => {
  const found = log.requests.find(
    (one) => one.url.startsWith('s3://') && outcome.test(one.outcome) && (actions.length === 0 || actions.includes(one.action)),
  );
  return found && shown(found);
};
const said = ({ lines }: BuildLog, pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line))?.trim();
const where = ({ lines }: BuildLog, pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));

/** What the SigV4 buildpack says first, and what Halcyon does. */
const SIGNS = /-----> Signing S3 requests with Signature Version 4/;
const HALCYON = /-----> Welcome to Haskell on Heroku|External storage:/;
const ONLY = /Deploying buildpack only/;
const wantsVersion4 = ({ configVars }: BuildLog) => configVars.HALCYON_S3_REGION !== undefined;
/** It fell back to nothing, in a bucket that did answer. */
const unbuilt = (log: BuildLog, where: (log: BuildLog) => boolean) => (where(log) ? said(log, ONLY) : undefined);

const PREBUILD = '`halcyon-kit prebuild APP --source DIR --deploy`';

/** The more specific first. APP and TEAM are filled in where they are known. */
const RULES: readonly Rule[] = [
  {
    code: 'wrong-endpoint',
    message: 'the bucket is not where its endpoint leads: it is in another region, or the endpoint is wrong',
    remedy: '`halcyon-kit doctor TEAM` says where it is; correct "region" or "endpoint" in the file, then `halcyon-kit sync TEAM`',
    sees: (log) => asked(log, /^3\d\d/) ?? said(log, /Incorrect HALCYON_S3_ENDPOINT/),
  },
  {
    code: 's3-unreachable',
    message: 'nobody answered at the endpoint, or not with a certificate that the stack trusts',
    remedy: '`halcyon-kit doctor TEAM` asks the same endpoint; correct "endpoint" in the file, then `halcyon-kit sync TEAM`',
    sees: (log) => asked(log, /^000/),
  },
  {
    code: 'bucket-gone',
    message: 'there is no such bucket: a listing of one that is there never ends with 404',
    remedy: '`halcyon-kit up TEAM` makes it; or correct its name in the file, then `halcyon-kit sync TEAM`',
    sees: (log) => asked(log, /^404/, 'Listing'),
  },
  {
    code: 'buildpack-order',
    message: 'the SigV4 buildpack is not in front of haskell-on-heroku, so requests leave with signature version 2',
    remedy: '`halcyon-kit up TEAM` puts it first; then deploy again',
    sees: (log) => (where(log, SIGNS) > where(log, HALCYON) && where(log, HALCYON) >= 0 ? said(log, SIGNS) : undefined),
  },
  {
    code: 'sigv4-buildpack-missing',
    message: 'the app is told to sign with version 4, and the SigV4 buildpack, which would, did not run',
    remedy: '`halcyon-kit up TEAM` puts it in front of haskell-on-heroku; then deploy again',
    sees: (log) => (wantsVersion4(log) && where(log, SIGNS) < 0 ? asked(log, /^40[03]/) : undefined),
  },
  {
    code: 'acl-refused',
    message: 'S3 did not take the ACL that the upload carried, or its signature',
    remedy: '`halcyon-kit doctor TEAM --write-probe` tells which; "acl" in the file sets it, then `halcyon-kit up TEAM`',
    sees: (log) => asked(log, /^400/, 'Uploading'),
  },
  {
    code: 'sigv2-refused',
    message: 'S3 refuses the request itself: the bucket takes signature version 4 only, and this was version 2, or the key is malformed',
    remedy: 'set "signing: { version: 4 }" in the file, then `halcyon-kit up TEAM`, which installs the SigV4 buildpack',
    sees: (log) => (where(log, SIGNS) < 0 ? asked(log, /^400/) : undefined),
  },
  {
    code: 'upload-denied',
    message: 'the key may not upload, or not with this ACL: that fails the whole build',
    remedy:
      '`halcyon-kit sync TEAM` gives an app in mode read-only HALCYON_NO_UPLOAD; `halcyon-kit doctor TEAM --write-probe` names the policy that denies',
    sees: (log) => asked(log, /^403/, 'Uploading'),
  },
  {
    code: 'storage-denied',
    message: 'S3 denies what the key asks for: it was retired, its secret does not belong to it, or a policy stands against it',
    remedy: '`halcyon-kit doctor TEAM` asks with the same key and says which; `halcyon-kit sync TEAM` gives the app the current key',
    sees: (log) => asked(log, /^40[03]/, 'Downloading', 'Listing'),
  },
  {
    code: 'upload-failed',
    message: 'an upload failed, which fails the whole build',
    remedy: '`halcyon-kit doctor TEAM --write-probe` uploads with the same key, and says what becomes of it',
    sees: (log) => said(log, /Failed to upload/),
  },
  {
    code: 'private-storage-missing',
    message: 'the app has no private storage, and `build` wants one: its config vars are unset, or it is in mode public',
    remedy: 'give it a mode with a bucket in the file, then `halcyon-kit sync TEAM`',
    sees: (log) => said(log, /Expected private storage/),
  },
  {
    code: 'storage-off',
    message:
      'the build does not see the private storage that the app is given: a config var is empty, or HALCYON_NO_PRIVATE_STORAGE is set',
    remedy: '`halcyon-kit sync TEAM`, and `heroku config:unset HALCYON_NO_PRIVATE_STORAGE -a APP`',
    sees: (log) =>
      log.configVars.HALCYON_S3_BUCKET !== undefined && log.storage?.includes('private') === false
        ? said(log, /External storage:/)
        : undefined,
  },
  {
    code: 'timed-out',
    message: 'Heroku ends a build after 15 minutes, and this one was still compiling',
    remedy: `${PREBUILD} compiles on a one-off dyno, which has hours`,
    sees: (log) => said(log, /Timed out (compiling|running buildpack)|Build timed out/i),
  },
  {
    code: 'slug-too-large',
    message: 'the slug is larger than Heroku takes',
    remedy: '`heroku config:unset HALCYON_KEEP_DEPENDENCIES -a APP` where it is set, and list in .slugignore what does not run',
    sees: (log) => said(log, /Compiled slug size: \S+ is too large/),
  },
  {
    code: 'out-of-memory',
    message: 'the compiler was out of memory',
    remedy: `${PREBUILD} compiles on a larger dyno; there, --size performance-2xl is the largest`,
    sees: (log) =>
      said(log, /Error R1[45]|memory exhausted|out of memory|cannot allocate memory|heap exhausted|ExitFailure \(?-9\)?|: Killed$/i),
  },
  {
    code: 'disk-full',
    message: 'the disk was full',
    remedy: `${PREBUILD} begins with an empty cache; \`heroku builds:cache:purge -a APP\` empties the app's own`,
    sees: (log) => said(log, /No space left on device|Disk quota exceeded/i),
  },
  {
    code: 'constraints-missing',
    message:
      'the source has no cabal.config with the versions of its dependencies, so that each build looks for others, and finds nothing built',
    remedy:
      'commit the versions (`cabal freeze`; the build prints those that it took), then prebuild: `halcyon-kit prebuild APP --source DIR`',
    sees: (log) => said(log, /Using newest versions of all packages|Failed to determine constraints/),
  },
  {
    code: 'compiler-missing',
    message: 'there is no GHC for this stack, neither in the storage nor to be had by Halcyon: upstream knows older systems only',
    remedy:
      'use a fork that has one (`halcyonUrl` in the file) and `halcyon-kit prebuild APP --source DIR`, or put its archive in the bucket',
    sees: (log) =>
      said(log, /Unsupported (platform|GHC version)/) ??
      (log.buildpackOnly
        ? log.requests.filter(({ url, outcome }) => url.includes('/halcyon-ghc-') && /^404/.test(outcome)).map(shown)[0]
        : undefined),
  },
  {
    code: 'read-only-unbuilt',
    message: 'the app is read-only, and what it needs is not in the bucket: it may not archive it, so building here is of no use',
    remedy: 'prebuild an app in mode upload that uses the bucket, from the same source: `halcyon-kit prebuild OTHER-APP --source DIR`',
    sees: (log) => unbuilt(log, ({ configVars }) => configVars.HALCYON_NO_UPLOAD === '1'),
  },
  {
    code: 'public-unbuilt',
    message: 'the app has no bucket of its own, and the public packages lack what it needs',
    remedy: 'give it a mode with a bucket in the file, then `halcyon-kit up TEAM` and `halcyon-kit prebuild APP --source DIR`',
    sees: (log) => unbuilt(log, ({ storage }) => storage === 'public' || storage === 'none'),
  },
  {
    code: 'dependencies-missing',
    message: 'buildpack only: what the app needs is not prebuilt in the storage, so nothing was deployed that can run',
    remedy: `${PREBUILD} builds it first; \`heroku rollback -a APP\` brings the last slug back`,
    sees: (log) => said(log, ONLY),
  },
];

/** What is known to go wrong in a log of a build, or of `build` on a one-off dyno; the more specific first. Pure. */
export function causesInLog(log: BuildLog, { app = 'APP', team = 'TEAM' }: Whose = {}): LogCause[] {
  return RULES.flatMap(({ code, message, remedy, sees }) => {
    const line = sees(log);
    const filled = remedy.replaceAll(/(?<!-)\bAPP\b/g, app).replaceAll(/\bTEAM\b/g, team);
    return line === undefined ? [] : [{ code, message, remedy: filled, line }];
  });
}
