import type { ErrorCode } from '../error-codes.js';
import { isKitError, KitError } from '../errors.js';

const CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError']);
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']);
const REFUSED_KEY = new Set([
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'AuthFailure',
  'InvalidSignatureException',
]);
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']);
const CLOCK = new Set(['RequestTimeTooSkewed', 'SignatureExpired']);
const THROTTLED = new Set(['Throttling', 'ThrottlingException', 'TooManyRequestsException', 'SlowDown', 'RequestLimitExceeded']);
const NETWORK = new Set(['ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'TimeoutError']);
const TLS = /certificate|self.signed|CERT_|ERR_TLS|UNABLE_TO_(VERIFY|GET)/i;

/**
 * An error of the AWS SDK or of the CDK toolkit, as one sentence that says what to do.
 * @param doing - what was being attempted: `read secret halcyon/payments/upload`.
 */
export function awsError(error: unknown, doing: string): KitError {
  if (isKitError(error)) return error;
  const {
    name = '',
    code = '',
    message = String(error),
    cause,
  } = error as { name?: string; code?: string; message?: string; cause?: unknown };
  const is = (names: Set<string>) => names.has(name) || names.has(code) || names.has((cause as { name?: string } | undefined)?.name ?? '');
  const make = (kitCode: ErrorCode, text: string) => new KitError(kitCode, text, { cause: error });
  if (is(CREDENTIALS) || /could not load credentials|no credentials have been configured|need to perform AWS calls/i.test(message)) {
    return make(
      'aws-credentials-missing',
      `cannot ${doing}: no usable AWS credentials; run "aws sso login" or "aws configure", set AWS_PROFILE, or pass --profile NAME`,
    );
  }
  if (is(EXPIRED)) return make('aws-credentials-expired', `cannot ${doing}: the AWS credentials have expired; sign in again`);
  if (is(REFUSED_KEY))
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
