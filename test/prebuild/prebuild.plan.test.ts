import { describe, expect, test } from 'vitest';
import type { App } from '../../lib/config/model.js';
import { constraintsOf, COPIED, costOf, inWaves, refusalOf, type Job } from '../../lib/prebuild/prebuild.plan.js';

describe('constraints', () => {
  test('of a cabal.config, in either way of writing', () => {
    const text = 'constraints: base ==4.7.0.2,\n             text == 1.1.0.0, QuickCheck ==2.7\n';
    expect([...constraintsOf(text)!]).toEqual([
      ['base', '4.7.0.2'],
      ['text', '1.1.0.0'],
      ['QuickCheck', '2.7'],
    ]);
  });
  test.each([undefined, '', 'jobs: 2\n'])('none is not an empty list: %j', (text) => expect(constraintsOf(text)).toBeUndefined());
});

describe('waves', () => {
  const job = (app: string, constraints: Record<string, string> | undefined, more: Partial<Job> = {}): Job => ({
    ...{ app, place: 'b/linux/', compiler: true, constraints: constraints && new Map(Object.entries(constraints)) },
    ...more,
  });
  const names = (jobs: Job[]) => inWaves(jobs).map((wave) => wave.map(({ app }) => app));
  const [base, text, other] = [{ base: '4' }, { base: '4', text: '1' }, { base: '4', text: '2' }];

  test('who needs less goes before who can use it, whatever the order given', () => {
    expect(names([job('web', text), job('tool', base), job('odd', other)])).toEqual([['tool'], ['web', 'odd']]);
  });
  test('of several that need the same, one builds for all', () => {
    expect(names([job('a', text), job('b', text), job('c', text)])).toEqual([['a'], ['b', 'c']]);
  });
  test('another version is another package', () => expect(names([job('a', text), job('b', other)])).toEqual([['a', 'b']]));
  test('another place has nothing to give', () =>
    expect(names([job('a', text), job('b', text, { place: 'c/linux/' })])).toEqual([['a', 'b']]));
  test('without a compiler, one builds it first', () =>
    expect(names([job('a', text, { compiler: false }), job('b', other, { compiler: false })])).toEqual([['a'], ['b']]));
  test('who pins nothing comes last', () => expect(names([job('a', undefined), job('b', text)])).toEqual([['b'], ['a']]));
});

describe('refusals', () => {
  const app = (mode: App['mode'], clean = true): App => ({ name: 'shop', mode, clean, publicStorage: 'never', canary: false });
  test.each([
    ['public', true, /mode public: .* nowhere to keep/],
    ['read-only', true, /mode read-only: .* nothing of it would be kept/],
  ] as const)('%s', (mode, clean, why) => expect(refusalOf(app(mode, clean))).toMatch(why));
  test.each([true, false])('upload, clean: %s, is none', (clean) => expect(refusalOf(app('upload', clean))).toBeUndefined());
});

test.each([
  ['HALCYON_GHC_VERSION', true],
  ['HALCYON_SANDBOX_EXTRA_APPS', true],
  ['BASHMENOT_URL', true],
  ['HALCYON_NO_BUILD_DEPENDENCIES', false],
  ['HALCYON_NO_UPLOAD', false],
  ['HALCYON_PURGE_CACHE', false],
  ['HALCYON_AWS_SECRET_ACCESS_KEY', false],
  ['DATABASE_URL', false],
])('config var %s comes along: %s', (name, comes) => expect(COPIED.test(name)).toBe(comes));

test('cost', () => expect([costOf('performance-l', 3_600_000), costOf('performance-l', 4 * 3_600_000, 2)]).toEqual(['$0.69', '$5.56']));
