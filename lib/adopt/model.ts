import type { HeldConfigVars } from '../contract/index.js';

/** What there is before there is a file: plain data, without secrets. */
export interface Seen {
  /** Of the AWS credentials; undefined: there are none. */
  readonly account?: string;
  readonly apps: readonly SeenApp[];
  /** IAM users by the keys that apps hold, as far as the account shows them. */
  readonly users: ReadonlyMap<string, string>;
  readonly buckets: ReadonlyMap<string, SeenBucket>;
  /** Config vars of ours that Terraform sets, by app. */
  readonly terraform: ReadonlyMap<string, readonly string[]>;
  readonly unread: readonly LeftOut[];
  /** S3 of this run, where it is not the regions' own. */
  readonly s3Url?: string;
}

/** An app that the file does not have, and why. */
export interface LeftOut {
  readonly app: string;
  readonly why: string;
}

export interface SeenApp {
  readonly name: string;
  readonly team?: string;
  readonly generation: string;
  readonly stack: string;
  /** Less the secret. */
  readonly vars: HeldConfigVars;
  readonly hasSecret: boolean;
  /** Halcyon's, which are not the kit's: forks, and private storage turned off. */
  readonly others: Readonly<Partial<Record<(typeof OTHERS)[number], string>>>;
  /** Undefined where it takes none. */
  readonly buildpacks?: readonly string[];
  readonly contested: readonly Contested[];
}

export const OTHERS = ['HALCYON_URL', 'BASHMENOT_URL', 'HALCYON_NO_PRIVATE_STORAGE'] as const;

export interface SeenBucket {
  /** `present`: in the account of the credentials, where it may be used. */
  readonly state: 'present' | 'gone' | 'not-shown';
  readonly region?: string;
  readonly ownership?: string;
  readonly kmsKeyArn?: string;
}

/** A config var that came back to a value that it had before: by its releases, the oldest first. */
export interface Contested {
  readonly name: string;
  readonly releases: readonly number[];
}
