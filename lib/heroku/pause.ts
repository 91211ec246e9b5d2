import { setTimeout as sleep } from 'node:timers/promises';

/** Wait `ms`; rejects with the signal's reason when it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    // Node wraps the reason.
    signal?.throwIfAborted();
    throw error;
  });
}

/** Read a build or release until it is no longer pending. @returns undefined where it still is after `withinMs`. */
export async function settled<T extends { status: string }>(
  read: () => Promise<T>,
  withinMs: number,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const deadline = Date.now() + withinMs;
  for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
    const now = await read();
    if (now.status !== 'pending') return now;
    if (Date.now() > deadline) return undefined;
    await pause(wait, signal);
  }
}
