import { InvalidArgumentError, Option } from 'commander';
import { CONCURRENCY } from '../cli/command.js';

/** Options that several commands have, by the same name and of the same meaning. */

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const upTo = (most: number) => (text: string) => {
  if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
  throw new InvalidArgumentError(`It takes a number from 1 to ${most}.`);
};

export const all = ['--all', 'every team of the file'] as const;
export const forget = ['--forget <app...>', 'apps that are out of reach for good: do not wait for what they may hold'] as const;
export const soak = ['--soak <duration>', 'how long an old key rests inactive before it is deleted', '24h'] as const;
export const several = () =>
  new Option('--concurrency <n>', 'how many teams, stacks or buckets are worked on side by side').default(CONCURRENCY).argParser(upTo(20));
export const detailed = () =>
  new Option('--detailed-exitcode', 'a dry run that ends with 0: nothing would change, 2: something would, 1: an error').implies({
    dryRun: true,
  });
