import { pause } from './pause.js';

/**
 * Remaining requests below which we slow down to what Heroku refills: 75 a minute (its limit is 4,500 an hour an account). More than that, as it
 * may refill once a minute.
 */
const LOW = 100;
export const REFILL_MS = 60_000 / 75;

/** Keeps requests to a few at a time and under the account's rate limit, which all of an account's tools share. */
export class Gate {
  #inFlight = 0;
  readonly #waiting: Array<() => void> = [];
  #next = 0;
  /** As the last answer said. */
  remaining = Infinity;

  constructor(private readonly concurrency: number) {}

  /** @param signal - ends the wait. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#inFlight >= this.concurrency) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#inFlight += 1;
    try {
      signal?.throwIfAborted();
      for (let wait = this.#next - Date.now(); wait > 0; wait = this.#next - Date.now()) await pause(wait, signal);
      if (this.remaining < LOW) this.#next = Math.max(this.#next, Date.now()) + REFILL_MS;
      return await work();
    } finally {
      // The place goes to whoever waits longest; only an unclaimed one is given up.
      const go = this.#waiting.shift();
      if (go) go();
      else this.#inFlight -= 1;
    }
  }

  /** Note the RateLimit-Remaining of an answer. */
  note(remaining: number): void {
    if (Number.isFinite(remaining)) this.remaining = remaining;
  }

  /** Nothing leaves before `ms` have passed. */
  holdFor(ms: number): void {
    this.#next = Math.max(this.#next, Date.now() + ms);
  }
}
