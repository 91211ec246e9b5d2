import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { upload } from '../../lib/heroku/stream.js';
import { networkOf } from '../../lib/network/network.js';

test('an upload that nobody answers ends with the signal', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const server = createServer(() => stop.abort(reason)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const patience = { attempts: 5, baseMs: 1, rateLimitMs: 0, timeoutMs: 1000, reachMs: 1000 };
  await expect(upload(networkOf({}), url, Buffer.from('x'), patience, stop.signal)).rejects.toBe(reason);
  server.closeAllConnections();
  server.close();
});
