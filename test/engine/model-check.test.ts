import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { play, Play, type Happening, type History, type Operation } from './support/history.js';
import type { ModelFile } from './support/model-file.js';

const happening = (what: fc.Arbitrary<Happening['what']>): fc.Arbitrary<Happening> =>
  fc.record({ at: fc.integer({ min: 1, max: 120 }), what, n: fc.nat({ max: 999 }) });
const any = fc.constantFrom<Happening['what']>(
  'crash',
  'lost-or-refused',
  'burst',
  'build',
  'dyno',
  'app-deleted',
  'release-fails',
  'rollback',
  'foreign-key',
  'second-operator',
  'sleep',
  'clock',
  'time',
  'renamed',
  'list-lag',
);
const plain = fc.constantFrom<Operation['intent']>(
  'ensure',
  'rotate',
  'rotate',
  'rotate-smoke-fails',
  'finish',
  'undo',
  'emergency',
  'down',
);
/** Any two files, and any number of them one after the other. */
const file: fc.Arbitrary<ModelFile> = fc.record({
  perApp: fc.boolean(),
  region: fc.constantFrom('eu-west-1', 'eu-west-1', 'eu-north-1'),
  name: fc.constantFrom(undefined, undefined, 'another-bucket'),
  prefix: fc.constantFrom(undefined, undefined, 'new', 'other/one'),
  acl: fc.constantFrom('bucket-owner-full-control', 'bucket-owner-full-control', 'private'),
  modes: fc.tuple(
    fc.constantFrom('upload', 'read-only', 'public', 'append'),
    ...(['upload', 'read-only', 'public'] as const).map((mode) => fc.constantFrom(mode, 'read-only', 'upload', 'append', undefined)),
  ),
});
const intents: fc.Arbitrary<Operation['intent']> = fc.oneof({ weight: 2, arbitrary: plain }, { weight: 1, arbitrary: file });
const history = (operation: fc.Arbitrary<Operation>): fc.Arbitrary<History> =>
  fc.record({
    first: file,
    keyDelay: fc.constantFrom(0, 1000, 4000, 10_000),
    releaseTime: fc.constantFrom(0, 0, 4000),
    soak: fc.constantFrom(0, 3_600_000),
    operations: fc
      .array(operation, { minLength: 1, maxLength: 4 })
      .map((rest): Operation[] => [{ intent: 'ensure', happenings: [] }, ...rest]),
  });
const operation = (what: fc.Arbitrary<Happening['what']>, max: number): fc.Arbitrary<Operation> =>
  fc.record({ intent: intents, happenings: fc.array(happening(what), { maxLength: max }) });

/** The same histories each time; HALCYON_MODEL_SEED=random, or a number, looks for others, HALCYON_MODEL_MORE=10 for more of them. */
const wanted = process.env.HALCYON_MODEL_SEED ?? '20261122';
const SEED = wanted === 'random' ? {} : { seed: Number(wanted) };
const MORE = Number(process.env.HALCYON_MODEL_MORE ?? 1);

/** Each generated history is played to its end, and then everything must be as promised. */
async function holds(arbitrary: fc.Arbitrary<History>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (generated) => {
      expect(await play(generated)).toEqual([]);
    }),
    { numRuns: Math.ceil(numRuns * MORE), ...SEED },
  );
}

describe('whatever happens, no build fails, nothing unknown goes, and running again comes to rest', () => {
  test(
    'crashes and lost answers: 3,000 histories',
    () => holds(history(operation(fc.constantFrom('crash', 'lost-or-refused', 'burst'), 3)), 3000),
    300_000 * Math.max(1, MORE),
  );
  test(
    'IAM’s lists behind: 1,000 histories',
    // Not after a `down`: a key that it deleted, and that lists still show, is given to apps again until they show that it is gone.
    () =>
      holds(
        history(
          operation(fc.constantFrom('list-lag', 'list-lag', 'crash', 'crash', 'lost-or-refused'), 6).filter(
            ({ intent }) => intent !== 'down',
          ),
        ),
        1000,
      ),
    300_000 * Math.max(1, MORE),
  );
  test(
    'builds and dynos at any time: 3,000 histories',
    () => holds(history(operation(fc.constantFrom('build', 'dyno', 'build', 'time', 'crash'), 6)), 3000),
    300_000 * Math.max(1, MORE),
  );
  test('people and everything else: 3,000 histories', () => holds(history(operation(any, 6)), 3000), 300_000 * Math.max(1, MORE));
  test(
    'from nothing at all: 1,500 histories',
    () => {
      const cold = history(operation(any, 4)).map((generated) => ({ ...generated, operations: generated.operations.slice(1) }));
      return holds(cold, 1500);
    },
    300_000 * Math.max(1, MORE),
  );
});

describe('every moment of a run', () => {
  const a: ModelFile = {
    perApp: false,
    region: 'eu-west-1',
    acl: 'bucket-owner-full-control',
    modes: ['upload', 'read-only', 'read-only', 'public'],
  };
  const base: History = { first: a, keyDelay: 4000, releaseTime: 0, soak: 0, operations: [] };
  const cases: Array<[Operation['intent'], Operation['intent'][]]> = [
    ['ensure', []],
    ['rotate', ['ensure']],
    ['undo', ['ensure', 'rotate-smoke-fails']],
    ['emergency', ['ensure']],
    [{ ...a, modes: ['read-only', 'read-only', 'read-only', 'public'] }, ['ensure']],
    [{ ...a, region: 'eu-north-1' }, ['ensure']],
    [a, ['ensure', { ...a, prefix: 'new' }]],
    ['down', ['ensure']],
  ];
  for (const what of ['crash', 'lost-or-refused'] as const) {
    test.each(cases)(`%s, then ${what} at each moment in turn`, async (intent, before) => {
      const start = before.map((earlier): Operation => ({ intent: earlier, happenings: [] }));
      const whole = new Play({ ...base, operations: start });
      whole.deploy();
      for (const earlier of start) await whole.operate(earlier);
      whole.longest = 0;
      await whole.operate({ intent, happenings: [] });
      const moments = whole.longest;
      expect(moments).toBeGreaterThan(10);
      for (let at = 1; at <= moments; at += 1) {
        const operations = [...start, { intent, happenings: [{ at, what, n: 0 }] }];
        expect({ at, wrong: await play({ ...base, operations }) }).toEqual({ at, wrong: [] });
      }
    });
  }
});
