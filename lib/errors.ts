import type { ErrorCode } from './error-codes.js';

/**
 * The one error the kit throws on purpose.
 *
 * `code` is one of error-codes.ts, for `--json` and tests. `message` is lower case, without a full
 * stop, names the wrong value and says what to do. Anything else that is thrown is a bug and shown with its stack.
 */
export class KitError extends Error {
  override readonly name = 'KitError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown; details?: Record<string, unknown> },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.details = options?.details;
  }
  /** Facts for `--json`, never a secret. */
  readonly details?: Record<string, unknown>;
}

/** For a `pMap` that goes on after errors: the first of them is thrown, once all have come to their end. */
export const throwFirst = (error: unknown): never => {
  throw error instanceof AggregateError ? error.errors[0] : error;
};

/** Whether `error` is a {@link KitError}, of one of `codes` where any are given. */
export function isKitError(error: unknown, ...codes: ErrorCode[]): error is KitError {
  return error instanceof KitError && (codes.length === 0 || codes.includes(error.code));
}
