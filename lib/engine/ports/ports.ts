import type { HeldConfigVars, KeyPair, PrincipalId, Reach } from '../../contract/index.js';
import type { AppReport, ConfigVarWrite } from '../../heroku/sync.js';
import { KitError } from '../../errors.js';
import type { Activity, Holder, KeyState, Making, PrincipalState } from '../model.js';

/**
 * The effects the engine needs, and no more; all else is pure. Implementations throw KitError, with a code in
 * {@link TRANSIENT} where looking again and going on is right.
 */
export interface Ports {
  readonly keys: KeysPort;
  /** Those of a region, which a principal of an earlier file may have its own in. Default: that of the team's bucket. */
  readonly secretsIn: (region?: string) => SecretsPort;
  readonly verifier: VerifierPort;
  readonly apps: AppsPort;
  /** Undefined where the team has no bucket, or its packages are left where they are. */
  readonly packages?: PackagesPort | undefined;
  /** Undefined where there is no bucket to hold it. */
  readonly holders?: HoldersPort;
  /** The lease of a team of that name, in a bucket: the team's own where `place` is undefined. Undefined where there is none to hold it. */
  lease(team: string, place: PrincipalState['reach']): Promise<ObjectStore | undefined>;
}

/** What ports are made with: comes right before every attempt of every effect, and stops it by throwing. */
export type Guard = () => Promise<void>;

/** Codes of errors after which a state is unknown or a service busy: observe, and plan again. */
export const TRANSIENT: readonly string[] = [
  'aws-unavailable',
  'aws-throttled',
  'aws-unreachable',
  'aws-ambiguous',
  'heroku-unavailable',
  'heroku-rate-limited',
  'heroku-ambiguous',
  'heroku-timeout',
  'release-pending',
  'release-not-found',
  'config-vars-not-taken',
  'state-changed',
];

export const isTransient = (error: unknown): boolean => error instanceof KitError && TRANSIENT.includes(error.code);

/** When and by which service a key was last used, as far as AWS tells. */
export type LastUse = Pick<KeyState, 'lastUsedAt' | 'lastUsedService'>;

/** IAM. Effects here and in Secrets Manager are attempted once: whoever wants them looks again, and asks again. */
export interface KeysPort {
  /**
   * Users under the names of a team, with their keys and tags.
   * @param options.only - the one of this name. Default: all.
   * @param options.uses - keys whose last use is known well enough: IAM is not asked for it.
   */
  users(
    teams: readonly string[],
    options?: { readonly only?: string; readonly uses?: ReadonlyMap<string, LastUse> },
  ): Promise<UserRecord[]>;
  /** Ids of a user's active keys, as IAM lists them now. */
  activeKeys(user: string): Promise<readonly string[]>;
  /** @throws KitError `aws-ambiguous`, or `state-changed` when it surely has two already. */
  createKey(user: string): Promise<KeyPair & { readonly createdAt: string }>;
  setStatus(user: string, keyId: string, status: 'Active' | 'Inactive'): Promise<void>;
  /** No error when it is gone already. */
  deleteKey(user: string, keyId: string): Promise<void>;
  tag(user: string, key: string, value: string): Promise<void>;
  untag(user: string, keys: readonly string[]): Promise<void>;
  /** A user without keys, and its inline policies. No error when it is gone already. */
  deleteUser(user: string): Promise<void>;
}

export interface UserRecord {
  readonly name: string;
  readonly path: string;
  readonly tags: Readonly<Record<string, string>>;
  /** AWS has quarantined it: none of its keys works. Absent, too, where its policies may not be read. */
  readonly quarantined?: true;
  /** Policies and groups of a user without keys, which IAM does not delete while it has them. */
  readonly attached?: readonly string[];
  readonly keys: ReadonlyArray<Pick<KeyState, 'id' | 'status' | 'createdAt' | 'lastUsedAt' | 'lastUsedService'>>;
}

/** Secrets Manager, by name. */
export interface SecretsPort {
  /** Undefined when there is no such secret. Values come for labelled versions and for those of `keyIds`. */
  read(name: string, keyIds: readonly string[]): Promise<SecretVersion[] | undefined>;
  /** Idempotent: the version's id follows from the key id. */
  putPending(name: string, key: KeyPair): Promise<void>;
  /** Move AWSCURRENT to the key's version; AWSPREVIOUS goes where it was. */
  promote(name: string, versionId: string, from: string | undefined): Promise<void>;
  dropPending(name: string, versionId: string): Promise<void>;
  /** At once, so that a secret of the same name can be made again. */
  delete(name: string): Promise<void>;
}

export interface SecretVersion {
  readonly versionId: string;
  readonly stages: readonly string[];
  readonly keyId: string;
  readonly secret?: string;
}

/** One round of requests as the key. */
export interface VerifierPort {
  /** Undefined when all is as the access says; else what is not yet, in words. @throws KitError `access-too-wide` when something is allowed that must not be. */
  check(id: PrincipalId, key: KeyPair): Promise<string | undefined>;
  /** That the bucket takes signature version 2 of a key that works. @throws KitError `sigv2-refused`, or a transient one. */
  checkVersion2?(key: KeyPair): Promise<void>;
}

/** Heroku. Apps are called by their names. */
export interface AppsPort {
  /** Heroku's id of an app; undefined where it was not asked. */
  id(app: string): string | undefined;
  /** Look these ids up together, for {@link find}: a list tells of a thousand. */
  list(ids: readonly string[]): Promise<void>;
  /** Its name now; from then on that name means the app of this id. @throws KitError `app-not-found` | `heroku-forbidden` | transient. */
  find(id: string): Promise<string>;
  /** Our config vars, raw. @throws KitError `app-not-found` | `heroku-forbidden` | transient. */
  vars(app: string): Promise<HeldConfigVars>;
  activity(app: string): Promise<Activity>;
  /** The apps that were made with what a stage of a pipeline has. */
  members(stage: string): Promise<string[]>;
  /** Of apps that were written, by the time from which on they had it (ISO 8601): those that were released again, or are gone. */
  releasedSince(written: ReadonlyMap<string, string>): Promise<string[]>;
  /** Each confirmed on its own release; failures are in the reports. */
  write(writes: readonly ConfigVarWrite[], signal?: AbortSignal): Promise<AppReport[]>;
}

/** What is written down of a user. The kit's own objects, in the bucket that the user may reach: the team's where that is not known. */
export interface HoldersPort {
  /** Undefined where the bucket is gone: then none is kept. */
  read(user: string, place: PrincipalState['reach']): Promise<HolderRecord | undefined>;
  /** @param gone - ids of those that exist no more. @throws KitError `state-changed` where another wrote meanwhile. */
  add(user: string, place: PrincipalState['reach'], holders: readonly Holder[], gone?: readonly string[]): Promise<void>;
  /** That a key is about to be made; undefined: the one that was is gone. @throws as `add`. */
  making(user: string, place: PrincipalState['reach'], making: Making | undefined): Promise<void>;
  /** No error when there is none. */
  remove(user: string, place: PrincipalState['reach']): Promise<void>;
}

export interface HolderRecord {
  /** Who was ever given a key. */
  readonly holders: readonly Holder[];
  readonly making?: Making;
}

/** One object in a bucket, written conditionally. */
export interface ObjectStore {
  /** Where it is, for people. */
  readonly place: string;
  /** @returns its etag, or undefined when there is one already. */
  create(body: string): Promise<string | undefined>;
  /** `ageMs`: since it was last written, by the store's own clock. */
  read(): Promise<{ readonly body: string; readonly etag: string; readonly ageMs: number } | undefined>;
  /** @returns the new etag, or undefined when it is no longer the one with `etag`. */
  replace(body: string, etag: string): Promise<string | undefined>;
  /** Nothing when it is no longer the one with `etag`. */
  remove(etag: string): Promise<void>;
}

/** What Halcyon keeps in S3. */
export interface PackagesPort {
  /** What one storage has and another lacks. */
  missing(from: Reach, to: Reach): Promise<Packages>;
  /** Copy that, server-side; what is there already is left as it is. `guard` comes before every object, and stops it by throwing. */
  copy(
    from: Reach,
    to: Reach,
    options: {
      readonly guard: () => Promise<void>;
      readonly onProgress?: (done: number, of: number) => void;
      readonly signal?: AbortSignal;
    },
  ): Promise<Packages>;
}

interface Packages {
  readonly objects: number;
  readonly bytes: number;
}
