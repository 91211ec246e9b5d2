import { awsError } from './errors.js';
import { KitError } from '../errors.js';

/** Transient AWS trouble after the SDK's own attempts: look again, and go on. */
const BUSY = new Set([
  'ServiceUnavailable',
  'InternalFailure',
  'InternalError',
  'ServiceFailure',
  'InternalServiceError',
  'ServiceUnavailableException',
  'TimeoutError',
]);
const CUT = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE']);

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Name of the service's error, or ''. */
export const errorName = (error: unknown): string => (error as SdkError).name ?? '';
export const httpStatus = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;

/** An answer may have been lost: the request may or may not have been carried out. */
export function isAmbiguous(error: unknown): boolean {
  const { code = '', message = '' } = error as SdkError;
  const status = httpStatus(error);
  return (
    CUT.has(code) ||
    /socket hang up|network socket disconnected|aborted/i.test(message) ||
    BUSY.has(errorName(error)) ||
    (status ?? 0) >= 500
  );
}

/** Someone else, or a lost answer of our own, was there before: what was planned no longer fits. */
const CHANGED = new Set([
  'NoSuchEntity',
  'NoSuchEntityException',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceExistsException',
  'ConcurrentModification',
  'ConcurrentModificationException',
]);

/** As `awsError`, with a code of its own for what is worth looking at again. */
export function failure(error: unknown, doing: string): KitError {
  if (error instanceof KitError) return error;
  if (isAmbiguous(error)) {
    const text = `cannot ${doing}: AWS did not answer (${errorName(error) || (error as SdkError).code || 'no reason given'}); run again in a minute`;
    return new KitError('aws-unavailable', text, { cause: error });
  }
  if (CHANGED.has(errorName(error))) {
    const text = `cannot ${doing}: ${errorName(error)}: ${(error as SdkError).message ?? ''}; run again to look anew`;
    return new KitError('state-changed', text, { cause: error });
  }
  return awsError(error, doing);
}
