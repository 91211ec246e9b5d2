import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type LocalHeroku, startLocalHeroku } from '../../heroku/index.js';
import { build, gitBuildpack, ok, runDyno, until } from './heroku-client.js';

/* How processes are kept apart, and that none is left behind. */

const running: LocalHeroku[] = [];
afterAll(() => Promise.all(running.map((heroku) => heroku.stop())));

const processes = (marker: string): number =>
  execFileSync('ps', ['-eo', 'args'])
    .toString()
    .split('\n')
    .filter((line) => line.startsWith(`${marker} `)).length;
const plain = () => gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Plain\n', 'bin/compile': '#!/bin/bash\n' });
// One process in the dyno's own group, and one that has left it.
const two = (marker: string) => `(exec -a ${marker} sleep 600) & setsid bash -c 'exec -a ${marker} sleep 600' & wait`;

test('stopping ends every process and removes every file', async () => {
  const heroku = await startLocalHeroku({ upstreamDir: null });
  const marker = `stop-${process.pid}`;
  await heroku.ensureApp('life', { buildpacks: [plain()] });
  await build(heroku, 'life', { Procfile: `web: ${two(marker)}\n` });
  await ok(heroku, 'POST', '/apps/life/dynos', { command: two(marker) });
  await until(
    async () => processes(marker),
    (count) => count === 4,
  );
  const dir = heroku.attachCaFile.replace(/\/[^/]*$/, '');
  expect(existsSync(dir)).toBe(true);
  await heroku.stop();
  await until(
    async () => processes(marker),
    (count) => count <= (heroku.isolated ? 0 : 2),
  );
  expect(existsSync(dir)).toBe(false);
});

test('when the parent is killed outright, its builds and dynos go with it', async () => {
  const marker = `kill-${process.pid}`;
  const script = `
    import { startLocalHeroku } from ${JSON.stringify(fileURLToPath(new URL('../../heroku/index.ts', import.meta.url)))};
    const heroku = await startLocalHeroku({ upstreamDir: null, token: 'parent-token' });
    console.log(heroku.url + ' ' + heroku.attachCaFile + ' ' + heroku.isolated);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url = '', file = '', isolated] = await new Promise<string[]>((resolve) =>
    parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8').trim().split(' '))),
  );
  const client = { url, token: 'parent-token' } as LocalHeroku;
  const hanging = gitBuildpack({ 'bin/detect': '#!/bin/bash\necho H\n', 'bin/compile': `#!/bin/bash\n${two(marker)}\n` });
  await ok(client, 'POST', '/apps', { name: 'killed' });
  await ok(client, 'PUT', '/apps/killed/buildpack-installations', { updates: [{ buildpack: plain() }] });
  await build(client, 'killed', { Procfile: 'web: true\n' });
  await ok(client, 'POST', '/apps/killed/dynos', { command: two(marker) });
  void build(client, 'killed', { Procfile: 'web: true\n' }, { buildpacks: [{ url: hanging }] }).catch(() => {});
  await until(
    async () => processes(marker),
    (count) => count === 4,
  );
  parent.kill('SIGKILL');
  await until(
    async () => processes(marker),
    (count) => count <= (isolated === 'true' ? 0 : 2),
  );
  await until(
    async () => existsSync(file.replace(/\/[^/]*$/, '')),
    (there) => !there,
  );
});

test('an attached dyno is met at its rendezvous: what is typed goes in, what it prints comes out', async () => {
  const heroku = await startLocalHeroku({ upstreamDir: null });
  running.push(heroku);
  await heroku.ensureApp('attached', { buildpacks: [plain()] });
  await build(heroku, 'attached', { Procfile: 'web: true\n' });
  const dyno = await ok(heroku, 'POST', '/apps/attached/dynos', { command: 'read line; echo "got $line"', attach: true });
  const url = new URL(dyno.attach_url);
  const socket = connect({ host: url.hostname, port: Number(url.port), ca: await readFile(heroku.attachCaFile) });
  socket.write(`${url.pathname.slice(1)}\r\n`);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (text === 'rendezvous\r\n') socket.write('typed\n');
  });
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toBe('rendezvous\r\ngot typed\n');
});

test('builds and dynos cannot write to the machine, and see none of its temporary files', async () => {
  const heroku = await startLocalHeroku({ upstreamDir: null });
  running.push(heroku);
  if (!heroku.isolated) return;
  await heroku.ensureApp('walls', { buildpacks: [plain()] });
  await build(heroku, 'walls', { Procfile: 'web: true\n' });
  const { lines } = await runDyno(
    heroku,
    'walls',
    'for d in / /etc /usr /var /home; do touch $d/halcyon-wall 2>/dev/null && echo "wrote $d"; done; ls /tmp /var/tmp /app; . /etc/os-release; echo $VERSION_ID',
  );
  const said = lines.filter((line) => line.includes('app[run')).map((line) => line.replace(/^.*?: /, ''));
  // The root itself is the room's own.
  expect(said).toEqual(['wrote /', '/app:', 'Procfile', '', '/tmp:', '', '/var/tmp:', '24.04']);
  expect(readdirSync(tmpdir()).length).toBeGreaterThan(0);
});

test('without user namespaces builds take turns, and say what cannot be had', async () => {
  const heroku = await startLocalHeroku({ upstreamDir: null, isolate: false });
  running.push(heroku);
  expect(heroku.isolated).toBe(false);
  const overlap = gitBuildpack({
    'bin/detect': '#!/bin/bash\necho Turn\n',
    'bin/compile': `#!/bin/bash\nmkdir /tmp/turn-${process.pid} && echo alone || echo overlap\nsleep 0.2\nrmdir /tmp/turn-${process.pid}\n`,
  });
  await Promise.all(['turn-a', 'turn-b'].map((app) => heroku.ensureApp(app, { buildpacks: [overlap] })));
  const built = await Promise.all(['turn-a', 'turn-b'].map((app) => build(heroku, app, { Procfile: 'web: true\n' })));
  for (const { output } of built) expect(output).toContain('\nalone\n');
  const { lines } = await runDyno(heroku, 'turn-a', 'echo "home has $(ls)"');
  expect(lines.some((line) => line.endsWith('home has Procfile'))).toBe(true);
});
