import { CONFIG_VAR_NAMES, halcyonBucket, type AppStorage, type ConfigVarName } from '../contract/index.js';
import type { BuildLog } from './log.js';
import { proof, type Proof } from './report.js';

/** What must be seen of each config var of ours: this value, `null` for none, `true` for one that is not told. */
export type ExpectedConfigVars = Readonly<Record<ConfigVarName, string | true | null>>;

/**
 * What a build and a dyno must see, from what the mode means by the user guide. On purpose not from what the kit writes: a fault there
 * would be its own proof.
 */
export function expectedConfigVars(storage: AppStorage, keyId: string | undefined): ExpectedConfigVars {
  const { mode, bucket, prefix, endpoint, signingRegion, acl, clean, publicStorage } = storage;
  const uses = mode !== 'public';
  const uploads = mode === 'upload';
  const deletes = uploads && clean !== false;
  const publicToo = uploads && publicStorage === 'fallback';
  const off = (allowed: boolean) => (uses && !allowed ? '1' : null);
  return {
    HALCYON_AWS_ACCESS_KEY_ID: (uses && keyId) || null,
    HALCYON_AWS_SECRET_ACCESS_KEY: uses || null,
    HALCYON_S3_BUCKET: uses ? halcyonBucket(bucket ?? '', prefix) : null,
    HALCYON_S3_ENDPOINT: (uses && endpoint) || null,
    HALCYON_S3_REGION: (uses && signingRegion) || null,
    HALCYON_S3_ACL: (uses && acl) || null,
    HALCYON_NO_UPLOAD: off(uploads),
    HALCYON_NO_CLEAN_PRIVATE_STORAGE: off(deletes),
    HALCYON_NO_PUBLIC_STORAGE: off(publicToo),
  };
}

/** What a dyno says of all of them where each is as expected. */
export const AS_EXPECTED = 'as the mode asks';

/** @param seen - {@link AS_EXPECTED}, or the names of those that are not, never a value; undefined: there was nobody to say. */
export const configVarProof = (where: 'dyno' | 'build', seen: string | undefined): Proof =>
  seen === undefined
    ? proof(`${where} sees our config vars`, AS_EXPECTED, `not said: the ${where} ended before`)
    : proof(`${where} sees our config vars`, AS_EXPECTED, seen, 'config-vars');

/** Haskell on Heroku prints what a build sees, values whose names sound secret as `(secret)`; undefined where it was not reached. */
export function buildConfigVars({ configVars, storage }: BuildLog, expected: ExpectedConfigVars): string | undefined {
  if (storage === undefined) return undefined;
  const other = CONFIG_VAR_NAMES.flatMap((name) => {
    const [seen, wanted] = [configVars[name], expected[name]];
    if (wanted === null ? seen === undefined : seen === wanted || seen === '(secret)') return [];
    return `${name} ${seen === undefined ? 'unset' : wanted === null ? 'set' : 'other'}`;
  });
  return other.join(', ') || AS_EXPECTED;
}

/** What a build of the planted source proves in a mode with private storage. */
export function plantedProofs(log: BuildLog, expected: { storage: string; hash: string; archive: string; label: string }): Proof[] {
  const found = log.install;
  return [
    proof('build finds the storage', expected.storage, log.storage ?? 'nothing said of it'),
    proof('build computes the source hash foreseen', expected.hash.slice(0, 7), log.sourceHash ?? 'none', 'source'),
    proof('build takes the archive from the bucket', `${expected.archive} done`, found ? `${found.url} ${found.outcome}` : 'no download'),
    proof('app is deployed', expected.label, log.deployed ?? (log.buildpackOnly ? 'buildpack only' : 'no')),
  ];
}

/** What a build proves in mode `public`: that nothing private is found. */
export const publicProofs = (log: BuildLog): Proof[] => [
  proof('build finds no private storage', 'public', log.storage ?? 'nothing said of it'),
  proof('build makes no request to a private bucket', 'none', requestsOf(log, /^/)),
];

/** What a build proves where it may not write: Halcyon does not even try. */
export function unwrittenProofs(log: BuildLog, { mode, clean }: AppStorage): Proof[] {
  if (mode === 'read-only') return [proof('build writes nothing to the bucket', 'none', requestsOf(log, /^(Uploading|Deleting)$/))];
  return mode === 'upload' && clean === false ? [proof('build deletes nothing', 'none', requestsOf(log, /^Deleting$/))] : [];
}

function requestsOf({ requests }: BuildLog, actions: RegExp): string {
  const made = requests.filter(({ action, url }) => url.startsWith('s3://') && actions.test(action));
  return made.length === 0 ? 'none' : `${made.length}: ${made[0]?.url}`;
}
