import { isAwsHost } from '../config/regions.js';
import { inBuildLog } from './build-log.js';
import { denied, unknownKey } from './denied.js';
import type { Refusal, RefusalContext, Refused, Verdict } from './refusal.js';
import { unanswered } from './unanswered.js';
import { foreign } from '../io/redaction.js';

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
