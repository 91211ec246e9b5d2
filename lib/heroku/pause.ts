import { setTimeout as sleep } from 'node:timers/promises';

/** Wait `ms`; rejects with the signal's reason when it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    // Node wraps the reason.
    signal?.throwIfAborted();
    throw error;
  });
}
