import { describe, expect, test } from 'vitest';
import { desiredConfigVars, differing } from '../../lib/contract/index.js';
import { KitError } from '../../lib/errors.js';
import type { Heroku, Release } from '../../lib/heroku/heroku.js';
import { patchOf, releaseOf, syncApps, type ConfigVarWrite } from '../../lib/heroku/sync.js';
import { silentIo } from '../../lib/io/io-host.js';

const desired = desiredConfigVars(
  { mode: 'upload', bucket: 'b', endpoint: 's3.eu-west-1.amazonaws.com', acl: 'private' },
  { accessKeyId: 'AKIAEXAMPLE000000001', secretAccessKey: 'the-secret-of-this-test' },
);
const release = (version: number, more: Partial<Release> = {}): Release => ({
  id: `r${version}`,
  version,
  status: 'succeeded',
  description: 'Set HALCYON_S3_BUCKET config vars',
  createdAt: new Date().toISOString(),
  updatedAt: '2026-11-22T12:00:00Z',
  ...more,
});

/** An app whose PATCH makes v2, of `statuses` one look after another; while it is pending the old values are answered. */
function fake({ statuses = ['succeeded'], writeFails = [] as string[], drift = false } = {}) {
  const values = new Map<string, Record<string, string>>();
  const requests: string[] = [];
  const pending = new Map<string, Record<string, string>>();
  const looks = new Map<string, number>();
  const look = (app: string): Release => {
    const n = looks.get(app) ?? 0;
    looks.set(app, n + 1);
    const status = statuses[Math.min(n, statuses.length - 1)] as Release['status'];
    const next = pending.get(app);
    if (status === 'succeeded' && next) values.set(app, drift ? { ...next, HALCYON_S3_ACL: 'public-read' } : next);
    return release(2, { status });
  };
  const heroku = {
    configVars: async (app: string) => (requests.push(`GET ${app}`), values.get(app) ?? {}),
    now: () => Date.now(),
    patchConfigVars: async (app: string, changes: Record<string, string | null>) => {
      requests.push(`PATCH ${app}`);
      if (writeFails.includes(app)) throw new KitError('app-not-found', `no app ${app}`);
      const next = Object.fromEntries(
        Object.entries({ ...values.get(app), ...changes }).filter((entry): entry is [string, string] => entry[1] !== null),
      );
      pending.set(app, next);
      if (statuses[0] !== 'succeeded') return values.get(app) ?? {};
      return drift ? { ...next, HALCYON_S3_ACL: 'public-read' } : next;
    },
    releases: async (app: string) => (requests.push(`GET ${app}/releases`), [look(app), release(1, { createdAt: '2026-01-01T00:00:00Z' })]),
    release: async (app: string) => (requests.push(`GET ${app}/releases/2`), look(app)),
  } as unknown as Heroku;
  return { heroku, requests };
}
const item = (app: string, current: Record<string, string> = {}): ConfigVarWrite => ({
  app,
  changes: differing(current, desired),
  desired,
});
describe('syncApps', () => {
  test('sends nothing where nothing changed', async () => {
    const { heroku, requests } = fake();
    const held = Object.entries(desired).filter((entry): entry is [string, string] => entry[1] !== null);
    expect(await syncApps(heroku, [item('a', Object.fromEntries(held))], { io: silentIo })).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('one PATCH and one look where the release succeeds at once', async () => {
    const { heroku, requests } = fake();
    const reports = await syncApps(heroku, [item('a')], { io: silentIo });
    expect(reports).toEqual([{ app: 'a', ok: true, release: 2, confirmedAt: '2026-11-22T12:00:00Z' }]);
    expect(requests).toEqual(['PATCH a', 'GET a/releases']);
  });

  test('waits for a pending release, then reads the values again', async () => {
    const { heroku, requests } = fake({ statuses: ['pending', 'pending', 'succeeded'] });
    expect(await syncApps(heroku, [item('a')], { io: silentIo })).toMatchObject([{ ok: true, release: 2 }]);
    expect(requests).toEqual(['PATCH a', 'GET a/releases', 'GET a/releases/2', 'GET a/releases/2', 'GET a']);
  });

  test('a failed release fails the app, and says what to look at', async () => {
    const { heroku } = fake({ statuses: ['pending', 'failed'] });
    const [report] = await syncApps(heroku, [item('a')], { io: silentIo });
    expect(report).toMatchObject({ ok: false, release: 2, error: { code: 'release-failed' } });
    expect(report?.error?.message).toContain('heroku releases:output v2 -a a');
  });

  test.each([[['pending', 'succeeded']], [['succeeded']]])(
    'values that are not as set after the release (%j) fail the app',
    async (statuses) => {
      const { heroku } = fake({ statuses, drift: true });
      const [report] = await syncApps(heroku, [item('a')], { io: silentIo });
      expect(report).toMatchObject({ ok: false, error: { code: 'config-vars-not-taken' } });
      expect(report?.error?.message).toContain('HALCYON_S3_ACL');
      expect(report?.error?.message).not.toContain('the-secret-of-this-test');
    },
  );

  test('one app that fails stops no other, and reports keep their order', async () => {
    const { heroku } = fake({ writeFails: ['b'] });
    const reports = await syncApps(heroku, [item('a'), item('b'), item('c')], { io: silentIo, concurrency: 2 });
    expect(reports.map(({ app, ok }) => `${app} ${ok}`)).toEqual(['a true', 'b false', 'c true']);
    expect(reports[1]?.error?.code).toBe('app-not-found');
  });

  test('after an abort no further app is written', async () => {
    const { heroku, requests } = fake();
    const [report] = await syncApps(heroku, [item('a')], { io: silentIo, signal: AbortSignal.abort() });
    expect(report).toMatchObject({ ok: false, error: { code: 'interrupted' } });
    expect(requests).toEqual([]);
  });

  test('an abort ends the wait for a release and says which', async () => {
    const abort = new AbortController();
    const { heroku } = fake({ statuses: ['pending'] });
    const io = { ...silentIo, step: () => ({ update: () => abort.abort(), done() {}, fail() {} }) };
    const [report] = await syncApps(heroku, [item('a')], { io, signal: abort.signal });
    expect(report).toMatchObject({ ok: false, release: 2, error: { code: 'interrupted' } });
  });
});

test.each([
  [['HALCYON_S3_ACL'], 'Setting HALCYON_S3_ACL on a'],
  [['HALCYON_S3_ACL', 'HALCYON_NO_UPLOAD'], 'Setting HALCYON_S3_ACL, HALCYON_NO_UPLOAD on a'],
  [['HALCYON_NO_UPLOAD'], 'Unsetting HALCYON_NO_UPLOAD on a'],
] as const)('what is done to %j is said', async (changes, said) => {
  const titles: string[] = [];
  const step = (title: string) => (titles.push(title), silentIo.step(title));
  await syncApps(fake().heroku, [{ app: 'a', changes, desired }], { io: { ...silentIo, step } });
  expect(titles).toEqual([said]);
});

test('a PATCH carries exactly the changes, null for unset', () => {
  expect(patchOf({ app: 'a', changes: ['HALCYON_S3_ACL', 'HALCYON_NO_UPLOAD'], desired })).toEqual({
    HALCYON_S3_ACL: 'private',
    HALCYON_NO_UPLOAD: null,
  });
});

describe('releaseOf', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const at = (version: number, description: string, createdAt: string) => release(version, { description, createdAt });

  test('is the newest that names one of ours, though a deploy came after it', () => {
    const found = releaseOf(
      [at(9, 'Deploy 1234', '2026-11-22T12:00:02Z'), at(8, 'Set HALCYON_S3_ACL config vars', '2026-11-22T12:00:01Z')],
      ['HALCYON_S3_ACL'],
      now,
    );
    expect(found?.version).toBe(8);
  });

  test('is not an old one of the same name, but the newest', () => {
    const found = releaseOf(
      [at(9, 'Update config', '2026-11-22T12:00:01Z'), at(8, 'Set HALCYON_S3_ACL config vars', '2026-11-21T12:00:00Z')],
      ['HALCYON_S3_ACL'],
      now,
    );
    expect(found?.version).toBe(9);
  });
});
