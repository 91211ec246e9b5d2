import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import type { Access } from '../contract/index.js';
import { keyPrefix } from '../contract/index.js';
import { halcyonRequest, type HalcyonRequest, type HalcyonStore, type Outcome } from '../storage/halcyon-requests.js';
import type { RefusalContext } from '../storage/refusals.js';
import type { ProbeFacts } from './model.js';

export interface ProbeOptions {
  readonly store: HalcyonStore;
  readonly access: Access;
  readonly context: RefusalContext;
  /** Also upload and delete an object; what the access denies is tried as well. */
  readonly write: boolean;
  readonly signal?: AbortSignal;
  /** Removes what a probe left, with the operator's own rights. */
  readonly operator: Aws;
}

/** Under a prefix of its own, where no build looks. */
const PROBE_PREFIX = 'halcyon-kit-doctor/';

/** The requests that Halcyon makes, as the key makes them. Without `write` nothing is changed. */
export async function probe(options: ProbeOptions): Promise<ProbeFacts> {
  const { store, access, context, write, signal } = options;
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const results: Array<ProbeFacts['results'][number]> = [];
  const send = async (request: HalcyonRequest, expected: 'allowed' | 'denied'): Promise<Outcome> => {
    const outcome = await halcyonRequest(store, request, { network: options.operator.network, signal });
    const { operation, status, error, failure, clockAheadMs } = outcome;
    results.push({ operation, status, error, failure, clockAheadMs, expected });
    return outcome;
  };
  // What is not there: a cache miss is the answer to hope for.
  const first = await send({ operation: 'download', key }, 'allowed');
  // Where nobody answers there is nothing more to learn.
  if (first.failure !== undefined) return { context, results };
  await send({ operation: 'list', prefix: 'linux-' }, 'allowed');
  if (!write) return { context, results };
  const body = Buffer.from(`halcyon-kit doctor ${key}\n`);
  try {
    await send({ operation: 'upload', key, body }, access === 'read-only' ? 'denied' : 'allowed');
    await send({ operation: 'delete', key }, access === 'upload' ? 'allowed' : 'denied');
  } finally {
    const at = (operation: string) => results.find((result) => result.operation === operation)?.status ?? 0;
    const mayRemain = at('upload') < 300 && at('upload') !== 0 && !(at('delete') >= 200 && at('delete') < 300);
    if (mayRemain) await remove(options.operator, store, key);
  }
  return { context, results };
}

async function remove(operator: Aws, store: HalcyonStore, key: string): Promise<void> {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  await (await operator.s3()).send(new DeleteObjectCommand({ Bucket: store.bucket, Key: `${keyPrefix(store.prefix)}${key}` }));
}
