import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doctor } from '../../lib/commands/doctor.js';
import { down } from '../../lib/commands/down.js';
import { explain } from '../../lib/commands/explain.js';
import { status } from '../../lib/commands/status.js';
import { sync } from '../../lib/commands/sync.js';
import { parseConfig } from '../../lib/config/index.js';
import { userName } from '../../lib/contract/index.js';
import type { DoctorReport } from '../../lib/doctor/index.js';
import { DEFAULT_POLICY, observeTeam, runTeam, type Intent, type Policy } from '../../lib/engine/index.js';
import { silentIo, type IoHost } from '../../lib/io/io-host.js';
import { configOf, configText, keysOf, plant, startWire, type Wire } from '../engine/support/wire.js';
import { principalIn } from '../support/principals.js';
import { quietHost } from '../support/host.js';
import { variant } from '../support/variant.js';

/** A pipeline whose review apps and test runs read what the team's app archives. */
const apps = { 'shop-api': 'mode: upload' };
const PIPELINES = '    pipelines:\n      shop: { review: { mode: read-only }, test: { mode: read-only } }\n';
const config = configOf('shop', apps, PIPELINES);
const user = userName(principalIn(config, 'shop', 'read-only'));
const [REVIEW, TEST] = ['pipeline:shop:review', 'pipeline:shop:test'];
const policy: Policy = { ...DEFAULT_POLICY, poll: 100, soak: 0, patience: 60_000 };
let wire: Wire;
let dir: string;

beforeAll(async () => {
  wire = await startWire();
  dir = await mkdtemp(join(tmpdir(), 'pipelines-'));
  await writeFile(join(dir, 'halcyon.yaml'), configText('shop', apps, PIPELINES));
  wire.sandbox.heroku.ensurePipeline('shop');
  await plant(wire, config);
});
afterAll(async () => {
  await wire?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true });
});

const options = () => ({ config: join(dir, 'halcyon.yaml'), yes: true });
const held = async (holder: string) => (await wire.heroku.configVars(holder)).HALCYON_AWS_ACCESS_KEY_ID;
const keyOf = async () => (await keysOf(wire, user)).map(({ id }) => id);
const review = async (app: string) => {
  const run = wire.sandbox.heroku.holdRun('shop', 'review', app);
  await run.end();
  return run;
};
async function run(intent: Intent, file = config, io: IoHost = silentIo, more: Partial<Policy> = {}) {
  const ids = new Map<string, string>();
  for (const name of ['shop-api', REVIEW, TEST]) ids.set(name, (await wire.heroku.app(name)).id);
  return runTeam({ ...wire.context(file), io, ids }, file.teams[0]!, intent, { ...policy, ...more });
}

test('the stages get their config vars, and review apps that are there already; new ones have them from the pipeline', async () => {
  await review('shop-pr-1');
  expect(await held('shop-pr-1')).toBeUndefined();
  const result = await sync([], options(), quietHost());
  expect(result, result.text).toMatchObject({ exitCode: 0 });
  const [key] = await keyOf();
  for (const holder of [REVIEW, TEST, 'shop-pr-1']) expect(await held(holder)).toBe(key);
  expect(await wire.heroku.configVars(TEST)).toMatchObject({ HALCYON_NO_UPLOAD: '1', HALCYON_S3_BUCKET: expect.any(String) });
  expect((await review('shop-pr-2')).configVars.HALCYON_AWS_ACCESS_KEY_ID).toBe(key);
  expect(await held('shop-pr-2')).toBe(key);
  wire.sandbox.heroku.clearLog();
  expect(await sync([], options(), quietHost())).toMatchObject({ exitCode: 0 });
  expect(wire.sandbox.heroku.log().filter(({ method, path }) => method !== 'GET' && !path.startsWith('/filters/'))).toEqual([]);
  const { text } = await status([], { ...options(), verbose: true }, quietHost());
  for (const holder of [REVIEW, TEST, 'shop-pr-2']) expect(text).toMatch(new RegExp(`${holder} +read-only +current +as in the file`));
});

test('a rotation waits for what was made with the old key: a test run, a review app that is being made, and its build', async () => {
  const [before] = await keyOf();
  const tested = wire.sandbox.heroku.holdRun('shop', 'test');
  const making = wire.sandbox.heroku.holdRun('shop', 'review', 'shop-pr-3');
  const building = wire.sandbox.heroku.holdBuild('shop-pr-1');
  const waited: string[] = [];
  const end: Array<[string, () => unknown]> = [
    ['pipeline:shop:test began', () => tested.end()],
    ['pipeline:shop:review began', () => making.end()],
    ['shop-pr-1 began', () => building.end()],
  ];
  const io: IoHost = {
    ...silentIo,
    step: (title) => {
      const next = end.find(([about]) => title.includes(about));
      if (next !== undefined && !waited.includes(next[0])) {
        waited.push(next[0]);
        const alive = keysOf(wire, user).then((keys) => expect(keys).toContainEqual({ id: before, status: 'Active' }));
        void alive.then(next[1]);
      }
      return silentIo.step(title);
    },
  };
  const result = await run({ kind: 'rotate', due: false }, config, io);
  expect(result, result.summary).toMatchObject({ status: 'done' });
  expect(waited.sort()).toEqual(end.map(([about]) => about).sort());
  const keys = await keyOf();
  expect(keys).toHaveLength(1);
  expect(keys).not.toContain(before);
  // The one that was being made came with the old key, and was given the new one before that went.
  expect(making.configVars.HALCYON_AWS_ACCESS_KEY_ID).toBe(before);
  for (const holder of [REVIEW, TEST, 'shop-pr-1', 'shop-pr-2', 'shop-pr-3']) expect(await held(holder)).toBe(keys[0]);
});

test('a leaked key is replaced there, too', async () => {
  const [leaked] = await keyOf();
  const result = await run({ kind: 'emergency', keyId: leaked! });
  expect(result, result.summary).toMatchObject({ status: 'done' });
  const [key] = await keyOf();
  expect(key).not.toBe(leaked);
  for (const holder of [REVIEW, TEST, 'shop-pr-2']) expect(await held(holder)).toBe(key);
});

variant('an undo gives the old key back, there, too', async () => {
  const [before] = await keyOf();
  await run({ kind: 'rotate', due: false }, config, silentIo, { soak: 3_600_000 });
  const next = await held(TEST);
  expect([before, undefined]).not.toContain(next);
  expect(await keysOf(wire, user)).toContainEqual({ id: before, status: 'Inactive' });
  const undone = await run({ kind: 'undo' });
  expect(undone, undone.summary).toMatchObject({ status: 'done' });
  for (const holder of [REVIEW, TEST, 'shop-pr-2']) expect(await held(holder)).toBe(before);
  expect(await keyOf()).toEqual([before]);
});

test('the doctor tells of a stage that has another mode, and of one whose key is gone', async () => {
  const found = async () => {
    const { data } = await doctor([], options(), quietHost());
    return (data as DoctorReport).findings
      .filter(({ subject }) => subject.startsWith('pipeline:'))
      .map(({ subject, name }) => `${subject} ${name}`);
  };
  expect(await found()).toEqual([]);
  await wire.heroku.patchConfigVars(REVIEW, { HALCYON_NO_UPLOAD: null });
  await wire.heroku.patchConfigVars(TEST, { HALCYON_AWS_ACCESS_KEY_ID: 'AKIAAAAAAAAAAAAAAAAA' });
  expect((await found()).sort()).toEqual([`${REVIEW} config-vars-differ`, `${TEST} key-unknown`]);
  expect(await sync([], options(), quietHost())).toMatchObject({ exitCode: 0 });
  expect(await found()).toEqual([]);
});

test('explain says what a stage gets, and what it has', async () => {
  const { text } = await explain(REVIEW, options(), quietHost());
  expect(text).toContain(`${REVIEW}: read-only, of team shop`);
  expect(text).toMatch(/line \d+: teams\.shop\.pipelines\.shop\.review\.mode/);
  expect(text).not.toContain('differ on Heroku');
  await expect(explain('pipeline:shop:reviews', options(), quietHost())).rejects.toMatchObject({ code: 'app-not-in-team' });
});

test('a stage that left the file keeps its key, with what is made with it, until it is asked to give it back', async () => {
  const without = parseConfig(configText('shop', { ...apps, 'shop-ro': 'mode: read-only' }));
  await plant(wire, without);
  const [key] = await keyOf();
  await review('shop-pr-4');
  const kept = await run({ kind: 'rotate', due: false }, without, silentIo, { patience: 0 });
  expect(kept.status).not.toBe('done');
  expect(kept.notices.join('\n')).toContain(`${REVIEW} is in no team of the file and has the key ${key}`);
  // It was made since, and is on no record.
  expect(kept.notices.join('\n')).toContain('shop-pr-4 is in no team of the file');
  expect(await held('shop-pr-4')).toBe(key);
  const pruned = await run({ kind: 'ensure', prune: true }, without);
  expect(pruned, pruned.summary).toMatchObject({ status: 'done' });
  for (const holder of [REVIEW, TEST, 'shop-pr-1', 'shop-pr-4']) expect(await held(holder)).toBeUndefined();
  expect(await keyOf()).not.toContain(key);
});

test('a review app that went with its pull request stops nothing; down takes the rest back', async () => {
  expect(await run({ kind: 'ensure' })).toMatchObject({ status: 'done' });
  await wire.heroku.deleteApp('shop-pr-2');
  expect((await observeTeam(wire.context(config), config.teams[0]!)).apps.map(({ name }) => name)).not.toContain('shop-pr-2');
  const result = await down([], options(), quietHost());
  expect(result, result.text).toMatchObject({ exitCode: 0 });
  for (const holder of [REVIEW, TEST, 'shop-pr-1', 'shop-api']) expect(await held(holder)).toBeUndefined();
});

test('a pipeline that Heroku does not have is named, and stops nothing else', async () => {
  await writeFile(join(dir, 'halcyon.yaml'), configText('shop', apps, PIPELINES.replace('shop:', 'nosuch:')));
  const result = await sync([], options(), quietHost());
  expect(result.exitCode).toBe(1);
  expect(result.text).toContain('pipeline:nosuch:review does not exist');
});
