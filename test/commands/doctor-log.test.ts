import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandHost } from '../../lib/cli/command.js';
import { doctor } from '../../lib/commands/doctor.js';
import { configText } from '../engine/support/wire.js';
import { quietHost } from '../support/host.js';

const LOG =
  '       HALCYON_NO_UPLOAD:  1\n-----> Welcome to Haskell on Heroku\n       External storage:   private\n   *** ERROR: Deploying buildpack only\n';
let dir: string;
const asked: string[] = [];
let server: Server;
let host: CommandHost;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'doctor-log-'));
  writeFileSync(join(dir, 'build.log'), LOG);
  writeFileSync(join(dir, 'halcyon.yaml'), configText('pay', { 'pay-api': 'mode: read-only' }));
  const at = '2026-01-01T00:00:00Z';
  server = createServer((request, response) => {
    asked.push(request.headers.authorization ?? '');
    const build = {
      id: 'b',
      status: 'succeeded',
      created_at: at,
      updated_at: at,
      output_stream_url: `http://${request.headers.host}/stream`,
    };
    response.end(request.url === '/stream' ? LOG : JSON.stringify(request.url === '/apps/pay-api/builds' ? [build] : []));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const env = { HEROKU_HOST: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, HEROKU_API_KEY: 'canary-token' };
  host = quietHost({ env });
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});
const run = (options: object) => doctor([], { config: join(dir, 'halcyon.yaml'), ...options }, host);

test('a pasted log: each cause with its line and its command; nobody is asked anything', async () => {
  const { text, exitCode, data } = await run({ log: join(dir, 'build.log'), config: join(dir, 'none.yaml') });
  expect(exitCode).toBe(1);
  expect(text).toMatch(
    /read-only-unbuilt \(build log\)\n {2}in a build log: \*\*\* ERROR: Deploying buildpack only\n {2}to mend it: .*prebuild OTHER-APP/,
  );
  expect((data as { findings: unknown[] }).findings).toHaveLength(2);
});

test('of an app: its newest build, with the names of app and team in the commands', async () => {
  const { text } = await run({ log: true, app: 'pay-api' });
  expect(text).toContain('`halcyon-kit prebuild pay-api --source DIR --deploy`');
  expect((await run({ app: 'pay-api', build: 'latest' })).text).toBe(text);
  await expect(run({ app: 'pay-web' })).rejects.toMatchObject({ code: 'log-unreadable' });
});

test('an app is asked for with the token of its team', async () => {
  const file = join(dir, 'accounts.yaml');
  const text = configText('pay', { 'pay-api': 'mode: read-only' }).replace('    apps:', '    heroku: { tokenFrom: PAY_TOKEN }\n    apps:');
  writeFileSync(file, text);
  asked.length = 0;
  await doctor([], { config: file, log: true, app: 'pay-api' }, { ...host, env: { ...host.env, PAY_TOKEN: 'canary-of-the-team' } });
  expect(Buffer.from(asked[0]?.split(' ')[1] ?? '', 'base64').toString()).toBe(':canary-of-the-team');
});

test('a log in which nothing is known to be wrong', async () => {
  writeFileSync(join(dir, 'good.log'), '       External storage:   private\n       App deployed:  a-1.0\n');
  expect(await run({ log: join(dir, 'good.log') })).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('nothing is known to be wrong'),
  });
});

test.each([{ log: true }, { build: 'latest' }, { log: 'x', app: 'pay-api' }])('%j is refused', (options) =>
  expect(run(options)).rejects.toMatchObject({ code: 'options-conflict' }),
);
test('a file that is not there is named', () =>
  expect(run({ log: join(dir, 'no.log') })).rejects.toMatchObject({ code: 'log-unreadable' }));
