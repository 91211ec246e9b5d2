import type { ErrorCode } from '../error-codes.js';
import { isKitError, KitError } from '../errors.js';
import { foreign } from '../io/redaction.js';

/** The one place where errors of AWS are told apart: of its SDK, and of the way there. */

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Name of the service's error, or ''. */
export const errorName = (error: unknown): string => (error as SdkError).name ?? '';
export const httpStatus = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;
/** Region that S3 says the bucket is in. */
export const bucketRegion = (error: unknown): string | undefined => (error as SdkError).$response?.headers?.['x-amz-bucket-region'];

/** What may not be there, by the names that the services have for it. */
const MISSING = {
  bucket: ['NoSuchBucket'],
  'bucket tags': ['NoSuchTagSet'],
  'bucket policy': ['NoSuchBucketPolicy'],
  'bucket ownership': ['OwnershipControlsNotFoundError'],
  'bucket encryption': ['ServerSideEncryptionConfigurationNotFoundError'],
  'public access block': ['NoSuchPublicAccessBlockConfiguration'],
  object: ['NoSuchKey'],
  'user or key': ['NoSuchEntity', 'NoSuchEntityException'],
  secret: ['ResourceNotFoundException'],
} as const;
export type Missing = keyof typeof MISSING | 'stack';

/** Whether AWS says that there is no such thing. */
export function isMissing(error: unknown, what: Missing): boolean {
  const { name = '', message = '' } = error as SdkError;
  // CloudFormation has no name for it.
  if (what === 'stack') return name === 'ValidationError' && /does not exist/.test(message);
  // Secrets Manager has none for a secret that waits for its deletion.
  if (what === 'secret' && name === 'InvalidRequestException') return /(marked|scheduled) for deletion/.test(message);
  return (MISSING[what] as readonly string[]).includes(name);
}

const CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];
const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'];
const UNKNOWN_KEY = [
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
];
const DENIED = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'];
const LIMIT = ['LimitExceeded', 'LimitExceededException'];
const CLOCK = ['RequestTimeTooSkewed', 'SignatureExpired'];
const THROTTLED = ['Throttling', 'ThrottlingException', 'TooManyRequestsException', 'SlowDown', 'RequestLimitExceeded'];
const NETWORK = ['ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'TimeoutError'];
const TLS = /certificate|self.signed|CERT_|ERR_TLS|UNABLE_TO_(VERIFY|GET)/i;
/** Transient trouble after the SDK's own attempts: look again, and go on. */
const BUSY = [
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'InternalFailure',
  'InternalError',
  'InternalServiceError',
  'ServiceFailure',
  'TimeoutError',
];
const CUT = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'];
/** Someone else, or a lost answer of our own, was there before: what was planned no longer fits. */
const CHANGED = [
  'NoSuchEntity',
  'NoSuchEntityException',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceExistsException',
  'ConcurrentModification',
  'ConcurrentModificationException',
];

export const isDenied = (error: unknown): boolean => DENIED.includes(errorName(error));
export const isLimitExceeded = (error: unknown): boolean => LIMIT.includes(errorName(error));
/** The key is not known yet, or no longer, or its secret is another. */
export const isUnknownKey = (error: unknown): boolean => UNKNOWN_KEY.includes(errorName(error));
/** A conditional write found another state than it asked for. */
export const isPreconditionFailed = (error: unknown): boolean => errorName(error) === 'PreconditionFailed' || httpStatus(error) === 412;

/** An answer may have been lost: the request may or may not have been carried out. */
export function isAmbiguous(error: unknown): boolean {
  const { code = '', message = '' } = error as SdkError;
  return (
    CUT.includes(code) ||
    /socket hang up|network socket disconnected|aborted/i.test(message) ||
    BUSY.includes(errorName(error)) ||
    (httpStatus(error) ?? 0) >= 500
  );
}

/**
 * An error of the AWS SDK, as one sentence that says what to do.
 * @param doing - what was being attempted: `read secret halcyon/payments/upload`.
 */
export function awsError(error: unknown, doing: string): KitError {
  if (isKitError(error)) return error;
  const { name = '', code = '', message: said = String(error), cause } = error as SdkError;
  if (isKitError(cause)) return cause;
  const message = foreign(said);
  const is = (names: readonly string[]) => [name, code, cause === undefined ? '' : errorName(cause)].some((one) => names.includes(one));
  const make = (kitCode: ErrorCode, text: string) => new KitError(kitCode, text, { cause: error });
  const { profile } = error as { profile?: string };
  if (is(CREDENTIALS) && profile !== undefined)
    return make(
      'aws-credentials-missing',
      `cannot ${doing}: AWS profile ${profile} gives no credentials; "aws configure list-profiles" shows those there are, "aws sso login --profile ${profile}" signs in`,
    );
  if (is(CREDENTIALS) || /could not load credentials|no credentials have been configured|need to perform AWS calls/i.test(message)) {
    return make(
      'aws-credentials-missing',
      `cannot ${doing}: no usable AWS credentials; run "aws sso login" or "aws configure", set AWS_PROFILE, or pass --profile NAME`,
    );
  }
  if (is(EXPIRED)) return make('aws-credentials-expired', `cannot ${doing}: the AWS credentials have expired; sign in again`);
  if (is(UNKNOWN_KEY) || is(['AuthFailure']))
    return make(
      'aws-credentials-refused',
      `cannot ${doing}: AWS does not accept the credentials (${name}); check AWS_PROFILE and AWS_ACCESS_KEY_ID`,
    );
  if (is(CLOCK)) return make('clock-skew', `cannot ${doing}: this machine's clock differs from AWS's by too much; set it right`);
  if (is(DENIED)) return make('aws-denied', `not allowed to ${doing}: ${message}`);
  if (is(THROTTLED)) return make('aws-throttled', `cannot ${doing}: AWS asks to slow down; try again in a minute`);
  if (TLS.test(`${code} ${message}`))
    return make('aws-tls', `cannot ${doing}: TLS failed (${message}); behind a proxy or an emulator, set AWS_CA_BUNDLE`);
  if (is(NETWORK))
    return make(
      'aws-unreachable',
      `cannot ${doing}: AWS cannot be reached (${code || name}: ${message}); check the network, the region and AWS_ENDPOINT_URL`,
    );
  return make('aws-failed', `cannot ${doing}: ${name && name !== 'Error' ? `${name}: ` : ''}${message}`);
}

/** As {@link awsError}, with codes of their own for what is worth looking at again. */
export function failure(error: unknown, doing: string): KitError {
  const { name = '', code, message = '', cause } = error as SdkError;
  if (isKitError(error) || isKitError(cause)) return awsError(error, doing);
  if (isAmbiguous(error)) {
    const text = `cannot ${doing}: AWS did not answer (${name || code || 'no reason given'}); run again in a minute`;
    return new KitError('aws-unavailable', text, { cause: error });
  }
  if (CHANGED.includes(name))
    return new KitError('state-changed', `cannot ${doing}: ${name}: ${foreign(message)}; run again to look anew`, { cause: error });
  return awsError(error, doing);
}

/** Do `work`, and throw what goes wrong as {@link failure} says it. */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(error, doing);
  }
}
