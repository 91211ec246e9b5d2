import { isOurBuildpack } from '../../lib/contract/index.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHaskellOnHeroku, planBuildpacks, type DesiredBuildpacks } from '../../lib/heroku/buildpacks.plan.js';

const HASKELL = 'https://github.com/mietek/haskell-on-heroku';
const hosted = (digit: string) => `https://s3.eu-west-1.amazonaws.com/bucket/buildpack/halcyon-sigv4-${digit.repeat(64)}.tgz`;
const NEW = hosted('b');
const OLD = hosted('a');
const desired = (over: Partial<DesiredBuildpacks> = {}): DesiredBuildpacks => ({
  signing: { version: 4, buildpackUrl: NEW },
  ours: (url) => isOurBuildpack(url, NEW),
  install: { enabled: false, url: HASKELL },
  ...over,
});

describe('planBuildpacks', () => {
  test.each([
    { name: 'adds ours in front', current: ['heroku/nodejs', HASKELL], urls: [NEW, 'heroku/nodejs', HASKELL], actions: ['add'] },
    { name: 'leaves a right list alone', current: [NEW, HASKELL], urls: [NEW, HASKELL], actions: [] },
    { name: 'replaces another version', current: [OLD, HASKELL], urls: [NEW, HASKELL], actions: ['replace'] },
    { name: 'moves ours to the front', current: [HASKELL, NEW], urls: [NEW, HASKELL], actions: ['move'] },
    { name: 'keeps one of several', current: [NEW, OLD, HASKELL, NEW], urls: [NEW, HASKELL], actions: ['remove', 'remove'] },
  ])('$name', ({ current, urls, actions }) => {
    const plan = planBuildpacks(current, desired());
    expect(plan.urls).toEqual(urls);
    expect(plan.changes.map((change) => change.action)).toEqual(actions);
    expect(plan.problem).toBeUndefined();
  });

  test('takes every version of ours out with version 2', () => {
    const plan = planBuildpacks([OLD, HASKELL, NEW], desired({ signing: { version: 2 } }));
    expect(plan.urls).toEqual([HASKELL]);
    expect(plan.changes).toMatchObject([
      { action: 'remove', url: OLD },
      { action: 'remove', url: NEW },
    ]);
  });

  test('says that haskell-on-heroku is missing, and adds it last when asked', () => {
    expect(planBuildpacks(['heroku/nodejs'], desired())).toMatchObject({ urls: [NEW, 'heroku/nodejs'], problem: 'no-haskell-on-heroku' });
    const plan = planBuildpacks(['heroku/nodejs'], desired({ install: { enabled: true, url: HASKELL } }));
    expect(plan.urls).toEqual([NEW, 'heroku/nodejs', HASKELL]);
    expect(plan.problem).toBeUndefined();
  });

  test.each([
    ['https://github.com/mietek/haskell-on-heroku.git', true],
    ['https://github.com/mietek/haskell-on-heroku#main', true],
    ['git@github.com:acme/haskell-on-heroku.git', true],
    ['https://git.acme.example/our-haskell', true],
    ['https://github.com/acme/not-haskell-on-heroku', false],
    ['heroku/nodejs', false],
  ])('%s is haskell-on-heroku: %s', (url, is) => {
    expect(isHaskellOnHeroku(url, 'https://git.acme.example/our-haskell.git')).toBe(is);
  });

  test('any list: ours once and first, the rest as it was, and a second plan changes nothing', () => {
    const url = fc.constantFrom(NEW, OLD, hosted('c'), HASKELL, 'heroku/nodejs', 'https://example.com/apt');
    fc.assert(
      fc.property(fc.array(url, { maxLength: 6 }), fc.boolean(), fc.constantFrom(2, 4), (current, enabled, version) => {
        const want = desired({
          signing: version === 4 ? { version, buildpackUrl: NEW } : { version: 2 },
          install: { enabled, url: HASKELL },
        });
        const plan = planBuildpacks(current, want);
        const foreign = current.filter((entry) => !want.ours(entry));
        expect(plan.urls.filter(want.ours)).toEqual(version === 4 ? [NEW] : []);
        if (version === 4) expect(plan.urls[0]).toBe(NEW);
        expect(plan.urls.filter((entry) => !want.ours(entry)).slice(0, foreign.length)).toEqual(foreign);
        expect(plan.changes.length > 0).toBe(JSON.stringify(plan.urls) !== JSON.stringify(current));
        expect(planBuildpacks(plan.urls, want).changes).toEqual([]);
      }),
    );
  });
});
