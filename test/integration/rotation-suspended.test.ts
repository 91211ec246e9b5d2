import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DEFAULT_POLICY, observeTeam, runTeam, type Intent, type Policy, type TeamResult } from '../../lib/engine/index.js';
import { armed, bundleChild, startChild } from '../engine/support/child.js';
import { configOf, configText, plant, startWire, type Wire } from '../engine/support/wire.js';
import { EVERY } from '../support/every.js';

/** A process that is suspended for longer than its lease lives, as by a closed lid, and wakes when another operator has gone on. */
const LEASE_TTL = 6000;
const policy: Policy = { ...DEFAULT_POLICY, poll: 50, soak: 0, patience: 5000, leaseTtl: LEASE_TTL };
const rotate: Intent = { kind: 'rotate', due: false };

let wire: Wire;
let dir: string;
let child: Awaited<ReturnType<typeof bundleChild>>;
beforeAll(async () => {
  wire = await startWire();
  dir = mkdtempSync(join(tmpdir(), 'halcyon-suspended-'));
  child = await bundleChild();
});
afterAll(async () => {
  await wire?.stop();
  rmSync(dir, { recursive: true, force: true });
  child?.remove();
});
afterEach(() => {
  wire.sandbox.aws.clearFaults();
  wire.sandbox.heroku.clearFaults();
});

interface Variant {
  readonly what: string;
  /** What makes the process wait in the middle of an effect. */
  arm(app: string): void;
  /** It waits there. */
  waits(app: string): Promise<boolean>;
  /** What another operator does meanwhile. */
  readonly meanwhile: readonly Intent[];
}

const seen = (method: string, path: string) => wire.sandbox.heroku.log().filter((one) => one.method === method && one.path === path).length;

const VARIANTS: readonly Variant[] = [
  {
    what: 'waiting out a 429, while another rotates twice',
    arm: () => wire.sandbox.heroku.addFault({ kind: '429', method: 'PATCH', times: 4 }),
    waits: async (app) => seen('PATCH', `/apps/${app}/config-vars`) === 4,
    meanwhile: [rotate, rotate],
  },
  {
    what: 'looking after a cut connection, while another rotates twice',
    arm(app) {
      wire.sandbox.heroku.addFault({ kind: 'reset-before', method: 'PATCH' });
      wire.sandbox.heroku.addFault({ kind: 'slow', method: 'GET', path: `/apps/${app}/config-vars`, after: 1, delayMs: 3000 });
    },
    waits: async (app) => seen('PATCH', `/apps/${app}/config-vars`) === 1,
    meanwhile: [rotate, rotate],
  },
  {
    what: 'the answer of UpdateAccessKey Inactive is lost, while another goes back',
    arm: () => wire.sandbox.aws.addFault({ kind: 'lost', operation: 'UpdateAccessKey', delayMs: 1500 }),
    waits: async () => (await armed(wire)) === 0,
    meanwhile: [{ kind: 'undo' }],
  },
  {
    what: 'DeleteAccessKey is to be tried again later, while another goes back',
    arm: () => wire.sandbox.aws.addFault({ kind: 'status', status: 503, operation: 'DeleteAccessKey', retryAfter: 3 }),
    waits: async () => (await armed(wire)) === 0,
    meanwhile: [{ kind: 'undo' }],
  },
];

/** The worst of them: AWS's write is on its way while another goes back. */
const tried = VARIANTS.filter((_, index) => EVERY || index === 1);

test.each(tried.map((variant, index) => ({ ...variant, name: `asleep-${index}` })))('$what', async ({ name, arm, waits, meanwhile }) => {
  const app = `${name}-app`;
  const config = configOf(name, { [app]: 'mode: upload' });
  const team = await plant(wire, config);
  const context = wire.context(config);
  expect(await runTeam(context, team, { kind: 'ensure' }, policy)).toMatchObject({ status: 'done' });
  const file = join(dir, `${name}.yaml`);
  writeFileSync(file, configText(name, { [app]: 'mode: upload' }));

  wire.sandbox.heroku.clearLog();
  arm(app);
  const running = startChild(wire, child.file, [file, name, `${LEASE_TTL}`]);
  await running.until(() => waits(app));
  running.process.kill('SIGSTOP');
  for (const intent of meanwhile) expect(await whenFree(() => runTeam(context, team, intent, policy))).toMatchObject({ status: 'done' });
  const before = await observeTeam(context, team);
  wire.sandbox.aws.clearFaults();
  wire.sandbox.heroku.clearFaults();
  running.process.kill('SIGCONT');
  await running.ended;

  // Whatever the other left is as it was, and the app works.
  const after = await observeTeam(context, team);
  const key = after.principals[0]?.keys.find(({ id }) => id === after.principals[0]?.current);
  expect(after.principals[0]?.current, running.output()).toBe(before.principals[0]?.current);
  expect(key, running.output()).toMatchObject({ status: 'Active' });
  expect(after.apps[0]?.vars, running.output()).toMatchObject({ HALCYON_AWS_ACCESS_KEY_ID: key?.id });
  expect(JSON.parse(running.output())).toMatchObject({ status: 'failed', error: { code: 'lease-lost' } });
});

/** Another operator's run, as soon as the lease lets it. */
async function whenFree(run: () => Promise<TeamResult>): Promise<TeamResult> {
  for (;;) {
    const result = await run();
    if (result.error?.code !== 'lease-held') return result;
    await sleep(500);
  }
}
