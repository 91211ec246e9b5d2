import { describe, expect, test } from 'vitest';
import { bucketsStillOnV2, renderOnV2, type AppSignatures, type BucketSignatures } from '../../lib/buildpack/sigv2.plan.js';

const ready: AppSignatures = { app: 'search-web', team: 'search', selected: false, first: true, building: false };
const bucket = (apps: readonly AppSignatures[], state: BucketSignatures['state'] = 'accepts'): BucketSignatures => ({
  bucket: 'b',
  state,
  apps,
});
const whys = (...apps: AppSignatures[]) =>
  bucketsStillOnV2([bucket(apps)]).flatMap((one) => one.apps.map(({ app, why }) => `${app} ${why}`));

describe('a bucket that accepts version 2 goes on doing so', () => {
  test.each([
    ['while an app of a team that is not deployed lacks the buildpack', { first: false }, 'no-buildpack'],
    ['while an app cannot be read', { first: undefined, building: undefined }, 'unreadable'],
    ['while an app of a deployed team cannot be read', { first: undefined, building: undefined, selected: true }, 'unreadable'],
    ['while a build runs that began without the buildpack', { building: true }, 'building'],
    ['while such a build of a deployed team runs', { building: true, first: false, selected: true }, 'building'],
  ] as const)('%s', (_what, seen, why) => {
    expect(whys(ready, { ...ready, app: 'search-api', ...seen })).toEqual([`search-api ${why}`]);
  });

  test('and no longer', () => {
    expect(whys(ready)).toEqual([]);
    expect(whys(ready, { ...ready, app: 'payments-api', team: 'payments', selected: true, first: false })).toEqual([]);
    expect(whys()).toEqual([]);
  });
});

test.each(['absent', 'refuses'] as const)('a bucket that is %s is not opened for an app that is behind', (state) => {
  expect(bucketsStillOnV2([bucket([{ ...ready, first: false }], state)])).toEqual([]);
});

test('says who keeps it open, and what to run', () => {
  const apps = [
    { ...ready, first: false },
    { ...ready, app: 'search-api', building: true },
  ];
  expect(renderOnV2(bucketsStillOnV2([bucket(apps)]))).toEqual([
    'bucket b goes on accepting signature version 2: search-web of search does not have the SigV4 buildpack yet, search-api of search is being built without the SigV4 buildpack; run "halcyon-kit up search" to close it',
  ]);
  expect(renderOnV2(bucketsStillOnV2([bucket(apps.slice(1))]))[0]).toMatch(
    /run "halcyon-kit up search" when the build has ended to close it$/,
  );
});
