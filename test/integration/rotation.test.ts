import { CreateAccessKeyCommand, DeleteUserPolicyCommand, GetUserCommand } from '@aws-sdk/client-iam';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaseKey, userName } from '../../lib/contract/index.js';
import { DEFAULT_POLICY, observeTeam, planTeam, runTeam, type Intent, type TeamResult, type Policy } from '../../lib/engine/index.js';
import type { KitConfig } from '../../lib/config/model.js';
import { configOf, keysOf, plant, startWire, type Wire } from '../engine/support/wire.js';
import { principalIn } from '../support/principals.js';
import type { Access } from '../../lib/contract/index.js';

const policy: Policy = { ...DEFAULT_POLICY, poll: 50, soak: 0, patience: 5000 };
let wire: Wire;
beforeAll(async () => {
  wire = await startWire();
});
afterAll(() => wire?.stop());
afterEach(() => {
  wire.sandbox.aws.clearFaults();
  wire.sandbox.heroku.clearFaults();
});

const run = (config: KitConfig, intent: Intent, more: Partial<Policy> = {}): Promise<TeamResult> =>
  runTeam(wire.context(config), team(config), intent, { ...policy, ...more });
const team = (config: KitConfig) => config.teams[0] as KitConfig['teams'][number];
const look = (config: KitConfig) => observeTeam(wire.context(config), team(config));
/** Every team's bucket is the same but for its name, and so is what its principals may reach. */
const nameOf = (name: string, access: Access) => userName(principalIn(configOf(name, { 'an-app': `mode: ${access}` }), name, access));
const held = async (app: string) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID;

async function atRest(name: string): Promise<{ config: KitConfig; first: string }> {
  const config = configOf(name, { [`${name}-up`]: 'mode: upload', [`${name}-two`]: 'mode: upload' });
  await plant(wire, config);
  expect(await run(config, { kind: 'ensure' })).toMatchObject({ status: 'done' });
  return { config, first: (await held(`${name}-up`)) ?? '' };
}

test('undo during the soak: the old key comes back for every app, the new one goes', async () => {
  const { config, first } = await atRest('back');
  const soaking = await run(config, { kind: 'rotate', due: false }, { soak: 86_400_000 });
  expect(soaking).toMatchObject({ status: 'waiting', waiting: [{ kind: 'soak', keyId: first }] });
  const second = await held('back-up');
  expect(second).not.toBe(first);
  expect(await run(config, { kind: 'undo' })).toMatchObject({ status: 'done' });
  expect([await held('back-up'), await held('back-two')]).toEqual([first, first]);
  expect(await keysOf(wire, nameOf('back', 'upload'))).toEqual([{ id: first, status: 'Active' }]);
  expect(planTeam(await look(config), { kind: 'ensure' }).steps).toEqual([]);
});

test('emergency: the leaked key is dead before anything else, even while someone else holds the lease', async () => {
  const { config, first } = await atRest('leak');
  const lease = { id: 'other', who: 'ann@laptop', pid: 1, machine: 'elsewhere', since: new Date().toISOString(), ttl: 600_000 };
  const bucket = team(config).bucket?.spec.name;
  await (await wire.aws.s3()).send(new PutObjectCommand({ Bucket: bucket, Key: leaseKey('leak'), Body: JSON.stringify(lease) }));
  const blocked = await run(config, { kind: 'emergency', keyId: first });
  expect(blocked).toMatchObject({ status: 'failed', error: { code: 'lease-held' } });
  expect(blocked.summary).toMatch(
    /^ann@laptop \(process 1\) is working on this team since .*; the lease s3:\/\/.*leak\.json is renewed while they do, and is free \d+ min after/,
  );
  expect(await keysOf(wire, nameOf('leak', 'upload'))).toEqual([{ id: first, status: 'Inactive' }]);

  await (
    await wire.aws.s3()
  ).send(new PutObjectCommand({ Bucket: bucket, Key: leaseKey('leak'), Body: JSON.stringify({ ...lease, ttl: 0 }) }));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await run(config, { kind: 'emergency', keyId: first })).toMatchObject({ status: 'done' });
  const [now] = await keysOf(wire, nameOf('leak', 'upload'));
  expect(now?.id).not.toBe(first);
  expect([await held('leak-up'), await held('leak-two')]).toEqual([now?.id, now?.id]);
});

test('a key that someone else made stops a rotation, is shown, and goes only when asked for', async () => {
  const { config } = await atRest('guest');
  const UserName = nameOf('guest', 'upload');
  const { AccessKey: guest } = await (await wire.aws.iam()).send(new CreateAccessKeyCommand({ UserName }));
  const id = guest?.AccessKeyId ?? '';
  expect(await run(config, { kind: 'rotate', due: false })).toMatchObject({
    status: 'blocked',
    blocked: [{ code: 'unknown-key', text: expect.stringContaining(`--delete-unknown-key ${id}`) }],
    evidence: [],
  });
  expect(await run(config, { kind: 'ensure' })).toMatchObject({ status: 'done', notices: [expect.stringContaining(id)] });
  expect(await keysOf(wire, UserName)).toHaveLength(2);
  expect(await run(config, { kind: 'delete-unknown', keyId: id })).toMatchObject({ status: 'done' });
  expect((await keysOf(wire, UserName)).map((key) => key.id)).not.toContain(id);
});

test('a build that began with the old key keeps it alive; when it ends, the key goes', async () => {
  const { config, first } = await atRest('slow');
  wire.sandbox.heroku.settings.pendingAfterEofMs = 6000;
  const { tarball } = await import('../../sandbox/test/integration/heroku-client.js');
  const build = await wire.heroku.startBuild('slow-two', await tarball({ Procfile: 'web: true\n' }));
  const waiting = await run(config, { kind: 'rotate', due: false }, { patience: 0 });
  expect(waiting).toMatchObject({
    status: 'waiting',
    waiting: [{ kind: 'in-flight', app: 'slow-two', text: expect.stringContaining(build.id) }],
  });
  expect(await keysOf(wire, nameOf('slow', 'upload'))).toContainEqual({ id: first, status: 'Active' });
  expect(await held('slow-two')).not.toBe(first);
  wire.sandbox.heroku.settings.pendingAfterEofMs = 0;
  expect(await run(config, { kind: 'finish' }, { patience: 60_000 })).toMatchObject({ status: 'done' });
  expect(await keysOf(wire, nameOf('slow', 'upload'))).toHaveLength(1);
});

test('a rollback that brought a retired key back is mended', async () => {
  const { config, first } = await atRest('revive');
  const { build, gitBuildpack, ok } = await import('../../sandbox/test/integration/heroku-client.js');
  // Only a release with a slug can be rolled back to.
  await wire.heroku.setBuildpacks('revive-up', [
    gitBuildpack({ 'bin/detect': '#!/bin/bash\necho Plain\n', 'bin/compile': '#!/bin/bash\ntrue\n' }),
  ]);
  await build(wire.sandbox.heroku, 'revive-up', { Procfile: 'web: true\n' });
  const before = (await wire.heroku.releases('revive-up'))[0];
  expect(await run(config, { kind: 'rotate', due: false })).toMatchObject({ status: 'done' });
  await ok(wire.sandbox.heroku, 'POST', '/apps/revive-up/releases', { release: before?.id });
  expect(await held('revive-up')).toBe(first);
  expect(await run(config, { kind: 'ensure' })).toMatchObject({ status: 'done' });
  expect(await held('revive-up')).toBe(await held('revive-two'));
});

test('a mode change moves apps to another principal; the former one retires, and goes when no stack holds it', async () => {
  const { first } = await atRest('change');
  const changed = configOf('change', { 'change-up': 'mode: read-only', 'change-two': 'mode: read-only' });
  await plant(wire, changed);
  const former = nameOf('change', 'upload');
  const outcome = await run(changed, { kind: 'ensure' });
  expect(outcome).toMatchObject({ status: 'done' });
  expect(outcome.evidence.map(({ step }) => step)).toContain('delete-principal');
  expect(await held('change-up')).not.toBe(first);
  expect(await wire.heroku.configVars('change-up')).toMatchObject({ HALCYON_NO_UPLOAD: '1' });
  await expect((await wire.aws.iam()).send(new GetUserCommand({ UserName: former }))).rejects.toMatchObject({
    name: expect.stringMatching(/NoSuchEntity/),
  });
  expect((await look(changed)).principals.map(({ user }) => user)).toEqual([nameOf('change', 'read-only')]);
});

test('down: config vars are unset, keys are deleted, the users stay for the stack to remove', async () => {
  const { config } = await atRest('gone');
  await wire.heroku.patchConfigVars('gone-up', { THEIRS: 'stays' });
  expect(await run(config, { kind: 'down', force: false })).toMatchObject({ status: 'done' });
  expect([await wire.heroku.configVars('gone-up'), await wire.heroku.configVars('gone-two')]).toEqual([{ THEIRS: 'stays' }, {}]);
  expect(await keysOf(wire, nameOf('gone', 'upload'))).toEqual([]);
});

test('a key that may do more than its access says is given to no app', async () => {
  const config = configOf('wide', { 'wide-ro': 'mode: read-only' });
  await plant(wire, config);
  const { PutUserPolicyCommand } = await import('@aws-sdk/client-iam');
  const UserName = nameOf('wide', 'read-only');
  const Statement = [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }];
  await (
    await wire.aws.iam()
  ).send(
    new PutUserPolicyCommand({ UserName, PolicyName: 'by-hand', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }),
  );
  expect(await run(config, { kind: 'ensure' })).toMatchObject({
    status: 'failed',
    error: { code: 'access-too-wide', message: expect.stringContaining('PUT an object') },
  });
  expect(await wire.heroku.configVars('wide-ro')).toEqual({});
  await (await wire.aws.iam()).send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'by-hand' }));
  expect(await run(config, { kind: 'ensure' })).toMatchObject({ status: 'done' });
});

test('two operators at once: one works, the other is told', async () => {
  const { config } = await atRest('both');
  const outcomes = await Promise.all([run(config, { kind: 'rotate', due: false }), run(config, { kind: 'rotate', due: false })]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['done', 'failed']);
  expect(outcomes.find(({ status }) => status === 'failed')?.error?.code).toBe('lease-held');
  expect(await keysOf(wire, nameOf('both', 'upload'))).toHaveLength(1);
});

test('Ctrl-C gives the lease back, and the next run goes on', async () => {
  const { config, first } = await atRest('stop');
  const controller = new AbortController();
  const smoke = async () => controller.abort(new Error('stopped'));
  const stopped = runTeam(
    { ...wire.context(config), signal: controller.signal, smoke },
    team(config),
    { kind: 'rotate', due: false },
    policy,
  );
  await expect(stopped).rejects.toThrow('stopped');
  expect(await run(config, { kind: 'rotate', due: false })).toMatchObject({ status: 'done' });
  expect(await held('stop-two')).not.toBe(first);
  expect(await keysOf(wire, nameOf('stop', 'upload'))).toHaveLength(1);
});
