import { Agent, createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { Agent as AgentBase } from 'agent-base';
import { afterEach, expect, test, vi } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Patience } from '../../lib/heroku/retry.plan.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf, type Network } from '../../lib/network/network.js';

let servers: Server[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const server of servers) server.close();
  servers = [];
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function counting(
  host: string,
  patience: Partial<Patience>,
  { httpAgent, known = networkOf({}) }: { httpAgent?: Agent; known?: Network } = {},
) {
  const seen = { again: 0 };
  const io = { ...silentIo, debug: (text: string) => void (seen.again += Number(text.endsWith('trying again'))) };
  const network = httpAgent ? { ...known, agents: async () => ({ httpAgent }) } : known;
  return { seen, heroku: createHeroku({ token: 'any', host, io, network, patience: { baseMs: 1, ...patience } }) };
}
const unreachable = (host: string) => ({
  code: 'heroku-unavailable',
  message: expect.stringContaining(`cannot be reached at ${host}`),
});

test('a host that was never reached in this network is given up sooner than one that stops answering, whoever asks', async () => {
  const server = createServer((_, response) => response.end('[]'));
  const host = `http://${await listening(server)}`;
  const known = networkOf({});
  const reached = counting(host, {}, { known });
  expect(await reached.heroku.apps()).toEqual([]);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  servers = [];
  await expect(reached.heroku.apps()).rejects.toMatchObject(unreachable(host));
  const another = counting(host, {}, { known });
  await expect(another.heroku.apps()).rejects.toMatchObject(unreachable(host));
  const never = counting(host, {});
  await expect(never.heroku.apps()).rejects.toMatchObject(unreachable(host));
  expect([reached.seen.again, another.seen.again, never.seen.again]).toEqual([4, 4, 3]);
});

/** Answers nothing, as a host that drops packets does not. */
const dropping = new Agent({ lookup: () => {} });
const withholding = new (class extends AgentBase {
  override connect = () => new Promise<never>(() => {});
})();

test.each([
  ['one that never takes the connection', dropping],
  ['one behind a proxy that says nothing', withholding],
])('%s is given up when the time for all attempts is over', async (_, httpAgent) => {
  const host = 'http://localhost:1';
  const { heroku, seen } = counting(host, { reachMs: 30, timeoutMs: 3_600_000 }, { httpAgent });
  await expect(heroku.apps()).rejects.toMatchObject(unreachable(host));
  expect(seen.again).toBe(0);
});

test('nor one that takes it, and says nothing of TLS', async () => {
  const server = createTcpServer();
  const host = `https://${await listening(server)}`;
  await expect(counting(host, { reachMs: 30, timeoutMs: 3_600_000 }).heroku.apps()).rejects.toMatchObject(unreachable(host));
});

test('one that was reached may take as long for a connection as for an answer', async () => {
  const server = createServer((_, response) => response.setHeader('Connection', 'close').end('[]'));
  const host = `http://localhost:${(await listening(server)).split(':')[1]}`;
  let lookups = 0;
  const lookup = (...[, , done]: unknown[]) => {
    const answer = () => (done as (error: null, addresses: unknown) => void)(null, [{ address: '127.0.0.1', family: 4 }]);
    if (lookups++ === 0) answer();
    else setTimeout(answer, 20_000);
  };
  const { heroku, seen } = counting(host, {}, { httpAgent: new Agent({ lookup: lookup as () => void }) });
  expect(await heroku.apps()).toEqual([]);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const second = heroku.apps();
  const over = second.then(
    () => true,
    () => true,
  );
  for (let ended = false; !ended;) ended = await Promise.race([over, vi.advanceTimersByTimeAsync(1000).then(() => false)]);
  expect([await second, seen.again]).toEqual([[], 0]);
});

test('what only reads ends at once where it is interrupted, however silent Heroku is; that it is silent is told', async () => {
  const host = `http://${await listening(createServer(() => {}))}`;
  const controller = new AbortController();
  const warned: string[] = [];
  const io = { ...silentIo, warn: (text: string) => void warned.push(text) };
  const patience = { baseMs: 1, timeoutMs: 50 };
  const heroku = createHeroku({ token: 'any', host, io, network: networkOf({}), patience, signal: controller.signal });
  const silent = createHeroku({ token: 'any', host, io: silentIo, network: networkOf({}), signal: controller.signal });
  await expect(heroku.apps()).rejects.toMatchObject({ code: 'heroku-unavailable' });
  expect(warned).toContain("Heroku's GET /apps: no answer within 0.05 s; trying again");
  const reason = new Error('stop');
  const reading = Promise.allSettled([silent.apps(), silent.app('one')]);
  setTimeout(() => controller.abort(reason), 100);
  expect(await reading).toMatchObject([{ reason }, { reason }]);
}, 20_000);
