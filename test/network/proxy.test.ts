import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { networkOf } from '../../lib/network/network.js';
import { openPage } from '../../lib/smoke/page.client.js';
import { halcyonRequest } from '../../lib/storage/halcyon-requests.js';
import { startProxy, type TestProxy } from '../support/proxy.js';

/** Nothing listens there: only the proxy knows the way. */
const NOWHERE = 'localhost:2';
let server: Server;
let paths: string[];
let proxies: TestProxy[];
beforeEach(async () => {
  paths = [];
  proxies = [];
  server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`);
    request.resume();
    const source = { put_url: `http://${NOWHERE}/put`, get_url: `http://${NOWHERE}/get` };
    const at = '2026-01-01T00:00:00Z';
    const body = request.url === '/sources' ? { source_blob: source } : { id: 'b', status: 'pending', created_at: at, updated_at: at };
    request.on('end', () => response.end(request.url === '/text' ? 'the nonce' : JSON.stringify(body)));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

async function behind(
  options: { refuse?: string; delayMs?: (connects: number) => number; no?: string; name?: string } = {},
): Promise<TestProxy> {
  const { port } = server.address() as AddressInfo;
  const proxy = await startProxy({ ...options, to: () => port });
  proxies.push(proxy);
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'])
    for (const one of [name, name.toUpperCase()]) vi.stubEnv(one, undefined);
  vi.stubEnv(options.name ?? 'HTTP_PROXY', proxy.url.replace('//', '//kit:canary-password@'));
  if (options.no !== undefined) vi.stubEnv('NO_PROXY', options.no);
  return proxy;
}
const heroku = () => createHeroku({ token: 'canary-token', host: `http://${NOWHERE}`, patience: { baseMs: 1, attempts: 2 } });

describe('requests go by the proxy of the environment', () => {
  test.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])('Heroku: calls, uploads, streams (%s)', async (name) => {
    const proxy = await behind({ name });
    await heroku().startBuild('web', Buffer.from('x'));
    let text = '';
    await heroku().followStream(`http://${NOWHERE}/text`, (chunk) => (text += chunk));
    expect(text).toBe('the nonce');
    expect(paths).toEqual(['POST /sources', 'PUT /put', 'POST /apps/web/builds', 'GET /text']);
    expect(new Set(proxy.connects)).toEqual(new Set([NOWHERE]));
    expect(proxy.authorizations[0]).toBe(`Basic ${Buffer.from('kit:canary-password').toString('base64')}`);
  });

  test('pages', async () => {
    const proxy = await behind();
    expect(await openPage(`http://${NOWHERE}/text`, 'the nonce', { network: networkOf(), timeoutMs: 0 })).toBe('found');
    expect(proxy.connects).toEqual([NOWHERE]);
  });

  test('but not to hosts in NO_PROXY', async () => {
    const proxy = await behind({ no: 'example.com,localhost' });
    await expect(heroku().configVars('web')).rejects.toMatchObject({ code: 'heroku-unavailable' });
    expect(proxy.connects).toEqual([]);
  });
});

describe('a proxy that fails is named, without its password', () => {
  const store = { endpoint: NOWHERE, region: 'eu-west-1', bucket: 'b', acl: 'private', signing: 4 } as const;
  const ask = (name: string) => {
    vi.stubEnv('HTTPS_PROXY', process.env[name]);
    const key = { accessKeyId: 'AKIA', secretAccessKey: 'the-secret-of-nobody' };
    return halcyonRequest({ ...store, key }, { operation: 'download', key: 'k' }, { network: networkOf() });
  };

  test('one that refuses', async () => {
    const { url } = await behind({ refuse: '407 Proxy Authentication Required' });
    const message = expect.stringMatching(`^proxy ${url} refuses to connect to ${NOWHERE} \\(407 Proxy Authentication Required\\)`);
    await expect(heroku().configVars('web')).rejects.toMatchObject({ code: 'proxy-refused', message });
    await expect(heroku().followStream(`http://${NOWHERE}/text`, () => {})).rejects.toMatchObject({ code: 'proxy-refused', message });
    expect((await ask('HTTP_PROXY')).failure).toEqual({ code: 'proxy-refused', message });
    expect(paths).toEqual([]);
  });

  test('one that is not there', async () => {
    const proxy = await behind();
    await proxy.stop();
    proxies = [];
    const message = expect.stringMatching(`^proxy ${proxy.url} cannot be reached \\(ECONNREFUSED\\); correct HTTPS_PROXY`);
    await expect(heroku().configVars('web')).rejects.toMatchObject({ code: 'proxy-unreachable', message });
    // Nothing left this machine, so a write may be repeated and is not in doubt.
    await expect(heroku().patchConfigVars('web', { A: '1' })).rejects.toMatchObject({ code: 'proxy-unreachable', message });
    expect((await ask('HTTP_PROXY')).failure).toEqual({ code: 'proxy-unreachable', message });
  });

  test('one that says nothing is given up within ten seconds, and one that has answered may be slow', async () => {
    const proxy = await behind({ delayMs: (connects) => [3_600_000, 0, 20_000][connects - 1] ?? 0 });
    const network = networkOf();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const begun = Date.now();
    const asked = async (): Promise<unknown> => {
      const asking = createHeroku({ token: 'canary-token', host: `http://${NOWHERE}`, network }).configVars('web');
      const over = asking.catch(() => {}).then(() => true);
      for (let ended = false; !ended;) ended = await Promise.race([over, vi.advanceTimersByTimeAsync(500).then(() => false)]);
      return asking;
    };
    const message = expect.stringContaining('cannot be reached (no answer within 8 s)');
    await expect(asked()).rejects.toMatchObject({ code: 'proxy-unreachable', message });
    expect(Date.now() - begun).toBeLessThan(10_000);
    for (const connects of [2, 3]) {
      expect(await asked()).toMatchObject({ id: 'b' });
      expect(proxy.connects.length).toBe(connects);
    }
  });

  test('one of a kind that is not spoken', async () => {
    await behind();
    vi.stubEnv('HTTP_PROXY', 'socks5://kit:canary-password@127.0.0.1:1');
    const refused = expect.objectContaining({ code: 'proxy-invalid', message: expect.not.stringContaining('canary-password') });
    await expect(heroku().configVars('web')).rejects.toEqual(refused);
  });
});
