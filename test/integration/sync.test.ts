import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { desiredConfigVars, differing, type DesiredConfigVars } from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { preflight } from '../../lib/heroku/preflight.js';
import { syncApps, type ConfigVarWrite } from '../../lib/heroku/sync.js';
import { silentIo } from '../../lib/io/io-host.js';
import { startLocalHeroku, type LocalHeroku } from '../../sandbox/heroku/index.js';

let local: LocalHeroku;
let heroku: Heroku;
const apps = Array.from({ length: 100 }, (_, n) => `app-${n}`);
const desiredWith = (n: number): DesiredConfigVars =>
  desiredConfigVars(
    { mode: 'upload', bucket: 'b', prefix: 'team', endpoint: 's3.eu-west-1.amazonaws.com', signingRegion: 'eu-west-1', acl: 'private' },
    { accessKeyId: `AKIAEXAMPLE00000000${n}`, secretAccessKey: `the-secret-number-${n}` },
  );

beforeAll(async () => {
  local = await startLocalHeroku({ upstreamDir: null });
  heroku = createHeroku({ token: local.token, host: local.url, patience: { baseMs: 5 } });
  for (const app of apps) {
    await local.ensureApp(app);
    await heroku.patchConfigVars(app, { OTHER: 'untouched' });
  }
  local.clearLog();
});
afterAll(() => local?.stop());
afterEach(() => {
  local.clearFaults();
  local.clearLog();
  local.settings.delayedReleaseMs = 0;
});

/** Observe, compare, write: what `halcyon-kit sync` does to `names`. */
async function run(names: readonly string[], desired: DesiredConfigVars) {
  return syncApps(heroku, await Promise.all(names.map((app) => writeOf(app, desired))), { io: silentIo });
}
const writeOf = async (app: string, desired: DesiredConfigVars): Promise<ConfigVarWrite> => ({
  app,
  changes: differing(await heroku.configVars(app), desired),
  desired,
});
const valuesOf = (desired: DesiredConfigVars) => Object.fromEntries(Object.entries(desired).filter(([, value]) => value !== null));
const requestsTo = (app: string) => local.log().filter(({ path }) => path.startsWith(`/apps/${app}/`));
const patches = (app: string) => requestsTo(app).filter(({ method }) => method === 'PATCH');

test('100 apps: three requests each when changed, one each when nothing changed', async () => {
  const desired = desiredWith(1);
  const reports = await run(apps, desired);
  expect(new Set(reports.map(({ ok }) => ok))).toEqual(new Set([true]));
  expect(local.log()).toHaveLength(300);
  expect(new Set(apps.map((app) => requestsTo(app).length))).toEqual(new Set([3]));

  local.clearLog();
  expect(await run(apps, desired)).toEqual([]);
  expect(local.log()).toHaveLength(100);
  expect(new Set(apps.map((app) => requestsTo(app).length))).toEqual(new Set([1]));
  expect(await heroku.configVars('app-7')).toEqual({ OTHER: 'untouched', ...valuesOf(desired) });
});

describe('one app', () => {
  test('is sent what differs and nothing else, as its release tells', async () => {
    await run(['app-11'], desiredWith(7));
    const [{ release = 0 } = {}] = await run(['app-11'], { ...desiredWith(7), HALCYON_NO_UPLOAD: '1', HALCYON_S3_ACL: null });
    expect((await heroku.release('app-11', release)).description).toBe('Set HALCYON_NO_UPLOAD and Remove HALCYON_S3_ACL config vars');
  });

  test('a pending release, with the old values answered meanwhile, is waited for', async () => {
    local.settings.delayedReleaseMs = 1200;
    const [report] = await run(['app-1'], desiredWith(2));
    expect(report).toMatchObject({ ok: true });
    expect(await heroku.configVars('app-1')).toMatchObject(valuesOf(desiredWith(2)));
    expect((await heroku.release('app-1', report?.release ?? 0)).status).toBe('succeeded');
  });

  test.each(['reset-after', 'cut', '503'] as const)('an answer lost (%s) to a PATCH makes no second release', async (kind) => {
    const before = (await heroku.releases('app-2')).length;
    local.clearLog();
    local.addFault({ kind, method: 'PATCH', path: '/apps/app-2/config-vars' });
    const [report] = await run(['app-2'], desiredWith(kind === 'cut' ? 3 : kind === '503' ? 4 : 5));
    expect(report).toMatchObject({ ok: true });
    expect((await heroku.releases('app-2')).length).toBe(before + 1);
  });

  test('a PATCH that never arrived is sent again', async () => {
    local.addFault({ kind: 'reset-before', method: 'PATCH', path: '/apps/app-3/config-vars' });
    expect(await run(['app-3'], desiredWith(2))).toMatchObject([{ ok: true }]);
    expect(patches('app-3')).toHaveLength(2);
    expect(await heroku.configVars('app-3')).toMatchObject(valuesOf(desiredWith(2)));
  });

  test('a lost answer while the release is pending is not repeated either', async () => {
    local.settings.delayedReleaseMs = 1200;
    local.addFault({ kind: 'reset-after', method: 'PATCH', path: '/apps/app-4/config-vars' });
    expect(await run(['app-4'], desiredWith(2))).toMatchObject([{ ok: true }]);
    expect(patches('app-4')).toHaveLength(1);
  });

  test('429 and 503 on the way are waited out', async () => {
    local.addFault({ kind: '429', method: 'GET', path: '/apps/app-5/*' });
    local.addFault({ kind: '503', method: 'GET', path: '/apps/app-5/*', times: 2 });
    expect(await run(['app-5'], desiredWith(2))).toMatchObject([{ ok: true }]);
  });

  test('one that fails stops no other', async () => {
    const writes = await Promise.all(['app-6', 'app-7', 'app-8'].map((app) => writeOf(app, desiredWith(6))));
    await heroku.deleteApp('app-7');
    const reports = await syncApps(heroku, writes, { io: silentIo });
    expect(reports.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(reports[1]?.error?.code).toBe('app-not-found');
  });

  test('a change to mode public unsets all of ours and nothing else', async () => {
    await run(['app-9'], desiredConfigVars({ mode: 'public' }));
    expect(await heroku.configVars('app-9')).toEqual({ OTHER: 'untouched' });
  });
});

test('preflight tells the unusable apps apart', async () => {
  await local.ensureApp('fir-app', { generation: 'fir' });
  await local.ensureApp('locked-app', { forbidden: true });
  const names = ['app-10', 'fir-app', 'locked-app', 'no-such-app'];
  const team = {
    name: 'payments',
    heroku: {},
    credentials: 'per-mode' as const,
    publicStorage: 'never' as const,
    tags: {},
    apps: names.map((name) => ({ name, mode: 'upload' as const, clean: true, publicStorage: 'never' as const, canary: false })),
  };
  const { problems } = await preflight(heroku, [team]);
  expect(problems.map(({ app, code }) => `${app}: ${code}`)).toEqual([
    'fir-app: app-fir',
    'locked-app: heroku-forbidden',
    'no-such-app: app-not-found',
  ]);
});
