import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerTime } from '../network/server-time.js';

/** Time, and all waiting, of the engine; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch, by the services' clocks: those by which all that is compared with it is dated. */
  now(): number;
  /** @returns what tells how many milliseconds have passed since, a suspension of the process or of the machine included. */
  stopwatch(): () => number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Call `work` every `ms` until the returned function is called. Errors are the work's own to handle. */
  every(ms: number, work: () => void): () => void;
}

export const clockOf = (time: ServerTime): Clock => ({
  now: () => time.now(),
  stopwatch() {
    // The one may stand still while the machine sleeps, the other may be set back.
    const [steady, wall] = [performance.now(), Date.now()];
    return () => Math.max(performance.now() - steady, Date.now() - wall);
  },
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  every(ms, work) {
    const timer = setInterval(work, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
});

/** `90d`, `36h`, `15m`, `0s` in words, largest unit only: for reasons and waits. */
export function inWords(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const) {
    if (ms >= 2 * size || (ms >= size && ms % size === 0)) return `${Math.floor(ms / size)} ${unit}`;
  }
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
