import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { costOf as acceptCost, expensesOf } from '../accept/cost.plan.js';
import { HOURS_A_MONTH, PRICES } from '../lib/contract/prices.js';
import { costOf } from '../lib/prebuild/prebuild.plan.js';

/** docs/cost.md says what the kit reckons with. */
const page = readFileSync(new URL('../docs/cost.md', import.meta.url), 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| (.*?) +\| (.*?) +\|/gm)]
    .map(([, what = '', price = '']) => [what, price] as const)
    .filter(([what]) => /\w/.test(what)),
);
const usd = (amount: number): string => `$${amount.toFixed(2)}`;
const { s3Write, s3Read, s3Transfer, secretMonth, secretCall, dynoMonth } = PRICES;

test.each([
  [/^a secret/, `${usd(secretMonth)} a month`],
  [/^calls to Secrets/, `${usd(secretCall * 10_000)} per 10,000`],
  [/^S3 requests that upload/, `$${s3Write * 1000} per 1,000`],
  [/^S3 requests that download/, `$${s3Read * 10_000} per 10,000`],
  [/^from one region/, `${usd(s3Transfer)} a gigabyte`],
  [/^a web dyno/, `$${dynoMonth.basic} a month (basic)`],
  [/^a dyno of `prebuild`/, `$${dynoMonth['performance-l']} a month (performance-l, the default)`],
])('the price of %s', (what, price) => {
  expect([...rows].filter(([name]) => what.test(name)).map(([, is]) => is)).toEqual([price]);
});

test('the example adds up', () => {
  const gigabyteMonth = Number(/\$(0\.\d+) a gigabyte and month/.exec(page)?.[1]);
  const example = {
    secrets: 4 * secretMonth,
    storage: 40 * gigabyteMonth,
    requests: (1000 * 2 + 50 * 6) * s3Write + 1000 * 10 * s3Read,
    'smoke deploys': ((3 * 6 * 3) / 60) * (dynoMonth.basic / HOURS_A_MONTH),
    prebuild: dynoMonth['performance-l'] / HOURS_A_MONTH,
  };
  for (const [what, amount] of Object.entries(example))
    expect([...rows].find(([name]) => name.startsWith(`${what}:`))?.[1], what).toBe(usd(amount));
  expect(rows.get('in all')).toBe(usd(Object.values(example).reduce((sum, amount) => sum + amount)));
});

test('what the commands say beforehand is what it says', () => {
  expect(page).toContain(`${costOf('performance-l', 3_600_000)} an hour for performance-l`);
  expect(page).toContain(`\`accept\` with its 30 minutes costs at most ${usd(acceptCost(expensesOf(30)))}`);
});
