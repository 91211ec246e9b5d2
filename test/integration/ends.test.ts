import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Team } from '../../lib/config/model.js';
import { DEFAULT_POLICY, runTeam, type Event } from '../../lib/engine/index.js';
import { s3Object } from '../../lib/engine/ports/s3-object.client.js';
import { thisProcess } from '../../lib/lease-owner.js';
import { configOf, configText, plant, startWire, type Wire } from '../engine/support/wire.js';

/** How commands end that do not come to their end: what they leave behind, and what they do not. */
const APPS = { 'ends-one': 'mode: upload', 'ends-two': 'mode: upload', 'ends-three': 'mode: upload' };
let wire: Wire;
let dir: string;
let team: Team;
let evidence: string;
beforeAll(async () => {
  wire = await startWire();
  dir = mkdtempSync(join(tmpdir(), 'halcyon-ends-'));
  evidence = join(dir, 'evidence.json');
  const config = configOf('ends', APPS);
  team = await plant(wire, config);
  writeFileSync(join(dir, 'halcyon.yaml'), configText('ends', APPS));
  for (const app of Object.keys(APPS))
    await wire.heroku.setBuildpacks(app, ['https://example.com/sigv4.tgz', 'https://github.com/mietek/haskell-on-heroku']);
  expect(await runTeam(wire.context(config), team, { kind: 'ensure' }, DEFAULT_POLICY)).toMatchObject({ status: 'done' });
});
afterAll(async () => {
  await wire?.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Written {
  readonly events?: Event[];
  readonly outcomes?: Array<{ status: string; evidence: Event[] }>;
  readonly error?: { code: string };
}
const written = (): Written => JSON.parse(readFileSync(evidence, 'utf8')) as Written;
const lease = () => s3Object(wire.aws, team.bucket?.spec as never, '.halcyon-kit/lease/ends.json');

/** The built CLI. @param redirected - of the shell. @param during - is given the process. */
function kit(args: string, redirected = '', during?: (pid: number) => Promise<void>): Promise<{ code: number; stderr: string }> {
  return new Promise((done, failed) => {
    const line = `${redirected === '' ? 'exec ' : ''}'${process.execPath}' '${resolve('dist/bin/halcyon-kit.js')}' ${args} ${redirected}`;
    const child = execFile(
      'bash',
      ['-c', line],
      { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, ...wire.sandbox.env } },
      (error, _, stderr) => done({ code: error === null ? 0 : Number(error.code), stderr }),
    );
    during?.(child.pid as number).catch(failed);
  });
}
const ROTATE = 'rotate ends --yes --no-smoke --waves 1,100% --soak 0s --evidence evidence.json';

test('Ctrl-C: the evidence has the apps that were written before', async () => {
  wire.sandbox.heroku.addFault({ kind: 'slow', method: 'PATCH', after: 1, delayMs: 3000, times: 2 });
  const { code } = await kit(ROTATE, '', async (pid) => {
    for (let left = 300; left > 0; left -= 1) {
      await sleep(100);
      try {
        if (written().events?.some(({ step }) => step === 'write-apps')) break;
      } catch {
        // Not there yet.
      }
    }
    process.kill(pid, 'SIGINT');
  });
  wire.sandbox.heroku.clearFaults();
  expect(code).toBe(130);
  const { events = [], error } = written();
  expect(error).toMatchObject({ code: 'interrupted' });
  expect(events.flatMap(({ step, apps = [] }) => (step === 'write-apps' ? apps : []))[0]).toMatchObject({ release: expect.any(Number) });
  expect(statSync(evidence).mode & 0o777).toBe(0o600);
  expect(await lease().read()).toBeUndefined();
});

test('a full disk and a reader that has gone: the rotation comes to its end', async () => {
  expect((await kit(ROTATE, '2> /dev/full | true; exit ${PIPESTATUS[0]}')).code).toBe(0);
  expect(written().outcomes).toMatchObject([{ status: 'done' }]);
  const keys = await Promise.all(Object.keys(APPS).map(async (app) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID));
  expect(new Set(keys).size).toBe(1);
});

test('a run with nothing to do removes the lease of one that was killed, and no other', async () => {
  const alive = { ...thisProcess(60_000, Date.now()), id: 'alive' };
  await lease().create(JSON.stringify(alive));
  expect((await kit('sync ends --yes')).code).toBe(0);
  const kept = await lease().read();
  expect(kept?.body).toContain('alive');
  await lease().replace(JSON.stringify({ ...alive, pid: 2 ** 22 - 1, who: `dead@${hostname()}` }), kept?.etag ?? '');
  expect((await kit('sync ends --yes')).code).toBe(0);
  expect(await lease().read()).toBeUndefined();
});
