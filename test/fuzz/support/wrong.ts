import fc from 'fast-check';
import { expect } from 'vitest';
import { isKitError } from '../../../lib/errors.js';
import { printable } from '../../../lib/io/printable.js';

export type Json = null | boolean | number | string | undefined | Json[] | { [field: string]: Json };
export type Path = ReadonlyArray<string | number>;

/** What may stand where something else is documented. */
const WRONG: Readonly<Record<string, Json>> = {
  null: null,
  missing: undefined,
  true: true,
  number: 42,
  'number out of range': -1.5e300,
  string: 'odd',
  'empty string': '',
  array: [],
  'array of one': [{}],
  object: {},
  'object of objects': { odd: { odd: {} } },
  huge: 'x'.repeat(300_000),
  'control characters': '\u001b[2J\u0000\u009b31m\ud800\u202e\r\n',
};

/** Every place of `value`, itself included. */
export const places = (value: Json, at: Path = []): Path[] => [
  at,
  ...(value === null || typeof value !== 'object' ? [] : Object.entries(value)).flatMap(([field, inner]) =>
    places(inner, [...at, Array.isArray(value) ? Number(field) : field]),
  ),
];

/** `value` with something else in one place. */
function replaced(value: Json, [field, ...rest]: Path, by: Json): Json {
  if (field === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, Json>;
  copy[field] = replaced(copy[field] as Json, rest, by);
  return copy as Json;
}

export interface Change {
  readonly answer: string;
  readonly at: Path;
  readonly wrong: string;
}

/** Something wrong in one place of one of `answers`. */
export const change = (answers: Readonly<Record<string, Json>>): fc.Arbitrary<Change> =>
  fc
    .record({
      ...{ answer: fc.constantFrom(...Object.keys(answers)), wrong: fc.constantFrom(...Object.keys(WRONG)), place: fc.nat() },
    })
    .map(({ answer, wrong, place }) => {
      const all = places(answers[answer] as Json);
      return { answer, wrong, at: all[place % all.length] as Path };
    });

export const changed = (value: Json, { at, wrong }: Change): Json => replaced(value, at, WRONG[wrong] as Json);

/** Ends as it should, or in a coded error of bounded length that says nothing of how the kit is made. */
export async function endsWell(work: () => Promise<unknown>): Promise<'well' | 'refused'> {
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) {
    expect(JSON.stringify(outcome.value) ?? '').not.toMatch(/TypeError|RangeError|SyntaxError|Cannot read prop|"unexpected"/);
    return 'well';
  }
  const { error } = outcome;
  if (!isKitError(error)) throw error;
  expect(error.code).not.toBe('unexpected');
  expect(error.message).not.toMatch(/TypeError|RangeError|SyntaxError|Cannot read prop|Deserialization/);
  expect(printable(error.message)).toBe(error.message);
  expect(error.message.length).toBeLessThan(2_000);
  return 'refused';
}
