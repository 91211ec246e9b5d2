import { isAwsHost } from '../config/regions.js';
import type { Acl } from '../contract/index.js';
import { foreign } from '../io/redaction.js';
import { inBuildLog } from './build-log.js';
import type { HalcyonStore, Operation, Outcome } from './halcyon-requests.js';

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
type Verdict = Omit<Refusal, 'looksLike' | 'transient'> & Partial<Pick<Refusal, 'transient'>>;

/**
 * Why a request was refused, or undefined where it was not: a missing object is no refusal but a cache miss.
 * Sources: S3's error codes (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and access-denied texts
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html).
 */
export function classifyRefusal(outcome: Refused, context: RefusalContext): Refusal | undefined {
  const { status, failure, operation } = outcome;
  if (failure === undefined && (status === undefined || status < 300)) return undefined;
  if (status === 404 && outcome.error?.code !== 'NoSuchBucket') return undefined;
  const { kind, message, fix, transient = false } = failure === undefined ? refused(outcome, context) : unanswered(failure, context);
  return { kind, message, fix, transient, looksLike: inBuildLog(operation, status, context) };
}

function refused({ operation, status = 0, error = {}, clockAheadMs }: Refused, context: RefusalContext): Verdict {
  const { code = '', message = '' } = error;
  const { bucket, endpoint, region, keyId = 'the key' } = context;
  const team = context.team ?? 'TEAM';
  const said = `${status}${code === '' ? '' : ` ${code}`}${message === '' ? '' : `: ${foreign(message)}`}`;
  const throttled = {
    kind: 'throttled',
    message: `S3 asks to slow down: ${said}`,
    fix: 'wait a minute and try again',
    transient: true,
  } as const;
  switch (code) {
    case 'InvalidRequest':
    case 'InvalidArgument':
      if (/AWS4-HMAC-SHA256|Signature Version 4|sigv4/i.test(message)) {
        return {
          kind: 'sigv2-refused',
          message: `bucket ${bucket} takes Signature Version 4 only, and the request was signed with version ${context.signing}`,
          fix: `set "signing: { version: 4 }" in the file, then run halcyon-kit up ${team}, which installs the SigV4 buildpack`,
        };
      }
      break;
    case 'AccessControlListNotSupported':
      return {
        kind: 'acl-refused',
        message: `bucket ${bucket} does not allow ACLs, and uploads are sent with ${context.acl ?? 'one'}`,
        fix: `set "acl: bucket-owner-full-control" for the bucket in the file and run halcyon-kit up ${team}, or set the bucket's object ownership to BucketOwnerPreferred`,
      };
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'Redirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
    case 'InvalidRegionName':
      return elsewhere(error.region ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1], context);
    case 'InvalidAccessKeyId':
    case 'InvalidClientTokenId':
      return unknownKey(context);
    case 'SignatureDoesNotMatch':
      return {
        kind: 'secret-wrong',
        message: `the secret does not belong to key ${keyId}, or was altered on its way`,
        fix: `run halcyon-kit sync ${team}; if it stays, make a new key with halcyon-kit rotate ${team}`,
      };
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return {
        kind: 'clock-skew',
        message: `the clock that signed the request is off by ${span(clockAheadMs)}; S3 allows 15 minutes`,
        fix: 'set the clock of this machine right (NTP)',
      };
    case 'NoSuchBucket':
      return {
        kind: 'bucket-gone',
        message: `bucket ${bucket} does not exist at ${endpoint}`,
        fix: `run halcyon-kit up ${team} to make it, or correct its name in the file`,
      };
    case 'SlowDown':
    case 'Throttling':
    case 'RequestLimitExceeded':
      return throttled;
  }
  if (status >= 300 && status < 400) return elsewhere(error.region, context);
  if (code.startsWith('KMS.') || (status === 403 && /\bkms:/i.test(message))) {
    return {
      kind: 'kms-denies',
      message: `the bucket's KMS key refuses: ${said}`,
      fix: `let the key's policy give the account's IAM policies a say, check that it is enabled, and that "kmsKeyArn" in the file is that key; then run halcyon-kit up ${team}`,
    };
  }
  if (status === 403 && operation === 'upload' && /public/i.test(message) && /block|prevent/i.test(message)) {
    return {
      kind: 'acl-refused',
      message: `bucket ${bucket} blocks public ACLs, and uploads are sent with ${context.acl ?? 'one'}`,
      fix: `set "acl: bucket-owner-full-control" for the bucket in the file and run halcyon-kit up ${team}, or switch off BlockPublicAcls of bucket and account`,
    };
  }
  if (status === 403) return denied(operation, message, context);
  if (status === 429) return throttled;
  if (status >= 500)
    return { kind: 'server-error', message: `S3 has a failure of its own: ${said}`, fix: 'try again in a few minutes', transient: true };
  return {
    kind: 'refused',
    message: `${endpoint} refuses: ${said}`,
    fix: `compare the bucket with the file: region ${region}, signature version ${context.signing}`,
  };
}

function elsewhere(found: string | undefined, { bucket, endpoint, region, team = 'TEAM' }: RefusalContext): Verdict {
  const right = found !== undefined && found !== region;
  return {
    kind: 'wrong-endpoint',
    message: right ? `bucket ${bucket} is in ${found}, not in ${region}` : `bucket ${bucket} is not served by ${endpoint}`,
    fix: right
      ? `set "region: ${found}" for the bucket in the file${isAwsHost(endpoint) ? '' : ', check its "endpoint"'}, then run halcyon-kit sync ${team}`
      : `remove "endpoint" of the bucket in the file, so that the regional one of ${region} is used, then run halcyon-kit sync ${team}`,
  };
}

const span = (milliseconds: number | undefined): string => {
  if (milliseconds === undefined) return 'more than that';
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
};

/** S3 answers the same for a key that is unknown, inactive, or too new. */
function unknownKey({ keyId = 'the key', keyStatus, team = 'TEAM' }: RefusalContext): Verdict {
  switch (keyStatus) {
    case 'Active':
      return {
        kind: 'key-not-yet-known',
        message: `key ${keyId} is active in IAM, but S3 does not know it yet`,
        fix: 'wait some seconds: a new key takes a while to be known everywhere',
        transient: true,
      };
    case 'Inactive':
      return {
        kind: 'key-inactive',
        message: `key ${keyId} is inactive`,
        fix: `run halcyon-kit sync ${team} to give apps the current key; to bring this one back, halcyon-kit rotate ${team} --undo`,
      };
    default:
      return {
        kind: 'key-unknown',
        message: `AWS does not know key ${keyId}`,
        fix: `run halcyon-kit up ${team}, which makes a key and gives it to the apps`,
      };
  }
}

/** Which policy denies what, as far as S3's sentence tells. */
function denied(operation: Operation, message: string, { signing, team = 'TEAM' }: RefusalContext): Verdict {
  const action = /not authorized to perform: (\S+)/.exec(message)?.[1]?.replace(/[",]/g, '') ?? ACTIONS[operation];
  const source =
    /explicit deny in an? ([a-z -]+policy|[a-z -]+)/i.exec(message)?.[1] ?? /because no ([a-z -]+policy) allows/i.exec(message)?.[1];
  const explicit = /explicit deny/i.test(message);
  const why = source === undefined ? '' : explicit ? ` (an explicit deny in a ${source.trim()})` : ` (no ${source.trim()} allows it)`;
  const bucketPolicy = explicit && /resource-based|bucket/.test(source ?? '');
  return {
    kind: 'policy-denies',
    message: `policy denies ${action}${why}`,
    fix: bucketPolicy
      ? `look at the bucket policy${signing === 2 ? ', which may deny Signature Version 2' : ''}; halcyon-kit up ${team} puts back the one of the kit`
      : `run halcyon-kit up ${team}, which puts back the policies of the kit${operation === 'upload' ? '; an upload must also carry the ACL that the policy asks for' : ''}`,
  };
}

const ACTIONS: Record<Operation, string> = {
  download: 's3:GetObject',
  list: 's3:ListBucket',
  upload: 's3:PutObject',
  delete: 's3:DeleteObject',
};

const TLS = /^(CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO$|ca-bundle-unreadable$|HOSTNAME_MISMATCH$)/;

/** Why there was no answer at all. */
function unanswered({ code, message }: { code: string; message: string }, { endpoint, region }: RefusalContext): Verdict {
  if (TLS.test(code)) {
    return {
      kind: 'tls',
      message: `TLS to ${endpoint} fails: ${message} (${code})`,
      fix: 'let the endpoint present a certificate for its own name from a public authority; for an emulator or a proxy set AWS_CA_BUNDLE here, and CURL_CA_BUNDLE on the apps',
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_NONAME') {
    return {
      kind: 'wrong-endpoint',
      message: `there is no host ${endpoint}`,
      fix: `correct "endpoint" of the bucket in the file, or remove it to use the regional one of ${region}, then run halcyon-kit sync`,
    };
  }
  return {
    kind: 'endpoint-unreachable',
    message: `${endpoint} cannot be reached: ${message} (${code})`,
    fix: `check the network here, and "endpoint" of the bucket in the file`,
    transient: true,
  };
}
