import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { KitError } from '../../lib/errors.js';
import { LONGEST_ANSWER } from '../../lib/network/answers.js';
import { redact } from '../../lib/io/redaction.js';

/** A server that misbehaves as told: one handler an incoming request, the last one for all that follow. */
type Handler = (req: IncomingMessage, res: ServerResponse, body: string) => void;
let handlers: Handler[];
let seen: Array<{ method: string; path: string; headers: IncomingMessage['headers']; body: string }>;
let close: () => Promise<void>;
let host: string;
let heroku: Heroku;
const token = 'canary-token-0a1b2c3d';

beforeEach(async () => {
  handlers = [];
  seen = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: req.method ?? '', path: req.url ?? '', headers: req.headers, body });
      const handler = handlers.length > 1 ? handlers.shift() : handlers[0];
      handler?.(req, res, body);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  heroku = createHeroku({ token, host, patience: { baseMs: 1, timeoutMs: 2000 } });
  close = () =>
    new Promise((done) => {
      server.closeAllConnections();
      server.close(() => done());
    });
});
afterEach(() => close());

const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Handler =>
  (_, res) =>
    res.writeHead(status, { 'Content-Type': 'application/json', 'RateLimit-Remaining': '4000', ...headers }).end(JSON.stringify(value));
const reset: Handler = (req) => req.socket.destroy();
const calls = () => seen.map(({ method, path }) => `${method} ${path}`);
const app = { id: '1', name: 'web', stack: { name: 'heroku-24' }, created_at: '2026-01-01T00:00:00Z', maintenance: false };

const at = '2026-01-01T00:00:00Z';
const release = { id: 'r', version: 3, status: 'succeeded', description: 'Deploy', created_at: at, updated_at: at };

describe('what is sent', () => {
  test('v3 Accept, the token, and no Range but on lists', async () => {
    handlers = [json(200, { A: '1' })];
    await heroku.configVars('web');
    await heroku.buildpacks('web').catch(() => undefined);
    expect(seen[0]?.headers).toMatchObject({
      accept: 'application/vnd.heroku+json; version=3',
      authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}`,
    });
    expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  test('names are encoded into the path', async () => {
    handlers = [json(200, {})];
    await heroku.configVars('../account?x=1');
    expect(calls()).toEqual(['GET /apps/..%2Faccount%3Fx%3D1/config-vars']);
  });

  test('without a token nothing is sent at all', () => {
    expect(() => createHeroku({ token: '', host })).toThrow(expect.objectContaining({ code: 'heroku-credentials-missing' }));
    expect(seen).toEqual([]);
  });

  test('a foreign host never sees the token', () => {
    expect(() => createHeroku({ token, host: 'https://example.com' })).toThrow(expect.objectContaining({ code: 'heroku-host-refused' }));
  });
});

describe('what is read', () => {
  test('UTF-8 cut in the middle of a character', async () => {
    const bytes = Buffer.from(JSON.stringify({ NAME: 'größe ✓' }));
    handlers = [
      (_, res) => {
        res.writeHead(200, { 'Content-Length': bytes.length });
        const cut = bytes.indexOf(0xc3) + 1;
        res.write(bytes.subarray(0, cut));
        setTimeout(() => res.end(bytes.subarray(cut)), 20);
      },
    ];
    expect(await heroku.configVars('web')).toEqual({ NAME: 'größe ✓' });
  });

  test('a truncated answer is asked for again, and does not hang', async () => {
    handlers = [
      (_, res) => {
        res.writeHead(200, { 'Content-Length': 100 });
        res.write('{"A":');
        setTimeout(() => res.destroy(), 10);
      },
      json(200, { A: '1' }),
    ];
    expect(await heroku.configVars('web')).toEqual({ A: '1' });
    expect(seen).toHaveLength(2);
  });

  test('a 304 is an error inside the promise', async () => {
    handlers = [(_, res) => res.writeHead(304).end()];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code: 'heroku-refused' });
  });

  test('HTML instead of JSON is an error that quotes nothing', async () => {
    handlers = [(_, res) => res.writeHead(200).end('<html>SECRET-IN-BODY</html>')];
    const error = await heroku.configVars('web').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'heroku-unavailable' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('SECRET-IN-BODY');
  });

  test('all pages of a list, in order', async () => {
    const page = (name: string) => [{ ...app, name }];
    handlers = [
      json(206, page('a'), { 'Next-Range': ']a..; max=1000' }),
      json(206, page('b'), { 'Next-Range': ']b..; max=1000' }),
      json(200, page('c')),
    ];
    expect((await heroku.apps()).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(seen.map(({ headers }) => headers.range)).toEqual(['name ..; max=1000', ']a..; max=1000', ']b..; max=1000']);
  });

  test('so many pages of it, of the apps between two names', async () => {
    handlers = [json(206, [app], { 'Next-Range': 'name ]web..worker; max=1000' })];
    expect(await heroku.apps({ from: 'web', to: 'worker', pages: 1 })).toHaveLength(1);
    expect(seen.map(({ headers }) => headers.range)).toEqual(['name web..worker; max=1000']);
  });

  test('apps by their ids: a thousand a request, asked for by POST, which may be repeated', async () => {
    let refused = false;
    handlers = [
      (req, res, body) => {
        const { in: asked } = JSON.parse(body) as { in: { id: string[] } };
        if (asked.id.length === 1) return json(200, [{ ...app, name: 'b' }])(req, res, body);
        if (req.headers.range === 'id ]1..; max=1000') return json(200, [{ ...app, name: 'c' }])(req, res, body);
        if (refused) return json(206, [app], { 'Next-Range': 'id ]1..; max=1000' })(req, res, body);
        refused = true;
        return json(503, {})(req, res, body);
      },
    ];
    const ids = Array.from({ length: 1001 }, (_, n) => `id-${n}`);
    expect((await heroku.appsById(ids)).map(({ name }) => name)).toEqual(['web', 'c', 'b']);
    expect(calls()).toEqual(Array(4).fill('POST /filters/apps'));
  });

  test('no more pages than asked for', async () => {
    handlers = [json(206, [release], { 'Next-Range': ']7..' })];
    expect(await heroku.releases('web', { max: 1 })).toHaveLength(1);
    expect(seen).toHaveLength(1);
  });
});

describe('what is not as documented', () => {
  test('is named by request and path, and quoted nowhere', async () => {
    handlers = [json(200, [app, { ...app, name: { first: 'SECRET-IN-BODY' } }])];
    const error = await heroku.apps().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'unexpected-answer', details: { request: 'GET /apps', path: '1.name' } });
    expect((error as Error).message).toContain("Heroku's answer to GET /apps is not as documented: 1.name: expected string");
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('SECRET-IN-BODY');
  });

  test.each([
    ['no body', (_, res) => res.writeHead(204).end()],
    ['null', json(200, null)],
    ['a list', json(200, [])],
    ['a number among the values', json(200, { A: 1 })],
  ] as Array<[string, Handler]>)('%s does not mean that an app has no config vars', async (_, handler) => {
    handlers = [handler];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code: 'unexpected-answer' });
  });

  test('a write with an odd answer is looked for, and not done again', async () => {
    handlers = [json(200, 'odd'), json(200, { A: '1' })];
    expect(await heroku.patchConfigVars('web', { A: '1' })).toEqual({ A: '1' });
    handlers = [json(200, 'odd'), json(200, {}), json(200, [release])];
    await expect(heroku.patchConfigVars('web', { A: '1' })).rejects.toMatchObject({ code: 'unexpected-answer' });
    expect(calls().filter((call) => call.startsWith('PATCH'))).toHaveLength(2);
  });

  test('of an answer that never ends no more is read than is kept, and it is asked for once', async () => {
    let sent = 0;
    handlers = [
      (_, res) => {
        res.writeHead(200);
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        const pump = (): void => {
          if (res.destroyed || sent >= 2 ** 30) return void res.end();
          sent += chunk.length;
          res.write(chunk, pump);
        };
        pump();
      },
    ];
    // A busy machine takes seconds for so much.
    const patient = createHeroku({ token, host, patience: { baseMs: 1 } });
    await expect(patient.configVars('web')).rejects.toMatchObject({
      code: 'unexpected-answer',
      message: expect.stringContaining('longer than 16 MB'),
    });
    expect(seen).toHaveLength(1);
    expect(sent).toBeLessThan(2 * LONGEST_ANSWER);
  });

  test('a page that points to itself, or to ever another, comes to an end', async () => {
    handlers = [json(206, [app], { 'Next-Range': ']a..; max=1000' })];
    await expect(heroku.apps()).rejects.toMatchObject({ code: 'unexpected-answer' });
    expect(seen).toHaveLength(2);
    let page = 0;
    handlers = [(_, res) => res.writeHead(206, { 'Next-Range': `]${page++}..; max=1000` }).end('[]')];
    await expect(heroku.apps()).rejects.toMatchObject({ code: 'unexpected-answer' });
    expect(page).toBeLessThan(1000);
  });

  test('a line without end is cut, and the next one is whole', async () => {
    handlers = [
      (_, res) => res.writeHead(200).write('x'.repeat(10_000), () => res.write('x'.repeat(5_000_000), () => res.end('\nthe next\n'))),
    ];
    let text = '';
    await heroku.followStream(`${host}/stream`, (chunk) => (text += chunk));
    expect(text).toBe(`${'x'.repeat(16 * 1024)}…\nthe next\n`);
  });

  test("an app's other secrets are not printed once they were read", async () => {
    const vars = {
      DATABASE_URL: 'postgres://user:canary-database-1@db.example.com/x',
      API_TOKEN: 'canary-token-of-another-kind',
      PLAINLY: 'cAnAryRandom0123456789abcdef',
      AUTH_REGION: 'eu-west-1',
      HALCYON_S3_BUCKET: 'halcyon-payments',
    };
    handlers = [json(200, vars), json(403, { id: 'forbidden', message: `No: ${JSON.stringify(vars)}` })];
    await heroku.configVars('web');
    const { message } = (await heroku.configVars('web').catch((thrown: Error) => thrown)) as Error;
    expect(message).not.toMatch(/canary/i);
    expect(message).toContain('eu-west-1');
    expect(message).toContain('halcyon-payments');
  });

  test('what Heroku says of keys that nobody has read yet is masked, and is one short line', async () => {
    const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'.replace('EXAMPLE', 'cAnAry0');
    handlers = [json(422, { id: 'invalid_params', message: `Bad ${secret} of AKIAEXAMPLE000000001\n\u001b[2J${'x '.repeat(9_000)}` })];
    const { message } = (await heroku.configVars('web').catch((thrown: Error) => thrown)) as Error;
    expect(message).not.toContain('cAnAry0');
    expect(message).toContain('Bad [redacted] of AKIA…0001 \\u001b[2J');
    expect(message.length).toBeLessThan(700);
  });
});

describe('errors', () => {
  test.each([
    [401, { id: 'unauthorized', message: 'Invalid credentials provided.' }, 'heroku-unauthorized'],
    [403, { id: 'forbidden', message: 'You do not have access to the app web.' }, 'heroku-forbidden'],
    [404, { resource: 'app', id: 'not_found', message: "Couldn't find that app." }, 'app-not-found'],
    [404, { resource: 'release', id: 'not_found', message: "Couldn't find that release." }, 'heroku-not-found'],
    [422, { id: 'invalid_params', message: 'Nope.' }, 'heroku-invalid'],
    [416, { id: 'requested_range_not_satisfiable', message: 'Range.' }, 'heroku-refused'],
  ])('%i %j is %3$s', async (status, body, code) => {
    handlers = [json(status, body)];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code });
    expect(seen).toHaveLength(1);
  });

  test('no secret of ours in any of them', async () => {
    handlers = [json(401, { id: 'unauthorized', message: `Bad token ${token}.` })];
    const error = await heroku.configVars('web').catch((thrown: Error) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token);
  });

  test('no connection at all', async () => {
    await close();
    await expect(heroku.configVars('web')).rejects.toMatchObject({
      code: 'heroku-unavailable',
      message: expect.stringContaining(host) as string,
    });
  });

  test('no answer in time: asked again, then given up', async () => {
    heroku = createHeroku({ token, host, patience: { baseMs: 1, timeoutMs: 50, attempts: 2 } });
    handlers = [() => undefined];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code: 'heroku-unavailable' });
    expect(seen).toHaveLength(2);
  });
});

describe('safe requests', () => {
  test.each([
    ['resets', reset],
    ['503 with HTML', ((_, res) => res.writeHead(503).end('<html>busy</html>')) as Handler],
  ])('%s are asked again', async (_, fault) => {
    handlers = [fault, fault, json(200, { A: '1' })];
    expect(await heroku.configVars('web')).toEqual({ A: '1' });
    expect(seen).toHaveLength(3);
  });

  test('five times at most', async () => {
    handlers = [reset];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code: 'heroku-unavailable' });
    expect(seen).toHaveLength(5);
  });

  test('an app that is gone already is deleted', async () => {
    handlers = [reset, json(404, { resource: 'app', id: 'not_found', message: "Couldn't find that app." })];
    await heroku.deleteApp('web');
    expect(calls()).toEqual(['DELETE /apps/web', 'DELETE /apps/web']);
  });
});

describe('rate limit', () => {
  test('429 is waited for, on writes too, as nothing was carried out', async () => {
    handlers = [json(429, { id: 'rate_limit', message: 'Slow.' }, { 'Retry-After': '0.02' }), json(200, { A: '1' })];
    await heroku.patchConfigVars('web', { A: '1' });
    expect(calls()).toEqual(['PATCH /apps/web/config-vars', 'PATCH /apps/web/config-vars']);
  });

  test('and given up when patience ends', async () => {
    heroku = createHeroku({ token, host, patience: { baseMs: 1, rateLimitMs: 60 } });
    handlers = [json(429, { id: 'rate_limit', message: 'Slow.' }, { 'Retry-After': '0.02' })];
    await expect(heroku.configVars('web')).rejects.toMatchObject({ code: 'heroku-rate-limited' });
  });

  test('an interrupt ends the wait at once, queue included', async () => {
    const abort = new AbortController();
    heroku = createHeroku({ token, host, concurrency: 1, signal: abort.signal });
    handlers = [json(429, {}, { 'Retry-After': '500' }), json(200, { A: '1' })];
    const waiting = Promise.allSettled([heroku.configVars('a'), heroku.patchConfigVars('b', { A: '1' })]);
    while (seen.length === 0) await new Promise((go) => setTimeout(go, 5));
    abort.abort(new KitError('interrupted', 'interrupted'));
    expect(await waiting).toMatchObject([{ reason: { code: 'interrupted' } }, { reason: { code: 'interrupted' } }]);
    expect(seen).toHaveLength(1);
  });

  test('a guard comes before every attempt, and stops the next; a write it stands before is not repeated here', async () => {
    let passes = 1;
    const guard = async () => {
      if ((passes -= 1) < 0) throw new KitError('lease-lost', 'gone');
    };
    handlers = [json(429, {}, { 'Retry-After': '0.02' }), json(200, { A: '1' })];
    await expect(heroku.patchConfigVars('web', { A: '1' }, guard)).rejects.toMatchObject({ code: 'lease-lost' });
    expect(calls()).toEqual(['PATCH /apps/web/config-vars']);
  });

  test('one 429 holds all requests back', async () => {
    let until = 0;
    let refused = 0;
    handlers = [
      (req, res, body) => {
        if (until > 0 && Date.now() >= until) return json(200, {})(req, res, body);
        until ||= Date.now() + 300;
        refused += 1;
        json(429, {}, { 'Retry-After': String((until - Date.now()) / 1000) })(req, res, body);
      },
    ];
    heroku = createHeroku({ token, host, concurrency: 1, patience: { baseMs: 1 } });
    await Promise.all([heroku.configVars('a'), heroku.configVars('b'), heroku.configVars('c')]);
    expect(refused).toBe(1);
    expect(seen).toHaveLength(4);
  });
});

describe('writes whose answer is lost', () => {
  test('a POST is never sent again by itself', async () => {
    handlers = [reset, json(200, app)];
    expect((await heroku.createApp({ name: 'web' })).name).toBe('web');
    expect(calls()).toEqual(['POST /apps', 'GET /apps/web']);
  });

  test('it is sent again where looking shows that it did not take effect', async () => {
    handlers = [reset, json(404, { resource: 'app', id: 'not_found', message: "Couldn't find that app." }), json(201, app)];
    await heroku.createApp({ name: 'web' });
    expect(calls()).toEqual(['POST /apps', 'GET /apps/web', 'POST /apps']);
  });

  test.each([
    ['reset', reset],
    ['503', json(503, {})],
    ['answered with half', ((_, res) => res.writeHead(200).end('{"A"')) as Handler],
  ])('a PATCH that was %s after it took effect is confirmed by reading', async (_, fault) => {
    handlers = [fault, json(200, { A: '1', OTHER: 'x' })];
    expect(await heroku.patchConfigVars('web', { A: '1', B: null })).toEqual({ A: '1', OTHER: 'x' });
    expect(calls()).toEqual(['PATCH /apps/web/config-vars', 'GET /apps/web/config-vars']);
  });

  test('a PATCH that did not take effect is sent again', async () => {
    handlers = [reset, json(200, {}), json(200, [release]), json(200, { A: '1' })];
    await heroku.patchConfigVars('web', { A: '1' });
    expect(calls().filter((call) => call.startsWith('PATCH'))).toHaveLength(2);
  });

  test('a PATCH whose release is still pending is not sent again, though the old values are answered', async () => {
    handlers = [reset, json(200, {}), json(200, [{ ...release, status: 'pending', description: 'Set A config vars' }])];
    expect(await heroku.patchConfigVars('web', { A: '1' })).toEqual({});
    expect(calls().filter((call) => call.startsWith('PATCH'))).toHaveLength(1);
  });

  test('what stays unclear is said to be', async () => {
    handlers = [reset];
    const read = heroku.patchConfigVars('web', { A: '1' });
    await expect(read).rejects.toMatchObject({ code: 'heroku-unavailable' });
    expect(calls().filter((call) => call.startsWith('PATCH'))).toHaveLength(1);
  });

  test('a one-off dyno that did start is found again', async () => {
    const dyno = {
      id: 'd',
      name: 'run.7',
      type: 'run',
      state: 'up',
      created_at: new Date().toISOString(),
      command: 'echo 1',
      release: { version: 3 },
    };
    handlers = [reset, json(200, [{ ...dyno, name: 'run.6', command: 'other' }, dyno])];
    expect((await heroku.runDyno('web', { command: 'echo 1', timeToLive: 60 })).name).toBe('run.7');
    expect(calls()).toEqual(['POST /apps/web/dynos', 'GET /apps/web/dynos']);
  });
});

describe('builds', () => {
  const build = { id: 'b1', status: 'pending', created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
  test('uploads with no Content-Type, builds once, and hides the signed URLs', async () => {
    const source = { put_url: `${host}/put?signature=aaaaaaaa`, get_url: `${host}/get?signature=bbbbbbbb` };
    handlers = [
      json(201, { source_blob: source }),
      (_, res) => res.writeHead(200).end(),
      reset,
      json(200, [{ ...build, source_blob: { url: source.get_url } }]),
    ];
    const started = await heroku.startBuild('web', Buffer.from('tarball'), { version: 'v1' });
    expect(started.id).toBe('b1');
    expect(seen[1]).toMatchObject({ method: 'PUT', body: 'tarball' });
    expect(seen[1]?.headers['content-type'] ?? '').toBe('');
    expect(seen[1]?.headers.authorization).toBeUndefined();
    expect(JSON.parse(seen[2]?.body ?? '')).toMatchObject({
      source_blob: { url: source.get_url, version: 'v1', checksum: expect.stringMatching(/^SHA256:[0-9a-f]{64}$/) },
    });
    expect(calls().filter((call) => call === 'POST /apps/web/builds')).toHaveLength(1);
    expect(redact(`${source.put_url} ${source.get_url}`)).toBe('[redacted] [redacted]');
  });
});

describe('streams', () => {
  const follow = async () => {
    let text = '';
    await heroku.followStream(`${host}/stream?token=cccccccc`, (chunk) => (text += chunk));
    return text;
  };
  test('a cut is resumed where it was, NULs dropped and not counted', async () => {
    handlers = [
      (_, res) => {
        res.writeHead(200);
        res.write('\0hel');
        setTimeout(() => res.destroy(), 20);
      },
      (_, res) => res.writeHead(206).end('lo\0'),
    ];
    expect(await follow()).toBe('hello');
    expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=3-']);
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  test('a server that ignores Range does not repeat what was seen', async () => {
    handlers = [
      (_, res) => {
        res.writeHead(200);
        res.write('hel');
        setTimeout(() => res.destroy(), 20);
      },
      (_, res) => res.writeHead(200).end('hello'),
    ];
    expect(await follow()).toBe('hello');
  });

  test('a stream not there yet is tried again; never there is an error without its URL', async () => {
    handlers = [(_, res) => res.writeHead(404).end(), (_, res) => res.writeHead(200).end('ok')];
    expect(await follow()).toBe('ok');
    handlers = [(_, res) => res.writeHead(404).end()];
    await expect(follow()).rejects.toMatchObject({ code: 'heroku-unavailable', message: expect.not.stringContaining('cccccccc') });
  });

  test('an abort ends it', async () => {
    handlers = [(_, res) => res.writeHead(200).write('x')];
    const abort = new AbortController();
    await expect(heroku.followStream(`${host}/stream`, () => abort.abort(), abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('DEBUG=http prints no body', async () => {
  const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  process.env.DEBUG = 'http';
  try {
    handlers = [json(200, { SECRET: 'canary-of-the-body' })];
    await heroku.configVars('web');
    expect(printed.mock.calls.flat().join('')).not.toContain('canary-of-the-body');
  } finally {
    delete process.env.DEBUG;
    printed.mockRestore();
  }
});
