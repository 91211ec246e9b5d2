import type { WireAnswer } from './wire.js';

/** How an attempt ended: with an answer, or without one. */
export type Outcome = WireAnswer | { readonly lost: true; readonly sent: boolean; readonly cause?: unknown };

export interface Patience {
  /** Attempts of a request that fails on the other side. */
  readonly attempts: number;
  /** First pause, doubled at each attempt, with jitter; ms. */
  readonly baseMs: number;
  /** How long to wait for the rate limit in all, ms. */
  readonly rateLimitMs: number;
  /** One exchange, ms. */
  readonly timeoutMs: number;
  /** All attempts of a request, ms, while no connection ever stood: then the host may be wrong, or dead. Later each has as long for its connection as for its answer. */
  readonly reachMs: number;
}

export const PATIENCE: Patience = { attempts: 5, baseMs: 500, rateLimitMs: 600_000, timeoutMs: 35_000, reachMs: 10_000 };

export type Verdict =
  | { readonly do: 'answer' }
  | { readonly do: 'again'; readonly afterMs: number }
  /** The write may have taken effect: look before repeating. */
  | { readonly do: 'look' }
  | { readonly do: 'give-up' };

/**
 * What to do after an attempt. Pure but for `jitter` in [0, 1).
 * A 429 was not carried out, so any method may follow it. A 5xx or a lost answer may hide a write that was carried out: only what
 * is harmless to repeat is repeated.
 */
export function judge(
  outcome: Outcome,
  repeatable: boolean,
  attempt: number,
  waitedMs: number,
  patience: Patience,
  jitter: number = Math.random(),
): Verdict {
  const backoff = Math.min(patience.baseMs * 2 ** (attempt - 1), 30_000) * (0.75 + jitter / 2);
  if (!('lost' in outcome)) {
    if (outcome.status === 429) {
      const afterMs = Math.max(retryAfterMs(outcome) ?? backoff, 1);
      return waitedMs + afterMs > patience.rateLimitMs ? { do: 'give-up' } : { do: 'again', afterMs };
    }
    if (outcome.status < 500) return { do: 'answer' };
  }
  const reached = 'lost' in outcome ? outcome.sent : true;
  if (reached && !repeatable) return { do: 'look' };
  if (attempt >= patience.attempts) return { do: 'give-up' };
  const afterMs = ('lost' in outcome ? undefined : retryAfterMs(outcome)) ?? backoff;
  return afterMs > 60_000 ? { do: 'give-up' } : { do: 'again', afterMs };
}

/** Retry-After in ms: seconds or a date. */
function retryAfterMs(answer: WireAnswer): number | undefined {
  const value = answer.headers['retry-after'];
  if (value === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}
