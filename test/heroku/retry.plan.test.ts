import { describe, expect, test } from 'vitest';
import { judge, PATIENCE, type Outcome } from '../../lib/heroku/retry.plan.js';

const answer = (status: number, headers: Record<string, string> = {}): Outcome => ({ status, headers, text: '' });
const lost: Outcome = { lost: true, sent: true };
const unsent: Outcome = { lost: true, sent: false };

describe('judge', () => {
  test.each([200, 206, 304, 401, 404, 422])('%i is an answer', (status) => {
    expect(judge(answer(status), false, 1, 0, PATIENCE)).toEqual({ do: 'answer' });
  });

  test.each([
    ['a 5xx to a write', answer(503)],
    ['a lost answer to a write', lost],
  ])('%s is looked at', (_, outcome) => expect(judge(outcome, false, 1, 0, PATIENCE)).toEqual({ do: 'look' }));

  test('what never left is sent again, writes too', () => {
    expect(judge(unsent, false, 1, 0, PATIENCE, 0.5)).toEqual({ do: 'again', afterMs: 500 });
  });

  test('pauses double, up to the last attempt', () => {
    const pauses = [1, 2, 3, 4].map((n) => judge(answer(500), true, n, 0, PATIENCE, 0.5));
    expect(pauses).toEqual([500, 1000, 2000, 4000].map((afterMs) => ({ do: 'again', afterMs })));
    expect(judge(answer(500), true, 5, 0, PATIENCE)).toEqual({ do: 'give-up' });
  });

  test('429 follows Retry-After, for writes too, until patience ends', () => {
    const limited = answer(429, { 'retry-after': '7' });
    expect(judge(limited, false, 1, 0, PATIENCE)).toEqual({ do: 'again', afterMs: 7000 });
    expect(judge(limited, false, 1, 599_000, PATIENCE)).toEqual({ do: 'give-up' });
  });

  test('Retry-After may be a date', () => {
    const verdict = judge(answer(429, { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }), true, 1, 0, PATIENCE);
    expect(verdict).toMatchObject({ do: 'again' });
    expect((verdict as { afterMs: number }).afterMs).toBeGreaterThan(15_000);
  });

  test('a 503 that asks for a long wait is not waited for', () => {
    expect(judge(answer(503, { 'retry-after': '600' }), true, 1, 0, PATIENCE)).toEqual({ do: 'give-up' });
  });
});
