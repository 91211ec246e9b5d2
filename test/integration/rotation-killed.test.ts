import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KitConfig, Team } from '../../lib/config/model.js';
import { DEFAULT_POLICY, observeTeam, planTeam, runTeam, type TeamResult, type Policy } from '../../lib/engine/index.js';
import type { Fault as AwsFault } from '../../sandbox/index.js';
import { armed, bundleChild, startChild } from '../engine/support/child.js';
import { configOf, configText, plant, startWire, type Wire } from '../engine/support/wire.js';
import { EVERY } from '../support/every.js';

const policy: Policy = { ...DEFAULT_POLICY, poll: 50, soak: 0, patience: 5000 };
const rotate = { kind: 'rotate', due: false } as const;

/** Every effect of a rotation, in order. */
const EFFECTS: ReadonlyArray<{ what: string; aws?: Omit<AwsFault, 'kind'>; heroku?: true }> = [
  { what: 'take the lease', aws: { operation: 'PutObject', resource: '/lease/' } },
  { what: 'note the intention', aws: { operation: 'TagUser' } },
  { what: 'make the key', aws: { operation: 'CreateAccessKey' } },
  { what: 'store it as pending', aws: { operation: 'PutSecretValue' } },
  { what: 'forget the intention', aws: { operation: 'UntagUser' } },
  { what: 'make it current', aws: { operation: 'UpdateSecretVersionStage' } },
  { what: 'take AWSPENDING off', aws: { operation: 'UpdateSecretVersionStage', skip: 1 } },
  { what: 'write the config vars', heroku: true },
  { what: 'deactivate the old key', aws: { operation: 'UpdateAccessKey' } },
  { what: 'note since when', aws: { operation: 'TagUser', skip: 1 } },
  { what: 'delete the old key', aws: { operation: 'DeleteAccessKey' } },
  { what: 'remove its tags', aws: { operation: 'UntagUser', skip: 1 } },
  { what: 'give the lease back', aws: { operation: 'DeleteObject', resource: '/lease/' } },
];

let wire: Wire;
let dir: string;
let child: Awaited<ReturnType<typeof bundleChild>>;
beforeAll(async () => {
  wire = await startWire();
  dir = mkdtempSync(join(tmpdir(), 'halcyon-killed-'));
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

/** A team at rest, with one app. */
async function atRest(name: string): Promise<{ config: KitConfig; team: Team; before: string | undefined; apps: Record<string, string> }> {
  const apps = { [`${name}-app`]: 'mode: upload' };
  const config = configOf(name, apps);
  const team = await plant(wire, config);
  expect(await runTeam(wire.context(config), team, { kind: 'ensure' }, policy)).toMatchObject({ status: 'done' });
  return { config, team, apps, before: (await observeTeam(wire.context(config), team)).principals[0]?.current };
}

/** One key, active, current, on the app, and not the one of before. */
async function expectRotated(config: KitConfig, team: Team, before: string | undefined): Promise<void> {
  const seen = await observeTeam(wire.context(config), team);
  const [principal] = seen.principals;
  expect(principal?.keys).toMatchObject([{ id: principal?.current, status: 'Active', stored: true }]);
  expect(principal?.current).not.toBe(before);
  expect(principal).not.toHaveProperty('creating');
  expect(principal).not.toHaveProperty('pending');
  expect(principal).not.toHaveProperty('stale');
  expect(seen.apps[0]?.vars).toMatchObject({
    HALCYON_AWS_ACCESS_KEY_ID: principal?.current,
    HALCYON_AWS_SECRET_ACCESS_KEY: principal?.keys[0]?.fingerprint,
  });
  expect(planTeam(seen, { kind: 'ensure' }).steps).toEqual([]);
}

/** The model check tries every effect; here, without HALCYON_EVERY=1, one of each kind that leaves most to find out. */
const tried = (most: RegExp) => EFFECTS.map((effect, index) => ({ ...effect, index })).filter(({ what }) => EVERY || most.test(what));
const KILLED = tried(/^make the key/);
const LOST = tried(/^make it current/);

describe('killed when an effect has taken place, before its answer arrived; then run again', () => {
  test.each(KILLED)('$what', async ({ aws, index }) => {
    const name = `killed-${index}`;
    const { config, team, before, apps } = await atRest(name);
    const file = join(dir, `${name}.yaml`);
    writeFileSync(file, configText(name, apps));
    const stall = 60_000;
    if (aws !== undefined) wire.sandbox.aws.addFault({ ...aws, kind: 'slow', delayMs: stall });
    // The look that follows the PATCH never ends.
    else wire.sandbox.heroku.addFault({ kind: 'slow', method: 'GET', path: '/apps/*/releases', delayMs: stall });
    const running = startChild(wire, child.file, [file, name]);
    const reached = aws === undefined ? () => patched(`${name}-app`, before) : async () => (await armed(wire)) === 0;
    await running.until(reached);
    // The switch is used up when the request arrives; its work follows at once.
    await sleep(250);
    running.process.kill('SIGKILL');
    expect(await running.ended).toEqual([null, 'SIGKILL']);
    wire.sandbox.aws.clearFaults();
    wire.sandbox.heroku.clearFaults();

    const outcome = await runTeam(wire.context(config), team, index === EFFECTS.length - 1 ? { kind: 'finish' } : rotate, policy);
    expect(outcome).toMatchObject({ status: expect.stringMatching(/^(done|nothing-due)$/), blocked: [], waiting: [] });
    await expectRotated(config, team, before);
  });
});

describe('an answer lost after the effect took place', () => {
  test.each(LOST)('$what', async ({ aws, index }) => {
    const { config, team, before } = await atRest(`lost-${index}`);
    if (aws !== undefined) wire.sandbox.aws.addFault({ ...aws, kind: 'lost' });
    else wire.sandbox.heroku.addFault({ kind: 'reset-after', method: 'PATCH' });
    const outcome: TeamResult = await runTeam(wire.context(config), team, rotate, policy);
    expect(await armed(wire)).toBe(0);
    expect(outcome).toMatchObject({ status: 'done', blocked: [], waiting: [] });
    await expectRotated(config, team, before);
  });
});

async function patched(app: string, before: string | undefined): Promise<boolean> {
  return (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID !== before;
}
