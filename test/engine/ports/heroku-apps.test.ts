import { describe, expect, test } from 'vitest';
import { silentIo } from '../../../lib/io/io-host.js';
import { redact } from '../../../lib/io/redaction.js';
import { activityOf, herokuApps, keyReleaseOf, mayChangeKey } from '../../../lib/engine/ports/heroku-apps.client.js';
import type { Heroku, Release } from '../../../lib/heroku/heroku.js';

const release = (version: number, description: string, more: Partial<Release> = {}): Release => ({
  id: `r${version}`,
  version,
  status: 'succeeded',
  description,
  createdAt: `2026-01-01T00:00:${String(version).padStart(2, '0')}Z`,
  updatedAt: `2026-01-01T00:01:${String(version).padStart(2, '0')}Z`,
  ...more,
});

describe('which release may have changed the key', () => {
  test.each<[string, boolean]>([
    ['Set HALCYON_AWS_ACCESS_KEY_ID, HALCYON_AWS_SECRET_ACCESS_KEY config vars', true],
    ['Remove HALCYON_AWS_ACCESS_KEY_ID config vars', true],
    ['Rollback to v12', true],
    ['Promote other-app v3 1a2b3c4d', true],
    ['Set A, B, … config vars', true],
    ['something nobody has seen', true],
    ['Set DATABASE_URL config vars', false],
    ['Set A, B config vars', false],
    ['Remove A config var', false],
    ['Deploy 1a2b3c4d', false],
    ['Initial release', false],
  ])('%s: %s', (description, expected) => expect(mayChangeKey(description)).toBe(expected));

  test('the newest such, dated by its end', () => {
    const releases = [release(9, 'Deploy 12345678'), release(8, 'Rollback to v3'), release(7, 'Set HALCYON_AWS_ACCESS_KEY_ID config vars')];
    expect(keyReleaseOf(releases)).toEqual({ version: 8, at: '2026-01-01T00:01:08Z' });
  });
  test('none at all, or older than all that were asked for', () => {
    expect(keyReleaseOf([release(1, 'Initial release')])).toBeUndefined();
    const many = Array.from({ length: 100 }, (_, n) =>
      release(100 - n, 'Deploy 12345678', { createdAt: `t${200 - n}`, updatedAt: `t${200 - n}` }),
    );
    expect(keyReleaseOf(many)).toEqual({ version: 1, at: 't101' });
  });
  test('only what runs counts: pending builds, and one-off dynos that are up', () => {
    const at = '2026-01-01T00:00:00Z';
    const builds = [
      { id: 'b1', status: 'pending' as const, createdAt: at, updatedAt: at },
      { id: 'b2', status: 'failed' as const, createdAt: at, updatedAt: '2026-01-01T00:05:00Z' },
    ];
    const dyno = { id: 'd', state: 'up', releaseVersion: 3, createdAt: at, command: '' };
    const dynos = [
      { ...dyno, name: 'web.1', type: 'web' },
      { ...dyno, name: 'run.1', type: 'run' },
      { ...dyno, name: 'run.2', type: 'run', state: 'crashed' },
    ];
    expect(activityOf([release(4, 'Rollback to v1')], builds, dynos)).toEqual({
      releasePending: false,
      keyRelease: { version: 4, at: '2026-01-01T00:01:04Z' },
      running: [
        { kind: 'build', id: 'b1', startedAt: at },
        { kind: 'dyno', id: 'run.1', startedAt: at, release: 3 },
      ],
      lastEnded: '2026-01-01T00:05:00Z',
    });
  });
});

test('the secret that an app holds is registered the moment it is read', async () => {
  const HALCYON_AWS_SECRET_ACCESS_KEY = 'canary-that-an-app-holds';
  const heroku = { configVars: async () => ({ HALCYON_AWS_SECRET_ACCESS_KEY, THEIRS: 'x' }) } as unknown as Heroku;
  expect(await herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).vars('app')).toEqual({
    HALCYON_AWS_SECRET_ACCESS_KEY,
  });
  expect(redact(HALCYON_AWS_SECRET_ACCESS_KEY)).toBe('[redacted]');
});

test('of a thousand apps that were written it is told which were released since without a look at each for each', async () => {
  let reads = 0;
  const ids = new Map(Array.from({ length: 1000 }, (_, index) => [`app-${index}`, `id-${index}`]));
  const answer = [...ids.values()].slice(1).map((id) => ({
    releasedAt: id === 'id-7' ? '2026-01-01T00:00:02Z' : '2026-01-01T00:00:01Z',
    get id() {
      reads += 1;
      return id;
    },
  }));
  const heroku = { appsById: async () => answer } as unknown as Heroku;
  const apps = herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {}, ids });
  const written = new Map([...ids.keys()].map((name) => [name, '2026-01-01T00:00:01Z']));
  expect(await apps.releasedSince(written)).toEqual(['app-0', 'app-7']);
  expect(reads).toBeLessThan(10_000);
});
