import { CONFIG_VAR_NAMES, halcyonBucket, type AppStorage, type ConfigVarName } from '../contract/index.js';
import type { BuildLog } from './log.js';
import { proof } from './proofs.plan.js';
import type { Proof } from './report.js';

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
