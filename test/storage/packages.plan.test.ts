import { describe, expect, test } from 'vitest';
import { byKind, packageOf, soaked, unusable, usersOf, type StoredPackage, type Usage } from '../../lib/storage/packages.plan.js';

const NOBLE = 'linux-ubuntu-24.04-x86_64';

describe('what a key holds', () => {
  test.each([
    [`${NOBLE}/halcyon-ghc-7.8.4.tar.gz`, { kind: 'ghc', place: '', platform: NOBLE, ghc: '7.8.4' }],
    [`${NOBLE}/halcyon-ghc-7.8.4.0a1b2c3.tar.gz`, { kind: 'ghc', ghc: '7.8.4.0a1b2c3' }],
    [`${NOBLE}/halcyon-cabal-1.20.0.3.tar.gz`, { kind: 'cabal', label: '1.20.0.3', date: undefined }],
    [`${NOBLE}/halcyon-cabal-1.20.0.3-hackage-2026-11-28.tar.gz`, { kind: 'cabal', label: '1.20.0.3-hackage', date: '2026-11-28' }],
    [
      `${NOBLE}/ghc-7.8.4/halcyon-sandbox-0a1b2c3-shop-web-1.0.tar.gz`,
      { kind: 'sandbox', ghc: '7.8.4', hash: '0a1b2c3', label: 'shop-web-1.0' },
    ],
    [
      `${NOBLE}/ghc-7.8.4/halcyon-sandbox-0a1b2c3.9f8e7d6-shop-1.0.constraints`,
      { kind: 'sandbox', hash: '0a1b2c3.9f8e7d6', label: 'shop-1.0' },
    ],
    [`${NOBLE}/ghc-7.8.4/halcyon-build-shop-1.0.tar.gz`, { kind: 'build', label: 'shop-1.0' }],
    [
      `teams/a/${NOBLE}/ghc-7.8.4/halcyon-install-0a1b2c3-shop-1.0.tar.gz`,
      { kind: 'install', place: 'teams/a/', platform: NOBLE, label: 'shop-1.0' },
    ],
    ['a/original/ghc-7.8.4-x86_64-unknown-linux-deb7.tar.xz', { kind: 'original', place: 'a/', platform: undefined }],
  ])('%s', (key, held) => expect({ date: undefined, platform: undefined, ...packageOf(key) }).toMatchObject(held));

  test.each([
    '.halcyon-kit/lease/payments.json',
    'halcyon-smoke-abcdefgh/kept',
    `${NOBLE}/ghc-7.8.4/halcyon-install-shop.tar.gz`,
    `${NOBLE}/notes.txt`,
  ])('none of Halcyon’s: %s', (key) => expect(packageOf(key)).toBeUndefined());
});

describe('what no app could use', () => {
  const stored = (name: string, modified: string, platform = NOBLE): StoredPackage => ({
    ...packageOf(`${platform}/${name}`)!,
    bytes: 1,
    modified,
  });
  const [old, new_] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'];
  const [ghc, bare] = [stored('halcyon-ghc-7.8.4.tar.gz', old), stored('halcyon-cabal-1.20.0.3.tar.gz', old)];
  const cabals = ['2026-01-30', '2026-01-31'].map((day) => stored(`halcyon-cabal-1.20.0.3-hackage-${day}.tar.gz`, new_)) as [
    StoredPackage,
    StoredPackage,
  ];
  const installs = [
    stored('ghc-7.8.4/halcyon-install-aaaaaaa-shop-1.0.tar.gz', old),
    stored('ghc-7.8.4/halcyon-install-bbbbbbb-shop-1.0.tar.gz', new_),
  ] as const;
  const sandbox = (hash: string, end: string, at: string) => stored(`ghc-7.8.4/halcyon-sandbox-${hash}-shop-1.0.${end}`, at);
  const sandboxes = [
    sandbox('aaaaaaa', 'tar.gz', old),
    sandbox('aaaaaaa', 'constraints', old),
    sandbox('bbbbbbb', 'tar.gz', old),
    sandbox('bbbbbbb', 'constraints', new_),
  ];
  const all = [ghc, bare, ...cabals, ...installs, ...sandboxes, stored('ghc-7.8.4/halcyon-build-shop-1.0.tar.gz', old)];
  const usage = (named: Record<string, string[] | undefined>, platforms = [NOBLE]): Usage => ({
    platforms: new Set(platforms),
    named: new Map(Object.entries(named).map(([app, names]) => [app, names && new Set(names)])),
  });

  test('what was succeeded and is not told of; never a compiler, a bare cabal, or the newest', () => {
    const found = unusable(all, usage({ shop: [installs[1].name] }));
    expect([...found.keys()]).toEqual([cabals[0].key, installs[0].key, sandboxes[0]!.key, sandboxes[1]!.key]);
    expect(found.get(cabals[0].key)).toBe('succeeded by halcyon-cabal-1.20.0.3-hackage-2026-01-31.tar.gz');
  });

  test('what an app’s newest build tells of stays, and is said to be that app’s', () => {
    const seen = usage({ shop: [], twin: [installs[0].name] });
    expect(unusable(all, seen).has(installs[0].key)).toBe(false);
    expect(usersOf(installs[0], seen)).toEqual(['twin']);
  });

  test('while one app’s newest build cannot be read, nothing is taken for succeeded', () => {
    expect([...unusable(all, usage({ shop: [], twin: undefined })).keys()]).toEqual([]);
  });

  test('a platform that no app is on: all of it, the compiler too', () => {
    const found = unusable([stored('halcyon-ghc-7.8.4.tar.gz', old, 'linux-ubuntu-22.04-x86_64'), ghc], usage({ shop: undefined }));
    expect([...found.values()]).toEqual(['no app is on linux-ubuntu-22.04-x86_64']);
  });
});

describe('the soak', () => {
  const one: StoredPackage = { ...packageOf(`${NOBLE}/halcyon-ghc-7.8.4.tar.gz`)!, bytes: 1, modified: '2026-01-01T00:00:00.000Z' };
  const day = 86_400_000;
  const now = new Date('2026-02-01T00:00:00.000Z');
  const why = new Map([[one.key, 'no app']]);
  const run = (before: Record<string, string>, stored = one, found = why) => soaked([stored], found, before, now, day);

  test('what is found of no use for the first time rests', () => {
    expect(run({})).toEqual({ due: [], soaking: [one], unused: { [one.key]: now.toISOString() } });
  });
  test('a day later it may go', () => {
    const since = { [one.key]: '2026-01-31T00:00:00.000Z' };
    expect(run(since)).toEqual({ due: [one], soaking: [], unused: since });
  });
  test('what was of use in between, or was written again, begins anew', () => {
    expect(run({ [one.key]: '2026-01-01T00:00:00.000Z' }, one, new Map())).toEqual({ due: [], soaking: [], unused: {} });
    expect(run({ [one.key]: '2026-01-02T00:00:00.000Z' }, { ...one, modified: '2026-01-31T12:00:00.000Z' }).soaking).toHaveLength(1);
  });
});

test('by kind: how many, how large, from when to when, and what of it no app asked for, where that is known', () => {
  const stored = (key: string, bytes: number, modified: string, usedBy?: string[]) => ({ ...packageOf(key)!, bytes, modified, usedBy });
  const [old, middle, new_] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'];
  const install = (hash: string) => `${NOBLE}/ghc-7.8.4/halcyon-install-${hash}-shop-1.0.tar.gz`;
  const all = [
    stored(install('aaaaaaa'), 5, middle, []),
    stored(`${NOBLE}/halcyon-ghc-7.8.4.tar.gz`, 100, old, ['shop']),
    stored(install('bbbbbbb'), 7, new_, ['shop']),
    stored(install('ccccccc'), 8, old, []),
  ];
  expect(byKind(all)).toEqual([
    { kind: 'ghc', files: 1, bytes: 100, oldest: old, newest: old, unasked: { files: 0, bytes: 0 } },
    { kind: 'install', files: 3, bytes: 20, oldest: old, newest: new_, unasked: { files: 2, bytes: 13 } },
  ]);
  expect(byKind(all.map(({ usedBy: _, ...one }) => one)).some((kind) => 'unasked' in kind)).toBe(false);
});
