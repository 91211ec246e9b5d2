import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalHeroku, startLocalHeroku } from '../../heroku/index.js';
import { build, call, gitBuildpack, ok, runDyno, sha256, tarball, until, upload } from './heroku-client.js';

const SERVER = `require('http').createServer((_, res) => res.end('nonce ' + process.env.NONCE)).listen(process.env.PORT)`;
const PLAIN = {
  'bin/detect': '#!/bin/bash\necho Plain\n',
  'bin/compile': `#!/bin/bash
echo "build dir $1"
echo "stderr too" >&2
for f in "$3"/*; do echo "var $(basename "$f")=$(cat "$f"; echo .) mode $(stat -c %a "$f")"; done
echo "env dir mode $(stat -c %a "$3")"
env | sort | sed 's/^/env /'
cat "$2/count" 2>/dev/null || echo "cold cache"
echo "warm cache" >"$2/count"
. /etc/os-release; echo "platform $ID-$VERSION_ID"
mkdir -p "$1/.profile.d"; echo 'export FROM_PROFILE=sourced' >"$1/.profile.d/plain.sh"
`,
};

let heroku: LocalHeroku;
let plain: string;
beforeAll(async () => {
  heroku = await startLocalHeroku({ upstreamDir: null });
  plain = gitBuildpack(PLAIN);
});
afterAll(() => heroku.stop());

const source = { Procfile: `web: ${process.execPath} server.js\nrelease:   \n`, 'server.js': SERVER };

test('a build runs the buildpack, releases, and serves the page through the router', async () => {
  await ok(heroku, 'POST', '/apps', { name: 'served' });
  await ok(heroku, 'PUT', '/apps/served/buildpack-installations', { updates: [{ buildpack: plain }] });
  await ok(heroku, 'PATCH', '/apps/served/config-vars', { NONCE: 'n-1', MULTI: 'two\nlines ' });
  const webUrl = (await ok(heroku, 'GET', '/apps/served')).web_url;
  expect((await fetch(webUrl)).status).toBe(503);
  const { build: ended, output } = await build(heroku, 'served', source, { blob: { version: '0123456789abcdef' } });
  expect(output).toContain('-----> Plain app detected');
  expect(output).toContain('stderr too');
  expect(output).toContain('var MULTI=two\nlines . mode 600');
  expect(output).toContain('env dir mode 700');
  expect(output).toContain('cold cache');
  expect(output).toContain('Procfile declares types -> web\n');
  expect(ended.status).toBe('succeeded');
  expect(ended.release.id).toMatch(/^[0-9a-f-]{36}$/);
  const release = await ok(heroku, 'GET', `/apps/served/releases/${ended.release.id}`);
  expect(release).toMatchObject({ version: 4, current: true, status: 'succeeded', description: 'Deploy 01234567', slug: ended.slug });
  expect(await (await fetch(webUrl)).text()).toBe('nonce n-1');
  await ok(heroku, 'PATCH', '/apps/served/formation/web', { quantity: 0 });
  await until(
    async () => (await fetch(webUrl)).status,
    (status) => status === 503,
  );
});

test('the environment of a build is clean: nothing of the machine, no config var', async () => {
  await heroku.ensureApp('clean', { buildpacks: [plain] });
  await ok(heroku, 'PATCH', '/apps/clean/config-vars', { NONCE: 'n-2' });
  const { output } = await build(heroku, 'clean', source);
  const names = [...output.matchAll(/^env ([A-Z_]+)=/gim)].map((match) => match[1]).sort();
  expect(names).toEqual([
    'HALCYON_PUBLIC_STORAGE_URL',
    'HOME',
    'LANG',
    'PATH',
    'PWD',
    'REQUEST_ID',
    'SHLVL',
    'SOURCE_VERSION',
    'STACK',
    '_',
  ]);
  expect(output).toContain('env HOME=/app\n');
  expect(output).toContain('env STACK=heroku-24\n');
});

test('the cache is kept for the app, and purged on request', async () => {
  await heroku.ensureApp('cached', { buildpacks: [plain] });
  await heroku.ensureApp('other', { buildpacks: [plain] });
  expect((await build(heroku, 'cached', source)).output).toContain('cold cache');
  expect((await build(heroku, 'cached', source)).output).toContain('warm cache');
  expect((await build(heroku, 'other', source)).output).toContain('cold cache');
  await ok(heroku, 'DELETE', '/apps/cached/build-cache');
  expect((await build(heroku, 'cached', source)).output).toContain('cold cache');
});

test('exports reach the later buildpacks, and only those', async () => {
  const first = gitBuildpack({
    'bin/detect': '#!/bin/bash\necho First\n',
    'bin/compile': '#!/bin/bash\necho "first sees ${CHAINED:-nothing}"\necho \'export CHAINED=on\' >"$(dirname "$0")/../export"\n',
  });
  const second = gitBuildpack({
    'bin/detect': '#!/bin/bash\necho Second\n',
    'bin/compile': '#!/bin/bash\necho "second sees ${CHAINED:-nothing}"\n',
    'bin/release': '#!/bin/bash\necho "default_process_types: {worker: sleep 60, web: never}"\n',
  });
  await heroku.ensureApp('chained', { buildpacks: [first, second] });
  const { output, build: ended } = await build(heroku, 'chained', { Procfile: 'web: sleep 60\n' });
  expect(output).toContain('first sees nothing');
  expect(output).toContain('second sees on');
  expect(output).toContain('Default types for Second -> worker');
  const slug = await ok(heroku, 'GET', `/apps/chained/slugs/${ended.slug.id}`);
  expect(slug.process_types).toEqual({ web: 'sleep 60', worker: 'sleep 60' });
});

describe('builds that fail', () => {
  const release = async (app: string) => (await ok<unknown[]>(heroku, 'GET', `/apps/${app}/releases`)).length;

  test('in detect, in compile, by checksum: no release, and the output says why', async () => {
    const never = gitBuildpack({ 'bin/detect': '#!/bin/bash\nexit 1\n', 'bin/compile': '#!/bin/bash\n' });
    const broken = gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Broken\n', 'bin/compile': '#!/bin/bash\necho about to fail\nexit 3\n' });
    await heroku.ensureApp('failing', { buildpacks: [never] });
    const before = await release('failing');
    const undetected = await build(heroku, 'failing', source);
    expect(undetected.build).toMatchObject({ status: 'failed', release: null, slug: null });
    expect(undetected.output).toContain('App not compatible with buildpack');
    const uncompiled = await build(heroku, 'failing', source, { buildpacks: [{ url: broken }] });
    expect(uncompiled.build.status).toBe('failed');
    expect(uncompiled.output).toMatch(/about to fail\n !     Push rejected, failed to compile Broken app\.\n !     Push failed\n/);
    const bytes = await tarball(source);
    const wrong = await build(
      heroku,
      'failing',
      { ...source, more: '' },
      { blob: { checksum: sha256(bytes) }, buildpacks: [{ url: plain }] },
    );
    expect(wrong.output).toContain('Checksum verification failed');
    const missing = await build(heroku, 'failing', source, { buildpacks: [{ url: 'file:///nowhere/buildpack' }] });
    expect(missing.output).toContain('Failed to fetch buildpack file:///nowhere/buildpack');
    expect(await release('failing')).toBe(before);
  });

  test('refused at once: a source that is neither ours nor https, and apps that take no classic buildpacks', async () => {
    await heroku.ensureApp('refusing', { buildpacks: [plain] });
    await heroku.ensureApp('fir-app', { generation: 'fir', buildpacks: [] });
    const post = async (app: string, url: string) => (await call(heroku, 'POST', `/apps/${app}/builds`, { source_blob: { url } })).status;
    expect(await post('refusing', 'http://example.com/source.tgz')).toBe(422);
    expect(await post('refusing', 'file:///etc/passwd')).toBe(422);
    expect(await post('fir-app', await upload(heroku, await tarball(source)))).toBe(422);
  });

  test('one that hangs is killed at the limit, with what it started', async () => {
    const marker = `halcyon-sleep-${process.pid}`;
    const hanging = gitBuildpack({
      'bin/detect': '#!/bin/bash\necho Hanging\n',
      'bin/compile': `#!/bin/bash\n(exec -a ${marker} sleep 600) &\nwait\n`,
    });
    await heroku.ensureApp('hanging', { buildpacks: [hanging] });
    heroku.settings.buildTimeoutMs = 1000;
    const { output } = await build(heroku, 'hanging', source).finally(() => (heroku.settings.buildTimeoutMs = 900_000));
    expect(output).toContain('Build timed out');
    await until(
      async () => processNamed(marker),
      (found) => !found,
    );
  });
});

test('one-off dynos have the config vars, the profile and their own name, and tell their exit status', async () => {
  await heroku.ensureApp('runs', { buildpacks: [plain] });
  await build(heroku, 'runs', source);
  await ok(heroku, 'PATCH', '/apps/runs/config-vars', { NONCE: 'n-3' });
  const { dyno, lines } = await runDyno(heroku, 'runs', 'echo "$NONCE $FROM_PROFILE $DYNO $EXTRA $PWD"; exit 7', {
    env: { EXTRA: 'given' },
    time_to_live: 60,
  });
  expect(dyno).toMatchObject({ type: 'run', size: 'Standard-1X', release: { version: 4 } });
  expect(dyno.name).toMatch(/^run\.\d+$/);
  const home = heroku.isolated ? '/app' : expect.anything();
  expect(lines.find((line) => line.includes('app[run'))).toContain(
    `app[${dyno.name}]: n-3 sourced ${dyno.name} given ${heroku.isolated ? home : ''}`,
  );
  expect(lines.some((line) => line.endsWith(`heroku[${dyno.name}]: Process exited with status 7`))).toBe(true);
  expect((await call(heroku, 'GET', `/apps/runs/dynos/${dyno.name}`)).status).toBe(404);
  expect((await call(heroku, 'POST', '/apps/runs/dynos', { command: 'true', size: 'PX' })).status).toBe(422);
  expect((await call(heroku, 'POST', '/apps/runs/dynos', { command: 'true', size: 'performance-l' })).json.size).toBe('Performance-L');
});

test('a dyno is stopped on request and by its time to live, with what it started', async () => {
  await heroku.ensureApp('stopped', { buildpacks: [plain] });
  await build(heroku, 'stopped', source);
  const marker = `halcyon-dyno-${process.pid}`;
  const dyno = await ok(heroku, 'POST', '/apps/stopped/dynos', { command: `(exec -a ${marker} sleep 600) & wait` });
  await until(
    async () => processNamed(marker),
    (found) => found,
  );
  await ok(heroku, 'POST', `/apps/stopped/dynos/${dyno.id}/actions/stop`);
  await until(
    async () => processNamed(marker),
    (found) => !found,
  );
  const { lines } = await runDyno(heroku, 'stopped', 'sleep 600', { time_to_live: 1 });
  expect(lines.join('\n')).toMatch(/Process exited with status 1(43|37)/);
});

test('builds of many apps run side by side where the machine allows it', async () => {
  if (!heroku.isolated) return;
  const meeting = gitBuildpack({
    'bin/detect': '#!/bin/bash\necho Meeting\n',
    // Each build leaves its name in /app and /tmp, and must find only its own there.
    'bin/compile':
      '#!/bin/bash\nfor d in /app /tmp/own; do mkdir -p $d; echo "$SOURCE_VERSION" >>$d/name; done\nsleep 0.3\necho "found $(cat /app/name | tr "\\n" " ")$(cat /tmp/own/name)"\n',
  });
  const apps = ['side-a', 'side-b', 'side-c'];
  await Promise.all(apps.map((app) => heroku.ensureApp(app, { buildpacks: [meeting] })));
  const outputs = await Promise.all(apps.map((app) => build(heroku, app, source, { blob: { version: app } })));
  outputs.forEach(({ output }, index) => expect(output).toContain(`found ${apps[index]} ${apps[index]}\n`));
  expect(existsSync('/app/name')).toBe(false);
});

function processNamed(name: string): boolean {
  return execFileSync('ps', ['-eo', 'args']).toString().includes(`${name} 600`);
}
