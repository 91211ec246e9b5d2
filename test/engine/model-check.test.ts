import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { play, Play, type Happening, type History, type Operation } from './support/history.js';
import type { ModelFile } from './support/model-file.js';
import type { Phase } from './support/world/process.js';
import { EVERY } from '../support/every.js';

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

/**
 * The same histories each time, HALCYON_MODEL_HISTORIES of each kind: some in `npm test`, thousands by `npm run test:model`.
 * HALCYON_MODEL_SEED=random, or a number, looks for others.
 */
const wanted = process.env.HALCYON_MODEL_SEED ?? '20261122';
const SEED = wanted === 'random' ? {} : { seed: Number(wanted) };
const HISTORIES = Number(process.env.HALCYON_MODEL_HISTORIES ?? 60);

/** Each generated history is played to its end, and then everything must be as promised. */
async function holds(arbitrary: fc.Arbitrary<History>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (generated) => {
      expect(await play(generated)).toEqual([]);
    }),
    { numRuns, ...SEED },
  );
}

describe(`whatever happens, no build fails, nothing unknown goes, and running again comes to rest: ${HISTORIES} histories`, () => {
  const timeout = 60_000 + HISTORIES * 500;
  test('with crashes and lost answers', { timeout }, () =>
    holds(history(operation(fc.constantFrom('crash', 'lost-or-refused', 'burst'), 3)), HISTORIES),
  );
  test('with builds and dynos at any time', { timeout }, () =>
    holds(history(operation(fc.constantFrom('build', 'dyno', 'build', 'time', 'crash'), 6)), HISTORIES),
  );
  test('with IAM’s lists behind', { timeout }, () =>
    holds(history(operation(fc.constantFrom('list-lag', 'list-lag', 'crash', 'crash', 'lost-or-refused'), 6)), Math.ceil(HISTORIES / 3)),
  );
  test('with people and everything else', { timeout }, () => holds(history(operation(any, 6)), HISTORIES));
  test('with a stage of a pipeline, which tells no release', { timeout }, () => {
    const what = fc.constantFrom<Happening['what']>('build', 'build', 'app-deleted', 'crash', 'lost-or-refused', 'time', 'second-operator');
    const staged = fc.tuple(
      history(operation(what, 6)),
      fc.array(fc.constantFrom('read-only', 'upload', 'public', undefined), { minLength: 5 }),
    );
    const all = staged.map(([generated, [first = 'read-only', ...stages]]): History => ({
      ...generated,
      first: { ...generated.first, stage: first },
      operations: generated.operations.map((one, n) =>
        typeof one.intent === 'object' ? { ...one, intent: { ...one.intent, stage: stages[n] } } : one,
      ),
    }));
    return holds(all, Math.ceil(HISTORIES / 2));
  });
  test('from nothing at all', { timeout }, () => {
    const cold = history(operation(any, 4)).map((generated) => ({ ...generated, operations: generated.operations.slice(1) }));
    return holds(cold, Math.ceil(HISTORIES / 2));
  });
});

/** What a killed process leaves is the same from one effect to the next. With HALCYON_EVERY=1 every single moment is tried. */
const worthTrying = (phases: readonly Phase[], what: 'crash' | 'lost-or-refused'): number[] =>
  phases
    .map((phase, index) => ({ phase, at: index + 1 }))
    .filter(({ phase, at }) => EVERY || phase === 'after' || (what === 'lost-or-refused' && at % 3 === 0))
    .map(({ at }) => at);

describe('moments of a run', () => {
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
  test('a down that is killed, and an ensure while IAM still lists the keys it deleted', async () => {
    for (let at = 40; at <= 60; at += 2) {
      const killed: Operation = {
        intent: 'down',
        happenings: [
          { at: 1, what: 'list-lag', n: 900 },
          { at, what: 'crash', n: 0 },
        ],
      };
      const ensure: Operation = { intent: 'ensure', happenings: [] };
      expect(await play({ ...base, keyDelay: 0, operations: [ensure, killed, ensure] })).toEqual([]);
    }
  });

  test('a stage that left the file with a key that leaked does not hold up the emergency', async () => {
    const operations = (['ensure', a, 'emergency'] as const).map((intent): Operation => ({ intent, happenings: [] }));
    expect(await play({ ...base, first: { ...a, stage: 'read-only' }, keyDelay: 0, operations })).toEqual([]);
  });

  test('users that IAM does not list yet are given one key, also by the next process', async () => {
    const killed: Operation = { intent: 'emergency', happenings: [{ at: 33, what: 'crash', n: 0 }] };
    const operations: Operation[] = [
      { intent: 'ensure', happenings: [] },
      { intent: 'ensure', happenings: [{ at: 1, what: 'list-lag', n: 153 }] },
      { intent: { ...a, name: 'another-bucket' }, happenings: [] },
      killed,
    ];
    expect(await play({ ...base, keyDelay: 0, operations })).toEqual([]);
  });

  for (const what of ['crash', 'lost-or-refused'] as const) {
    test.each(cases)(`%s, then ${what} at one moment after the other`, async (intent, before) => {
      const start = before.map((earlier): Operation => ({ intent: earlier, happenings: [] }));
      const whole = new Play({ ...base, operations: start });
      whole.deploy();
      for (const earlier of start) await whole.operate(earlier);
      whole.longest = [];
      await whole.operate({ intent, happenings: [] });
      expect(whole.longest.length).toBeGreaterThan(10);
      for (const at of worthTrying(whole.longest, what)) {
        const operations = [...start, { intent, happenings: [{ at, what, n: 0 }] }];
        expect({ at, wrong: await play({ ...base, operations }) }).toEqual({ at, wrong: [] });
      }
    });
  }
});
