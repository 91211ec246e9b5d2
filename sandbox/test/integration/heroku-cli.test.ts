import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalHeroku, startLocalHeroku } from '../../heroku/index.js';
import { installHerokuCli } from '../support/heroku-cli.js';
import { build, gitBuildpack, ok } from './heroku-client.js';

let heroku: LocalHeroku;
let home: string;
let cli: string | undefined;
let whyNot = '';

beforeAll(async () => {
  cli = await installHerokuCli().catch((error: Error) => {
    whyNot = `the heroku CLI could not be installed: ${error.message.split('\n')[0]}`;
    return undefined;
  });
  home = await mkdtemp(join(tmpdir(), 'heroku-cli-home-'));
  heroku = await startLocalHeroku({ upstreamDir: null });
  await heroku.prepareAttach();
  const plain = gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Plain\n', 'bin/compile': '#!/bin/bash\n' });
  await heroku.ensureApp('cli-app', { buildpacks: [plain] });
  await build(heroku, 'cli-app', { Procfile: 'web: sleep 600\n' });
}, 600_000);
afterAll(async () => {
  await heroku.stop();
  await rm(home, { recursive: true, force: true });
});

function run(...args: string[]): Promise<{ status: number | null; out: string }> {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    HOME: home,
    ...heroku.env,
    NODE_EXTRA_CA_CERTS: heroku.attachCaFile,
    DISABLE_TELEMETRY: 'true',
    HEROKU_DISABLE_AUTOUPDATE: '1',
  };
  const child = spawn(cli as string, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end();
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, out })));
}

test('apps, apps:info, config, config:set, releases, rollback, run, run:detached, logs, ps', { timeout: 300_000 }, async (context) => {
  if (cli === undefined) return context.skip(whyNot);
  const app = ['-a', 'cli-app'];
  expect(await run('apps')).toMatchObject({ status: 0, out: expect.stringMatching(/^cli-app\b/m) });
  const info = await run('apps:info', ...app, '--json');
  expect(JSON.parse(info.out.slice(info.out.indexOf('{')))).toMatchObject({ app: { name: 'cli-app', stack: { name: 'heroku-24' } } });
  expect(await run('config:set', 'A=1', 'B=two', ...app)).toMatchObject({
    status: 0,
    out: expect.stringMatching(/Setting A, B and restarting.*done, v4/s),
  });
  const config = await run('config', ...app, '--json');
  expect(JSON.parse(config.out)).toEqual({ A: '1', B: 'two' });
  expect((await run('releases', ...app)).out).toMatch(/v4\s+Set A, B config vars.*v3\s+Deploy /s);
  expect((await run('rollback', 'v3', ...app)).out).toMatch(/done, v5/);
  expect(await ok(heroku, 'GET', '/apps/cli-app/config-vars')).toEqual({});
  const attached = await run('run', ...app, '--no-tty', '--exit-code', '--', 'echo "from $DYNO"; sh -c "exit 3"');
  expect(attached).toMatchObject({ status: 3, out: expect.stringMatching(/from run\.\d+/) });
  const detached = await run('run:detached', ...app, 'echo from afar');
  expect(detached.status).toBe(0);
  const logs = await run('logs', ...app, '-n', '500');
  expect(logs).toMatchObject({ status: 0, out: expect.stringMatching(/Release v5 created/) });
  expect((await run('ps', ...app)).out).toContain('sleep 600');
});
