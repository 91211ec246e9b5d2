import type { Acl, Mode } from './modes.js';
import { halcyonBucket } from './names.js';
import type { KeyPair } from './secret.js';

/** Every config var the kit owns, with what it says, and what Halcyon does by itself where it is unset. The kit reads, writes and unsets these and no others. */
export const CONFIG_VARS = {
  HALCYON_AWS_ACCESS_KEY_ID: { says: 'access key id that may use the private bucket', unset: 'no private bucket is used' },
  HALCYON_AWS_SECRET_ACCESS_KEY: { says: 'its secret access key', unset: 'no private bucket is used' },
  HALCYON_S3_BUCKET: { says: 'private bucket, as name or name/prefix', unset: 'no private bucket is used' },
  HALCYON_S3_ENDPOINT: { says: 'S3 host (and port) without scheme', unset: 's3.amazonaws.com' },
  HALCYON_S3_REGION: {
    says: 'region to sign for; read by the SigV4 buildpack only',
    unset: 'the SigV4 buildpack goes by the name of the endpoint',
  },
  HALCYON_S3_ACL: { says: 'canned ACL of every upload', unset: 'private' },
  HALCYON_NO_UPLOAD: { says: '1: never upload', unset: 'what is built is archived' },
  HALCYON_NO_CLEAN_PRIVATE_STORAGE: { says: '1: never delete from the private bucket', unset: 'what is replaced is deleted' },
  HALCYON_NO_PUBLIC_STORAGE: { says: '1: never fall back to the public bucket', unset: 'public packages are used as well' },
} as const;
export type ConfigVarName = keyof typeof CONFIG_VARS;
export const CONFIG_VAR_NAMES = Object.keys(CONFIG_VARS) as ConfigVarName[];

/** The two that change at a rotation. The second is never anywhere but in Secrets Manager and on Heroku; elsewhere its fingerprint stands for it. */
export const KEY_CONFIG_VARS: readonly ConfigVarName[] = ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY'];

/** What an app should have: a value, or `null` for unset. Every name of ours is present. */
export type DesiredConfigVars = Readonly<Record<ConfigVarName, string | null>>;

/** What an app has of ours; what is not set is left out. */
export type HeldConfigVars = Readonly<Partial<Record<ConfigVarName, string>>>;

/** Ours of all the config vars of an app. */
export const oursOf = (all: Readonly<Record<string, string>>): HeldConfigVars =>
  Object.fromEntries(CONFIG_VAR_NAMES.flatMap((name) => (Object.hasOwn(all, name) ? [[name, all[name]]] : [])));

/** What the values are made from. */
export interface AppStorage {
  readonly mode: Mode;
  /** Bucket name; not read in mode `public`, like all that follow. */
  readonly bucket?: string;
  /** Without slashes at its ends. */
  readonly prefix?: string;
  /** Host, or host:port, without scheme. */
  readonly endpoint?: string;
  /** Set where signing is version 4. */
  readonly signingRegion?: string;
  readonly acl?: Acl;
  /** `false`: the key may not delete, so upstream must not try. */
  readonly clean?: boolean;
  readonly publicStorage?: 'never' | 'fallback';
}

/**
 * The config vars of an app (the table "The three modes of the guide" of the Halcyon sources, 2019).
 * @param key - without one, its two are unset. Its secret, or the fingerprint where only that may be seen.
 */
export function desiredConfigVars(storage: AppStorage, key?: KeyPair): DesiredConfigVars {
  if (storage.mode === 'public') {
    return Object.fromEntries(CONFIG_VAR_NAMES.map((name) => [name, null])) as Record<ConfigVarName, null>;
  }
  const readOnly = storage.mode === 'read-only';
  return {
    HALCYON_AWS_ACCESS_KEY_ID: key?.accessKeyId ?? null,
    HALCYON_AWS_SECRET_ACCESS_KEY: key?.secretAccessKey ?? null,
    HALCYON_S3_BUCKET: halcyonBucket(storage.bucket ?? '', storage.prefix),
    HALCYON_S3_ENDPOINT: storage.endpoint ?? null,
    HALCYON_S3_REGION: storage.signingRegion ?? null,
    HALCYON_S3_ACL: storage.acl ?? null,
    HALCYON_NO_UPLOAD: readOnly ? '1' : null,
    HALCYON_NO_CLEAN_PRIVATE_STORAGE: readOnly || storage.clean === false ? '1' : null,
    HALCYON_NO_PUBLIC_STORAGE: readOnly || storage.publicStorage !== 'fallback' ? '1' : null,
  };
}

/** The same with `key`. */
export const withKeyVars = (wanted: DesiredConfigVars, key: KeyPair): DesiredConfigVars => ({
  ...wanted,
  HALCYON_AWS_ACCESS_KEY_ID: key.accessKeyId,
  HALCYON_AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
});

/** What an app holds that has what it should. */
export const heldOf = (desired: DesiredConfigVars): HeldConfigVars =>
  Object.fromEntries(Object.entries(desired).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

/** Our names whose value in `current` is not the desired one. Both hold the secret, or both its fingerprint. */
export const differing = (current: Readonly<Record<string, string | undefined>>, desired: DesiredConfigVars): ConfigVarName[] =>
  CONFIG_VAR_NAMES.filter((name) => ((Object.hasOwn(current, name) ? current[name] : undefined) ?? null) !== desired[name]);
