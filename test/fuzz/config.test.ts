import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../lib/config/index.js';
import { isKitError } from '../../lib/errors.js';
import { validFile } from '../config/arbitrary.js';
import { RUNS, sayHow, SEED } from './support/runs.js';

const EXAMPLES = readdirSync('examples')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join('examples', name), 'utf8'));

/** What makes of a good file a bad one: YAML's own signs, values of other kinds, names of another world, what a terminal must not see. */
const ODD = [
  ...[
    '*a',
    '&a ',
    '*a : &a ',
    '<<: *a\n',
    '? ',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '|\n',
    '>-\n',
    '"',
    "'",
    '#',
    '\t',
    '\n',
    '---\n',
    '...\n',
    '%YAML 9.9\n',
  ],
  ...[
    'null',
    '~',
    '1e400',
    '.nan',
    '-0',
    '0x1F',
    '012',
    'yes',
    '2026-11-22',
    '!!binary "AAAA"',
    '!!set { a }',
    '!<tag> x',
    '[]',
    '{}',
    '""',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'toString',
    'hasOwnProperty: 1\n',
    '\u001b[2J',
    '\u009b31m',
    '\u0000',
    '\ufeff',
    '\u202e',
    '\ud800',
    '🦫',
  ],
  ...['x'.repeat(3_000), 'a/'.repeat(200), '['.repeat(200), '{a: '.repeat(150), '  '.repeat(60)],
  ...['mode: upload', 'bucket: { shared: common }', 'teams:\n', 'buckets:\n', 'signing: { version: 2 }\n', 'region: eu-west-1'],
];

type Edit = { readonly at: number; readonly length: number; readonly put: string };
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.constant(0), fc.nat(8), fc.nat(200)),
  put: fc.oneof(fc.constant(''), fc.constantFrom(...ODD), fc.string({ maxLength: 6, unit: 'binary' })),
});
/** At the beginning of a word or anywhere: what is put where a value began is looked at as one. */
const mutated = (text: string, edits: readonly Edit[]): string =>
  edits.reduce((now, { at, length, put }) => {
    const near = Math.floor(at * now.length);
    const word = length % 2 === 0 ? near : Math.max(now.indexOf(' ', near) + 1, 0);
    return now.slice(0, word) + put + now.slice(word + length);
  }, text);

test('of a mutated file come a configuration or coded problems of bounded length', () => {
  sayHow('mutated files');
  const outcomes = { good: 0, bad: 0 };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.constantFrom(...EXAMPLES),
        validFile.map((file) => stringify(file)),
      ),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (file, edits) => {
        try {
          const config = parseConfig(mutated(file, edits));
          outcomes.good += 1;
          expect(config.teams.length + config.buckets.length).toBeGreaterThan(0);
        } catch (error) {
          if (!isKitError(error, 'config-invalid')) throw error;
          outcomes.bad += 1;
          expect(error.message.length).toBeLessThan(200 * 2_000);
          for (const problem of error.details?.problems as Array<{ line: number; column: number; message: string }>) {
            expect(problem.line).toBeGreaterThan(0);
            expect(problem.message.length).toBeLessThan(600);
          }
        }
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
  expect(Math.min(outcomes.good, outcomes.bad)).toBeGreaterThan(0);
}, 600_000);
