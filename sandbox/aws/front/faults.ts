import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '../../../lib/errors.js';
import { errorAnswer, whole, type Answer } from './answer.js';
import type { Call } from './call.js';

/** Something that goes wrong on purpose, for the next `count` requests that match. */
export interface Fault {
  /**
   * - `status`: refused with `status`, nothing done. 503 is `SlowDown` from S3, `ServiceUnavailable` elsewhere; 429 and 400 are throttling.
   * - `reset-before`: connection reset, nothing done.
   * - `reset-after`: done, then connection reset.
   * - `lost`: done, then the connection closes without an answer, after `delayMs`.
   * - `slow`: done, and answered after `delayMs`.
   */
  readonly kind: 'status' | 'reset-before' | 'reset-after' | 'lost' | 'slow';
  /** Signing name, `s3`; default any. */
  readonly service?: string;
  /** `PutObject`; default any. */
  readonly operation?: string;
  /** Regular expression, searched for in the resource as the log writes it. */
  readonly resource?: string;
  /** Regular expression, searched for in the access key id. */
  readonly accessKeyId?: string;
  /** How many requests; default 1. */
  readonly count?: number;
  /** Matching requests to let pass first; default 0. */
  readonly skip?: number;
  /** Default 503. */
  readonly status?: number;
  /** Error code, where another than the usual is wanted. */
  readonly code?: string;
  /** Seconds, for a `Retry-After` header; default none. */
  readonly retryAfter?: number;
  readonly delayMs?: number;
}

const KINDS = ['status', 'reset-before', 'reset-after', 'lost', 'slow'];

interface Armed {
  readonly fault: Fault;
  left: number;
  skip: number;
}

export class Faults {
  #armed: Armed[] = [];

  /** @throws KitError `fault-invalid`. */
  add(fault: Fault): void {
    if (!KINDS.includes(fault.kind))
      throw new KitError('fault-invalid', `unknown kind of fault '${String(fault.kind)}': use one of ${KINDS.join(', ')}`);
    for (const pattern of [fault.resource, fault.accessKeyId]) if (pattern !== undefined) new RegExp(pattern);
    this.#armed.push({ fault, left: fault.count ?? 1, skip: fault.skip ?? 0 });
  }

  clear(): void {
    this.#armed = [];
  }

  /** What is still to come. */
  pending(): Fault[] {
    return this.#armed.map(({ fault, left, skip }) => ({ ...fault, count: left, skip }));
  }

  async around(call: Call, next: () => Promise<Answer>): Promise<Answer> {
    const fault = this.take(call);
    if (fault === undefined) return next();
    const reason = `fault:${fault.kind}`;
    const nothing: Answer = { status: 0, headers: [], body: Buffer.alloc(0), reason };
    if (fault.kind === 'status') {
      const answer = errorAnswer(call, statusError(call, fault));
      return { ...answer, reason };
    }
    if (fault.kind === 'reset-before') return { ...nothing, cut: 'reset' };
    // The effect is over when the whole answer is there.
    const answer = await whole(await next());
    if (fault.kind === 'slow') {
      await sleep(fault.delayMs ?? 1_000, undefined, { ref: false });
      return answer;
    }
    return fault.kind === 'lost' ? { ...nothing, cut: 'close', holdMs: fault.delayMs } : { ...nothing, cut: 'reset' };
  }

  private take(call: Call): Fault | undefined {
    for (const armed of this.#armed) {
      if (!matches(armed.fault, call)) continue;
      if (armed.skip > 0) {
        armed.skip--;
        continue;
      }
      armed.left--;
      if (armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed);
      return armed.fault;
    }
    return undefined;
  }
}

function matches(fault: Fault, call: Call): boolean {
  return (
    (fault.service === undefined || fault.service === call.service) &&
    (fault.operation === undefined || fault.operation === call.operation) &&
    (fault.resource === undefined || new RegExp(fault.resource).test(call.resource ?? '')) &&
    (fault.accessKeyId === undefined || new RegExp(fault.accessKeyId).test(call.signature.accessKeyId ?? ''))
  );
}

function statusError(call: Call, fault: Fault) {
  const status = fault.status ?? 503;
  const headers = fault.retryAfter === undefined ? undefined : { 'Retry-After': String(fault.retryAfter) };
  const [code, message] =
    call.service === 's3' && (status === 503 || status === 429)
      ? ['SlowDown', 'Please reduce your request rate.']
      : status === 429 || status === 400
        ? [call.service === 'secretsmanager' ? 'ThrottlingException' : 'Throttling', 'Rate exceeded']
        : status === 503
          ? ['ServiceUnavailable', 'Service is unable to handle request.']
          : [call.service === 's3' ? 'InternalError' : 'InternalFailure', 'We encountered an internal error. Please try again.'];
  return { status, code: fault.code ?? code, message, headers };
}
