import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { silentIo } from '../../lib/io/io-host.js';

test('a host that was never reached is given up sooner than one that stops answering', async () => {
  const server = createServer((_, response) => response.end('[]'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let again = 0;
  const io = { ...silentIo, debug: (text: string) => void (again += Number(text.endsWith('trying again'))) };
  const open = () => createHeroku({ token: 'any', host, io, patience: { baseMs: 1 } });
  const reached = open();
  expect(await reached.apps()).toEqual([]);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  const dead = { code: 'heroku-unavailable', message: expect.stringContaining(`cannot be reached at ${host}`) };
  await expect(reached.apps()).rejects.toMatchObject(dead);
  expect(again).toBe(4);
  await expect(open().apps()).rejects.toMatchObject(dead);
  expect(again).toBe(4 + 3);
});
