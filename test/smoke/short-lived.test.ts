import { describe, expect, test } from 'vitest';
import { KitError } from '../../lib/errors.js';
import type { Heroku, HerokuApp } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';
import { isLeftover, isShortLived, runOfKey, shortLivedName } from '../../lib/smoke/name.js';
import { createShortLived } from '../../lib/smoke/app.client.js';
import { sweepApps } from '../../lib/smoke/leftovers.client.js';

const now = new Date('2026-11-22T12:00:00Z');
const app = (name: string, createdAt: string): HerokuApp => ({
  id: name,
  name,
  generation: 'cedar',
  stack: 'heroku-24',
  createdAt,
});

test('names fit Heroku and Cabal', () => {
  for (let n = 0; n < 50; n++) expect(shortLivedName('smoke')).toMatch(/^halcyon-smoke-[a-z]{8}$/);
  expect(shortLivedName('prebuild').length).toBeLessThanOrEqual(30);
});

test.each([
  ['halcyon-smoke-abcdefgh', '2026-11-22T05:59:00Z', true],
  // As long as one may take by its own patience: two builds and their releases, a dyno, two more builds, an hour's dyno.
  ['halcyon-smoke-abcdefgh', '2026-11-22T06:30:00Z', false],
  ['halcyon-prebuild-abcdefgh', '2026-11-21T12:00:00Z', false],
  ['halcyon-prebuild-abcdefgh', '2026-11-21T09:00:00Z', true],
  ['halcyon-smoke-tests', '2020-01-01T00:00:00Z', false],
  ['my-halcyon-smoke-abcdefgh', '2020-01-01T00:00:00Z', false],
])('%s of %s is left behind: %s', (name, made, left) => expect(isLeftover(name, new Date(made), now)).toBe(left));

test.each([
  ['p/halcyon-smoke-abcdefgh/present', 'halcyon-smoke-abcdefgh'],
  ['linux/ghc-7.8.4/halcyon-install-1234567-halcyon-smoke-abcdefgh-1.0.tar.gz', 'halcyon-smoke-abcdefgh'],
  ['halcyon-smoke-abcdefghi/x', undefined],
  ['halcyon-ghc-7.8.4.tar.gz', undefined],
])('run of %s', (key, run) => expect(runOfKey(key)).toBe(run));

describe('sweepApps', () => {
  test('removes old ones of ours only, and goes on where it cannot', async () => {
    const deleted: string[] = [];
    const warned: string[] = [];
    const heroku = {
      // Of an account's thousands those only that may be the kit's.
      apps: async ({ from, to }: { from: string; to: string }) =>
        [
          app('halcyon-smoke-aaaaaaaa', '2026-11-22T01:00:00Z'),
          app('halcyon-smoke-bbbbbbbb', '2026-11-22T01:00:00Z'),
          app('halcyon-smoke-cccccccc', '2026-11-22T11:59:00Z'),
          app('halcyon-prebuild-aaaaaaaa', '2026-11-22T11:59:00Z'),
          app('halcyon-smoke-tests', '2020-01-01T00:00:00Z'),
          app('payments-api', '2020-01-01T00:00:00Z'),
        ].filter(({ name }) => from <= name && name <= to),
      deleteApp: async (name: string) => {
        if (name.endsWith('aaaaaaaa')) throw new KitError('heroku-forbidden', 'no');
        deleted.push(name);
      },
    } as unknown as Heroku;
    const io = { ...silentIo, warn: (message: string) => void warned.push(message) };
    expect(await sweepApps(heroku, io, now)).toEqual(['halcyon-smoke-bbbbbbbb']);
    expect(deleted).toEqual(['halcyon-smoke-bbbbbbbb']);
    expect(warned).toHaveLength(1);
  });
});

test('createShortLived sets config vars and buildpacks, though the app is not known everywhere at first', async () => {
  let tries = 0;
  const done: string[] = [];
  const heroku = {
    createApp: async ({ name }: { name: string }) => app(name, now.toISOString()),
    setBuildpacks: async () => {
      if (++tries === 1) throw new KitError('app-not-found', 'not yet');
      done.push('buildpacks');
    },
    patchConfigVars: async () => void done.push('config vars'),
  } as unknown as Heroku;
  await createShortLived(heroku, { name: 'halcyon-smoke-aaaaaaaa', stack: 'heroku-24', buildpacks: ['u'], configVars: { A: '1' } });
  expect(done).toEqual(['buildpacks', 'config vars']);
});
test('isShortLived', () => expect(['halcyon-smoke-abcdefgh', 'halcyon-prebuild-abcdefgh'].every(isShortLived)).toBe(true));
