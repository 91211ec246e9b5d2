import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalHeroku, startLocalHeroku } from '../../heroku/index.js';
import { type Json, V3, build, call, gitBuildpack, ok, until } from './heroku-client.js';

let heroku: LocalHeroku;
let plain: string;
beforeAll(async () => {
  heroku = await startLocalHeroku({ upstreamDir: null });
  plain = gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Plain\n', 'bin/compile': '#!/bin/bash\n' });
});
afterAll(() => heroku.stop());
beforeEach(() => heroku.clearFaults());

let made = 0;
const newApp = async (options: Parameters<LocalHeroku['ensureApp']>[1] = {}): Promise<string> => {
  const name = `api-${(made += 1)}`;
  await heroku.ensureApp(name, { buildpacks: [plain], ...options });
  return `/apps/${name}`;
};
const releases = (app: string) => ok<Json[]>(heroku, 'GET', `${app}/releases`);
const descriptions = async (app: string) => (await releases(app)).map((release) => release.description);

describe('every answer', () => {
  test('needs a token, as Bearer or Basic, and the version 3 Accept', async () => {
    const status = async (headers: Record<string, string>) => (await fetch(`${heroku.url}/account`, { headers })).status;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await status({ Accept: V3 })).toBe(401);
    expect(await status({ Accept: V3, Authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ Accept: V3, Authorization: `Bearer ${heroku.token}` })).toBe(200);
    expect(await status({ Accept: V3, Authorization: basic(`:${heroku.token}`) })).toBe(200);
    expect(await status({ Accept: 'application/json', Authorization: `Bearer ${heroku.token}` })).toBe(406);
    expect(await status({ Accept: 'application/vnd.heroku+json; version=3.sdk', Authorization: `Bearer ${heroku.token}` })).toBe(200);
  });

  test('has Request-Id and RateLimit-Remaining, errors too', async () => {
    for (const path of ['/account', '/apps/nobody-has-this', '/no/such/endpoint']) {
      const { headers } = await call(heroku, 'GET', path);
      expect(headers.get('request-id'), path).toMatch(/^[0-9a-f-]{36}$/);
      expect(Number(headers.get('ratelimit-remaining')), path).toBeGreaterThan(0);
    }
    const before = (await ok(heroku, 'GET', '/account/rate-limits')).remaining;
    expect((await ok(heroku, 'GET', '/account/rate-limits')).remaining).toBeGreaterThanOrEqual(before);
  });

  test('names what is not there, and refuses loudly what it does not know', async () => {
    expect(await call(heroku, 'GET', '/apps/nobody-has-this')).toMatchObject({
      status: 404,
      json: { resource: 'app', id: 'not_found', message: "Couldn't find that app." },
    });
    expect(await call(heroku, 'POST', '/apps/any/domains')).toMatchObject({
      status: 501,
      json: { message: 'The sandbox does not know POST /apps/any/domains.' },
    });
    expect(await call(heroku, 'POST', '/apps', 'text')).toMatchObject({ status: 400, json: { id: 'bad_request' } });
  });
});

test('apps are found by name and id, refused when forbidden, and leave no name behind', async () => {
  const app = await ok(heroku, 'POST', '/apps', { name: 'by-name', region: 'eu', stack: 'heroku-22' });
  expect(app).toMatchObject({ generation: { name: 'cedar' }, region: { name: 'eu' }, stack: { name: 'heroku-22' }, maintenance: false });
  expect((await ok(heroku, 'GET', `/apps/${app.id}`)).name).toBe('by-name');
  expect((await call(heroku, 'POST', '/apps', { name: 'by-name' })).status).toBe(422);
  expect((await call(heroku, 'POST', '/apps', { name: 'Bad_Name' })).status).toBe(422);
  expect((await ok(heroku, 'POST', '/teams/apps', { name: 'of-team', team: 'acme' })).team.name).toBe('acme');
  await heroku.ensureApp('not-mine', { forbidden: true });
  expect(await call(heroku, 'GET', '/apps/not-mine')).toMatchObject({ status: 403, json: { id: 'forbidden' } });
  for (const path of ['/apps', '/users/~/apps', '/users/operator@example.com/apps']) {
    const names = (await ok<Json[]>(heroku, 'GET', path)).map((one) => one.name);
    expect(names, path).toEqual(expect.arrayContaining(['by-name', 'of-team']));
    expect(names, path).not.toContain('not-mine');
  }
  expect((await call(heroku, 'GET', '/users/stranger@example.com/apps')).status).toBe(404);
  await ok(heroku, 'DELETE', '/apps/by-name');
  expect((await call(heroku, 'GET', '/apps/by-name')).status).toBe(404);
  await ok(heroku, 'POST', '/apps', { name: 'by-name' });
});

describe('config vars', () => {
  test('one PATCH is one release, described as Heroku does; null unsets', async () => {
    const app = await newApp();
    expect(await ok(heroku, 'PATCH', `${app}/config-vars`, { A: '1', B: 'two' })).toEqual({ A: '1', B: 'two' });
    expect(await ok(heroku, 'PATCH', `${app}/config-vars`, { A: null })).toEqual({ B: 'two' });
    expect(await descriptions(app)).toEqual(['Initial release', 'Enable Logplex', 'Set A, B config vars', 'Remove A config vars']);
    expect(await ok(heroku, 'GET', `${app}/releases/3/config-vars`)).toEqual({ A: '1', B: 'two' });
  });

  test.each([
    ['a name with a dash', { 'A-B': '1' }],
    ['a number', { A: 1 }],
    ['more than 64 kB', { A: 'x'.repeat(65_536) }],
  ])('%s is refused, and nothing changes', async (_, changes) => {
    const app = await newApp();
    expect(await call(heroku, 'PATCH', `${app}/config-vars`, { GOOD: '1', ...changes })).toMatchObject({
      status: 422,
      json: { id: 'invalid_params' },
    });
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({});
    expect(await descriptions(app)).toHaveLength(2);
  });

  test('a PATCH that changes nothing costs a release, unless switched off', async () => {
    const app = await newApp();
    await ok(heroku, 'PATCH', `${app}/config-vars`, { A: '1' });
    await ok(heroku, 'PATCH', `${app}/config-vars`, { A: '1' });
    expect(await descriptions(app)).toHaveLength(4);
    heroku.settings.noopPatch = 'ignore';
    await ok(heroku, 'PATCH', `${app}/config-vars`, { A: '1' });
    heroku.settings.noopPatch = 'release';
    expect(await descriptions(app)).toHaveLength(4);
  });

  test('while a release is pending, the old values are answered; then the new ones', async () => {
    const app = await newApp();
    await ok(heroku, 'PATCH', `${app}/config-vars`, { A: 'old' });
    heroku.settings.delayedReleaseMs = 300;
    expect(await ok(heroku, 'PATCH', `${app}/config-vars`, { A: 'new' })).toEqual({ A: 'old' });
    heroku.settings.delayedReleaseMs = 0;
    expect((await releases(app)).at(-1)).toMatchObject({ version: 4, status: 'pending', current: false });
    await until(
      () => ok(heroku, 'GET', `${app}/releases/4`),
      (release) => release.status === 'succeeded' && release.current,
    );
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({ A: 'new' });
  });
});

describe('releases', () => {
  const source = { Procfile: 'web: sleep 60\n' };

  test('a rollback brings the config vars back', async () => {
    const app = await newApp();
    await ok(heroku, 'PATCH', `${app}/config-vars`, { KEY: 'retired' });
    const { build: built } = await build(heroku, app.slice(6), source);
    await ok(heroku, 'PATCH', `${app}/config-vars`, { KEY: 'current' });
    const rolled = await ok(heroku, 'POST', `${app}/releases`, { release: built.release.id });
    expect(rolled).toMatchObject({ version: 6, current: true, description: 'Rollback to v4' });
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({ KEY: 'retired' });
    expect((await call(heroku, 'POST', `${app}/releases`, { release: '3' })).status).toBe(422);
  });

  test('a release command runs first; when it fails, nothing changes', async () => {
    const app = await newApp();
    const { build: built } = await build(heroku, app.slice(6), {
      Procfile: 'web: sleep 60\nrelease: echo "releasing $MODE"; [ "$MODE" != bad ]\n',
    });
    const { release } = built;
    await until(
      () => ok(heroku, 'GET', `${app}/releases/${release.id}`),
      (one) => one.status === 'succeeded',
    );
    expect(await ok(heroku, 'PATCH', `${app}/config-vars`, { MODE: 'good' })).toEqual({});
    const good = await until(
      () => ok(heroku, 'GET', `${app}/releases/4`),
      (one) => one.status !== 'pending',
    );
    expect(good).toMatchObject({ status: 'succeeded', current: true });
    expect((await (await fetch(good.output_stream_url)).text()).trim()).toBe('releasing good');
    await ok(heroku, 'PATCH', `${app}/config-vars`, { MODE: 'bad' });
    await until(
      () => ok(heroku, 'GET', `${app}/releases/5`),
      (one) => one.status === 'failed',
    );
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({ MODE: 'good' });
  });

  test('old slugs expire', async () => {
    const app = await newApp();
    const { build: built } = await build(heroku, app.slice(6), source);
    for (let index = 0; index < 21; index += 1) await ok(heroku, 'PATCH', `${app}/config-vars`, { N: String(index) });
    heroku.settings.slugRetentionMs = -1000;
    expect(await ok(heroku, 'GET', `${app}/releases/${built.release.id}`)).toMatchObject({
      status: 'expired',
      eligible_for_rollback: false,
    });
    expect((await call(heroku, 'POST', `${app}/releases`, { release: built.release.id })).status).toBe(422);
    heroku.settings.slugRetentionMs = 30 * 24 * 3600_000;
  });
});

describe('lists', () => {
  test('come in pages that Next-Range leads through', async () => {
    const app = await newApp();
    for (const name of ['A', 'B', 'C']) await ok(heroku, 'PATCH', `${app}/config-vars`, { [name]: '1' });
    const versions: number[] = [];
    let range: string | null = 'version ..; max=2, order=desc';
    const statuses: number[] = [];
    while (range !== null) {
      const answer: { status: number; headers: Headers; json: Json[] } = await call<Json[]>(heroku, 'GET', `${app}/releases`, undefined, {
        Range: range,
      });
      versions.push(...answer.json.map((release) => release.version));
      statuses.push(answer.status);
      range = answer.headers.get('next-range');
    }
    expect(versions).toEqual([5, 4, 3, 2, 1]);
    expect(statuses).toEqual([206, 206, 200]);
  });

  test('the largest page is a switch, so that every client meets a 206', async () => {
    heroku.settings.maxPage = 1;
    const { status, headers } = await call(heroku, 'GET', '/stacks');
    heroku.settings.maxPage = 1000;
    expect([status, headers.get('next-range')]).toEqual([206, 'name ]heroku-22..; max=1']);
  });

  test('a range over what cannot be ranged over is 416', async () => {
    const app = await newApp();
    const range = { Range: 'id ..; max=1000' };
    expect((await call(heroku, 'GET', `${app}/buildpack-installations`, undefined, range)).status).toBe(416);
    expect((await call(heroku, 'GET', `${app}/buildpack-installations`, undefined, { Range: '' })).status).toBe(200);
    expect((await call(heroku, 'PUT', `${app}/buildpack-installations`, { updates: [] }, range)).status).toBe(416);
    expect((await call(heroku, 'GET', `${app}/releases`, undefined, range)).status).toBe(200);
    expect((await call(heroku, 'GET', '/apps', undefined, { Range: 'colour ..' })).status).toBe(416);
    expect((await call(heroku, 'GET', '/apps', undefined, { Range: 'id ..; max=1001' })).status).toBe(416);
  });
});

describe('output streams', () => {
  test('are resumed by Range from any byte, also after cuts; unknown ones are 404', async () => {
    const app = await newApp();
    const { build: built, output } = await build(heroku, app.slice(6), { Procfile: 'web: sleep 60\n' });
    const url = built.output_stream_url;
    const half = Math.floor(output.length / 2);
    const resumed = await fetch(url, { headers: { Range: `bytes=${half}-` } });
    expect([resumed.status, await resumed.text()]).toEqual([206, output.slice(half)]);
    expect((await fetch(url, { headers: { Range: `bytes=${output.length}-` } })).status).toBe(204);
    expect((await fetch(`${heroku.url}/_streams/none`)).status).toBe(404);
    heroku.settings.cutStreamsAfterBytes = 20;
    let got = '';
    for (let cuts = 0; got.length < output.length && cuts < 1000; cuts += 1) {
      const response = await fetch(url, { headers: { Range: `bytes=${got.length}-` } });
      try {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) got += Buffer.from(chunk).toString('utf8');
      } catch {
        // The cut.
      }
    }
    heroku.settings.cutStreamsAfterBytes = 0;
    expect(got).toBe(output);
  });

  test('stay open with NULs while nothing is said, and may end before the status does', async () => {
    const app = await newApp({
      buildpacks: [gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Slow\n', 'bin/compile': '#!/bin/bash\nsleep 0.5; echo end\n' })],
    });
    Object.assign(heroku.settings, { keepAliveMs: 50, pendingAfterEofMs: 400 });
    const { source_blob: blob } = await ok(heroku, 'POST', '/sources');
    const { tarball } = await import('./heroku-client.js');
    await fetch(blob.put_url, {
      method: 'PUT',
      body: new Uint8Array(await tarball({ Procfile: 'web: true\n' })),
      headers: { 'Content-Type': '' },
    });
    const started = await ok(heroku, 'POST', `${app}/builds`, { source_blob: { url: blob.get_url } });
    const raw = await (await fetch(started.output_stream_url)).text();
    const atEnd = await ok(heroku, 'GET', `${app}/builds/${started.id}`);
    Object.assign(heroku.settings, { keepAliveMs: 10_000, pendingAfterEofMs: 0 });
    expect(raw).toContain('\0');
    expect(raw.replaceAll('\0', '')).toContain('end\n');
    expect(atEnd.status).toBe('pending');
    await until(
      () => ok(heroku, 'GET', `${app}/builds/${started.id}`),
      (one) => one.status === 'succeeded',
    );
  });

  test('a source is put with no Content-Type, by its own signature only', async () => {
    const { source_blob: blob } = await ok(heroku, 'POST', '/sources');
    const put = async (url: string, type: string) =>
      (await fetch(url, { method: 'PUT', body: 'x', headers: { 'Content-Type': type } })).status;
    expect(await put(blob.put_url, 'application/gzip')).toBe(403);
    expect(await put(blob.get_url, '')).toBe(403);
    expect(
      await put(
        blob.put_url.replace(/.$/, (last: string) => (last === '0' ? '1' : '0')),
        '',
      ),
    ).toBe(403);
    expect(await put(blob.put_url, '')).toBe(200);
  });
});

describe('fault switches', () => {
  test('429 and 503 come as often as asked, where asked', async () => {
    const app = await newApp();
    heroku.addFault({ kind: '429', method: 'GET', path: '/apps/*', times: 2, after: 1 });
    heroku.addFault({ kind: '503', path: /\/config-vars$/ });
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await call(heroku, 'GET', app)).status);
    expect(statuses).toEqual([200, 429, 429, 200]);
    const html = await fetch(`${heroku.url}${app}/config-vars`, { headers: { Accept: V3, Authorization: `Bearer ${heroku.token}` } });
    expect([html.status, html.headers.get('content-type')]).toEqual([503, 'text/html; charset=UTF-8']);
  });

  test('a reset loses the request, or only its answer', async () => {
    const app = await newApp();
    const patch = (value: string) => call(heroku, 'PATCH', `${app}/config-vars`, { A: value });
    heroku.addFault({ kind: 'reset-before', method: 'PATCH' });
    await expect(patch('1')).rejects.toThrow();
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({});
    heroku.addFault({ kind: 'reset-after', method: 'PATCH' });
    await expect(patch('2')).rejects.toThrow();
    expect(await ok(heroku, 'GET', `${app}/config-vars`)).toEqual({ A: '2' });
    heroku.addFault({ kind: 'cut', method: 'GET' });
    await expect(call(heroku, 'GET', `${app}/config-vars`)).rejects.toThrow();
  });

  test('are thrown over HTTP too, and seen in the request log, which holds no value', async () => {
    const app = await newApp();
    heroku.clearLog();
    const admin = (method: string, path: string, body?: unknown) =>
      fetch(`${heroku.url}/_sandbox/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    expect((await admin('POST', 'faults', { kind: 'reset-after', method: 'PATCH', path: '/apps/*/config-vars' })).status).toBe(201);
    await expect(call(heroku, 'PATCH', `${app}/config-vars`, { A: 'canary-value' })).rejects.toThrow();
    expect((await admin('POST', 'faults', { kind: 'nonsense' })).status).toBe(422);
    expect((await admin('PATCH', 'settings', { maxPage: '7' })).status).toBe(422);
    expect(((await (await admin('PATCH', 'settings', { maxPage: 7 })).json()) as Json).maxPage).toBe(7);
    heroku.settings.maxPage = 1000;
    expect(heroku.log()).toMatchObject([{ method: 'PATCH', path: `${app}/config-vars`, status: 0, fault: 'reset-after' }]);
    expect(await (await admin('GET', 'requests')).text()).not.toContain('canary-value');
  });
});

test('the rate limit is spent by every call but its own', async () => {
  const small = await startLocalHeroku({ upstreamDir: null, settings: { rateLimit: 3 } });
  const statuses: number[] = [];
  for (const path of ['/account', '/account/rate-limits', '/account', '/account', '/account', '/account/rate-limits'])
    statuses.push((await call(small, 'GET', path)).status);
  await small.stop();
  expect(statuses).toEqual([200, 200, 200, 200, 429, 200]);
});
