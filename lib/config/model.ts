import type { Acl, Mode, PrincipalId } from '../contract/index.js';

/**
 * halcyon.yaml after parsing, normalising and checking: every default filled in, every name resolved.
 * The one input of the stacks and of every command; plain data, immutable, without secrets.
 */
export interface KitConfig {
  /** Absolute path of the file, or undefined when built from code. */
  readonly file?: string;
  /** Tells what this file makes from what others make in the same account. Default halcyon. */
  readonly deployment: string;
  /** Shared buckets that have a stack of their own, by name, in file order. */
  readonly buckets: readonly SharedBucket[];
  readonly teams: readonly Team[];
  readonly signing: Signing;
  readonly buildpack: BuildpackSettings;
  /** Default: nobody. */
  readonly notify?: readonly Notify[];
  /** Name of the managed policy that bounds the kit's users in every account; it is there already. Default: none. */
  readonly permissionsBoundary?: string;
  /** Another S3 than the regions' own; said by whoever runs the kit (AWS_ENDPOINT_URL), not by the file. */
  readonly s3Url?: string;
  /** Regions that serve the hosted buildpack already, by account, the newest first; seen in AWS, not said by the file. */
  readonly buildpackHomes?: Readonly<Record<string, readonly string[]>>;
}

/** Where runs are told of: a topic, or a webhook by its URL or the environment variable that holds it. */
export interface Notify {
  /** ARN of an SNS topic. */
  readonly sns?: string;
  readonly webhook?: string;
  /** Name of an environment variable. */
  readonly webhookFrom?: string;
  /** Default json. */
  readonly format?: 'json' | 'slack';
  /** Name of the environment variable that holds the secret which messages are signed with. */
  readonly secretFrom?: string;
}

export interface Signing {
  /** Signature version of Halcyon's requests: 4 through the SigV4 buildpack, 2 as upstream does. Default 4. */
  readonly version: 2 | 4;
  /** With version 4: URL of the SigV4 buildpack (git or .tgz), or `hosted`: served by a stack of the kit's. */
  readonly buildpack?: string;
  /** Region that serves a hosted buildpack. Default: the one that does already, else that of the account's first bucket in the file. */
  readonly region?: string;
  /** With version 2: the operator says that the buckets are known to accept it (`acknowledgeV2: true`). */
  readonly acknowledgeV2: boolean;
}

/** How apps get haskell-on-heroku itself. */
export interface BuildpackSettings {
  /** Add haskell-on-heroku to apps whose list lacks it. Default false: it is reported only. */
  readonly install: boolean;
  /** URL of haskell-on-heroku. Default https://github.com/mietek/haskell-on-heroku. */
  readonly url: string;
  /** `HALCYON_URL` / `BASHMENOT_URL` for forks; set on smoke apps and, with `install`, on apps. Default: unset. */
  readonly halcyonUrl?: string;
  readonly bashmenotUrl?: string;
}

/** A bucket that a stack of ours makes. */
export interface BucketSpec {
  /** Full bucket name, resolved. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly acl: Acl;
  /** Required with `public-read`. */
  readonly allowPublicRead: boolean;
  readonly versioning: boolean;
  /** SSE-KMS key: an ARN, or undefined for SSE-S3. */
  readonly kmsKeyArn?: string;
  readonly retention: Retention;
  readonly tags: Readonly<Record<string, string>>;
  /** `HALCYON_S3_ENDPOINT` where it is not the region's own: host or host:port, without scheme. */
  readonly endpoint?: string;
}

export interface Retention {
  /** Keep the bucket when its stack goes. Default true. */
  readonly retain: boolean;
  /** Days after which prebuilt archives expire; default: never. */
  readonly expireAfterDays?: number;
  /** Days for which noncurrent versions are kept, also once versioning is off again. Default 30. */
  readonly noncurrentDays: number;
}

export interface SharedBucket extends BucketSpec {
  /** Its name in the file, and in the stack's name. */
  readonly id: string;
}

/** Where a team's packages live. */
export type TeamBucket =
  | { readonly kind: 'own'; readonly spec: BucketSpec; readonly prefix?: string }
  | { readonly kind: 'shared'; readonly shared: string; readonly spec: BucketSpec; readonly prefix?: string }
  /** A bucket nobody here makes or changes; `spec` says what is known of it. */
  | { readonly kind: 'existing'; readonly spec: BucketSpec; readonly prefix?: string };

export interface Team {
  readonly name: string;
  /** Name that it had before: users under it are its own, on their way out. */
  readonly was?: string;
  /** That its users must be of, under whatever name: those of another are not its own. */
  readonly deployment?: string;
  /** Undefined only where every app is `public`. */
  readonly bucket?: TeamBucket;
  /** `tokenFrom`: the environment variable with the token of its apps' account. Default: HEROKU_API_KEY, or ~/.netrc. */
  readonly heroku: { readonly team?: string; readonly tokenFrom?: string };
  readonly credentials: 'per-mode' | 'per-app';
  readonly publicStorage: 'never' | 'fallback';
  /** Whether packages are copied along when the storage moves. Default follow. */
  readonly packages?: 'follow' | 'leave';
  readonly tags: Readonly<Record<string, string>>;
  readonly apps: readonly App[];
  /** Stages of Heroku pipelines, which hold keys as apps do: `pipeline:NAME:review`, `pipeline:NAME:test`. */
  readonly stages?: readonly App[];
  /** Its principals as AWS has them, where one is not of its first generation. Default: those that its apps need. */
  readonly principals?: readonly Principal[];
}

export interface App {
  readonly name: string;
  readonly mode: Mode;
  /** `false`: append-only. Only with `upload`. Default true. */
  readonly clean: boolean;
  readonly publicStorage: 'never' | 'fallback';
  /** First in a rotation. */
  readonly canary: boolean;
}

/** A principal and the apps that hold its key. */
export interface Principal extends PrincipalId {
  readonly apps: readonly string[];
}

/** One thing wrong with the file, in `details.problems` of a `config-invalid`. Lines and columns count from 1. */
export interface Problem {
  /** Dotted path: `teams.payments.apps.payments-api.mode`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, lower case. */
  readonly message: string;
  /** What would be right (`did you mean "read-only"?`). */
  readonly hint?: string;
}
