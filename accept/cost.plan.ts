import { HOURS_A_MONTH, PRICES } from '../lib/contract/prices.js';
import { KitError } from '../lib/errors.js';

/** What a run makes at most, and what that costs at most. Pure. */

export interface Expense {
  readonly what: string;
  readonly most: number;
  readonly usd: number;
}

/** Pause between two rounds of an app's requests under load: config vars, then a listing, a download and an upload. */
export const LOAD_PAUSE_MS = 2000;

const most = { stacks: 5, buckets: 7, users: 20, secrets: 18, apps: 7, smokeApps: 24 };

/** As if all of it were there all the time, an hour of taking it down included. */
export function expensesOf(minutes: number): Expense[] {
  const months = (minutes + 60) / 60 / HOURS_A_MONTH;
  const rounds = most.apps * ((minutes * 60_000) / LOAD_PAUSE_MS);
  return [
    { what: 'CloudFormation stacks', most: most.stacks, usd: 0 },
    { what: 'IAM users, with up to two keys each', most: most.users, usd: 0 },
    { what: 'S3 buckets, emptied in the end', most: most.buckets, usd: 0 },
    { what: 'S3 uploads and listings', most: rounds * 2 + 5000, usd: (rounds * 2 + 5000) * PRICES.s3Write },
    { what: 'S3 downloads', most: rounds + 5000, usd: (rounds + 5000) * PRICES.s3Read },
    {
      what: 'secrets, and 5000 calls for them',
      most: most.secrets,
      usd: most.secrets * PRICES.secretMonth * months + 5000 * PRICES.secretCall,
    },
    { what: 'Heroku apps, without dynos', most: most.apps, usd: 0 },
    { what: 'short-lived Heroku apps, a basic dyno each', most: most.smokeApps, usd: most.smokeApps * PRICES.dynoMonth.basic * months },
  ];
}

export const costOf = (expenses: readonly Expense[]): number => expenses.reduce((sum, { usd }) => sum + usd, 0);

/** @throws KitError `budget-invalid` | `budget-exceeded`. */
export function refuseOver(budget: string, cost: number): void {
  const limit = /^(\d+(?:\.\d+)?) ?usd$/i.exec(budget)?.[1];
  if (limit === undefined) throw new KitError('budget-invalid', `--budget takes an amount such as 1usd, got "${budget}"`);
  if (cost <= Number(limit)) return;
  throw new KitError('budget-exceeded', `the run may cost ${cost.toFixed(2)} USD, more than ${budget}; raise --budget, or lower --minutes`);
}

/** @throws KitError `minutes-invalid`. */
export function minutesOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 1440) return Number(text);
  throw new KitError('minutes-invalid', `--minutes takes a number from 1 to 1440, got "${text}"`);
}
