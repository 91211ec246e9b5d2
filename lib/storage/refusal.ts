import type { Acl } from '../contract/index.js';
import type { HalcyonStore, Outcome } from './halcyon-requests.js';

/** Why a storage request did not work. */
export type RefusalKind =
  | 'sigv2-refused'
  | 'acl-refused'
  | 'wrong-endpoint'
  | 'endpoint-unreachable'
  | 'tls'
  | 'key-unknown'
  | 'key-inactive'
  | 'key-not-yet-known'
  | 'secret-wrong'
  | 'policy-denies'
  | 'kms-denies'
  | 'bucket-gone'
  | 'clock-skew'
  | 'throttled'
  | 'server-error'
  | 'refused';

export interface Refusal {
  readonly kind: RefusalKind;
  /** What is wrong, lower case, without a full stop. */
  readonly message: string;
  /** What a Halcyon build log shows of it. */
  readonly looksLike: string;
  /** The command or setting that mends it. */
  readonly fix: string;
  /** Waiting may be all it takes. */
  readonly transient: boolean;
}

/** What is known of a request's sender, besides the answer. */
export interface RefusalContext extends Pick<HalcyonStore, 'bucket' | 'endpoint' | 'region' | 'signing'> {
  readonly acl?: Acl;
  readonly keyId?: string;
  /** What IAM says of the key: S3 answers the same for a key that is unknown, inactive, or too new. */
  readonly keyStatus?: 'Active' | 'Inactive' | 'absent';
  /** `halcyon-kit` commands are written for this team. */
  readonly team?: string;
}

/** What is needed to tell: an {@link Outcome}, or what a build log or dyno shows of one. */
export type Refused = Pick<Outcome, 'operation' | 'status' | 'error' | 'failure' | 'clockAheadMs'>;

/** A refusal before it is said how a build log shows it. */
export type Verdict = Omit<Refusal, 'looksLike' | 'transient'> & Partial<Pick<Refusal, 'transient'>>;
