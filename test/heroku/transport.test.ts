import { Agent, createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Patience } from '../../lib/heroku/retry.plan.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** @param lookup - in place of the system's. */
function counting(host: string, patience: Partial<Patience>, lookup?: () => void) {
  const seen = { again: 0 };
  const io = { ...silentIo, debug: (text: string) => void (seen.again += Number(text.endsWith('trying again'))) };
  const network = lookup ? { ...networkOf({}), agents: async () => ({ httpAgent: new Agent({ lookup }) }) } : undefined;
  return { seen, heroku: createHeroku({ token: 'any', host, io, network, patience: { baseMs: 1, ...patience } }) };
}
const unreachable = (host: string) => ({
  code: 'heroku-unavailable',
  message: expect.stringContaining(`cannot be reached at ${host}`),
});

test('a host that was never reached is given up sooner than one that stops answering', async () => {
  const server = createServer((_, response) => response.end('[]'));
  const host = `http://${await listening(server)}`;
  const reached = counting(host, {});
  expect(await reached.heroku.apps()).toEqual([]);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await expect(reached.heroku.apps()).rejects.toMatchObject(unreachable(host));
  const never = counting(host, {});
  await expect(never.heroku.apps()).rejects.toMatchObject(unreachable(host));
  expect([reached.seen.again, never.seen.again]).toEqual([4, 3]);
});

test('one that never takes the connection is given up when the time for all attempts is over', async () => {
  // What nobody answers, as a host that drops packets does not.
  const host = 'http://localhost:1';
  const { heroku, seen } = counting(host, { reachMs: 30, timeoutMs: 3_600_000 }, () => {});
  await expect(heroku.apps()).rejects.toMatchObject(unreachable(host));
  expect(seen.again).toBe(0);
});

test('nor one that takes it, and says nothing of TLS', async () => {
  const server = createTcpServer();
  const host = `https://${await listening(server)}`;
  await expect(counting(host, { reachMs: 30, timeoutMs: 3_600_000 }).heroku.apps()).rejects.toMatchObject(unreachable(host));
  server.close();
});

test('one that was reached may take as long for a connection as for an answer', async () => {
  const server = createServer((_, response) => response.setHeader('Connection', 'close').end('[]'));
  const host = `http://localhost:${(await listening(server)).split(':')[1]}`;
  let lookups = 0;
  const lookup = (...[, , done]: unknown[]) => {
    const answer = () => (done as (error: null, addresses: unknown) => void)(null, [{ address: '127.0.0.1', family: 4 }]);
    setTimeout(answer, lookups++ === 0 ? 0 : 800);
  };
  const { heroku, seen } = counting(host, { reachMs: 600 }, lookup as () => void);
  expect([await heroku.apps(), await heroku.apps(), seen.again]).toEqual([[], [], 0]);
  await new Promise((done) => server.close(done));
});
