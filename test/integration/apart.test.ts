import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttachUserPolicyCommand, DetachUserPolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { down } from '../../lib/commands/down.js';
import { rotate } from '../../lib/commands/rotate.js';
import { status } from '../../lib/commands/status.js';
import { sync } from '../../lib/commands/sync.js';
import { userName } from '../../lib/contract/index.js';
import { createAws } from '../../lib/aws/aws.js';
import { awsKeys } from '../../lib/engine/ports/iam.client.js';
import { silentIo } from '../../lib/io/io-host.js';
import { configOf, configText, keysOf, plant, startWire, type Wire } from '../engine/support/wire.js';
import { quietHost } from '../support/host.js';
import { principalIn } from '../support/principals.js';

/** Apps that cannot be worked on, each for its reason, beside one that can. */
const apps = Object.fromEntries(['good', 'moved', 'gone', 'locked', 'fir'].map((name) => [`apart-${name}`, 'mode: upload']));
const user = userName(principalIn(configOf('apart', apps), 'apart', 'upload'));
let wire: Wire;
let dir: string;
const warned: string[] = [];
/** A key that was rotated away. */
let gone = '';
let confirm = async () => true;

beforeAll(async () => {
  wire = await startWire();
  dir = await mkdtemp(join(tmpdir(), 'apart-'));
  await writeFile(join(dir, 'halcyon.yaml'), configText('apart', apps));
  await wire.sandbox.heroku.ensureApp('apart-locked', { forbidden: true });
  await wire.sandbox.heroku.ensureApp('apart-fir', { generation: 'fir' });
  await plant(wire, configOf('apart', apps));
  await wire.heroku.deleteApp('apart-gone');
});
afterAll(async () => {
  await wire?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true });
});

const host = () => quietHost({ io: { ...silentIo, warn: (line) => void warned.push(line) }, confirm: () => confirm() });
const options = () => ({ config: join(dir, 'halcyon.yaml') });
const rotation = { waves: '100%', soak: '0s', smoke: false };
const held = async (app: string) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID;
const LEFT = [/left as it is: .*apart-gone does not exist/, /left as it is: .*apart-locked/, /left as it is: .*apart-fir is of the fir/];

test('sync does the rest, names each with what to do, and ends with 1', async () => {
  const result = await sync([], options(), host());
  expect(result.exitCode).toBe(1);
  for (const line of LEFT) expect(result.text).toMatch(line);
  const [key] = await keysOf(wire, user);
  expect([await held('apart-good'), await held('apart-moved'), await held('apart-fir')]).toEqual([key?.id, key?.id, undefined]);
  // Nothing is left to write, and yet not all is well.
  const again = await sync([], options(), host());
  expect(again.exitCode).toBe(1);
  expect(again.text).not.toContain('nothing to change\n');
  expect(warned.join('\n')).toContain('apart-locked');
});

test('status shows them, and does not take what it could not see for well', async () => {
  const result = await status([], options(), host());
  expect(result.text).toMatch(/apart-good .*current .*as in the file/);
  expect(result.text).toMatch(/apart-gone .*missing/);
  expect(result.text).toMatch(/apart-fir .*takes no classic buildpacks/);
  expect(result.exitCode).toBe(1);
});

test('an app renamed after it was looked up is still that app: it gets the new key, and keeps the old one alive until then', async () => {
  // Who cannot be asked may hold the old key; here there is none such.
  await writeFile(join(dir, 'halcyon.yaml'), configText('apart', { 'apart-good': 'mode: upload', 'apart-moved': 'mode: upload' }));
  confirm = async () => {
    const answer = await fetch(`${wire.sandbox.heroku.url}/apps/apart-moved`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${wire.sandbox.heroku.token}`,
        accept: 'application/vnd.heroku+json; version=3',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'apart-renamed' }),
    });
    expect(answer.status).toBe(200);
    return true;
  };
  const [before] = await keysOf(wire, user);
  const result = await rotate([], { ...options(), ...rotation }, host());
  confirm = async () => true;
  const keys = await keysOf(wire, user);
  expect(
    keys.map(({ id }) => id),
    result.text,
  ).not.toContain(before?.id);
  expect(await held('apart-renamed')).toBe(keys[0]?.id);
  expect(result.exitCode).toBe(0);
  gone = before?.id ?? '';
});

test('an emergency about a key that is gone already says so, and is over', async () => {
  await writeFile(join(dir, 'halcyon.yaml'), configText('apart', { 'apart-good': 'mode: upload' }));
  const result = await rotate([], { ...options(), ...rotation, emergency: gone }, host());
  expect(result).toMatchObject({ exitCode: 0, text: expect.stringContaining(`${gone} is gone already`) });
});

test.each(['', 'V2', 'V4'])('a user is quarantined by any version of the policy: %s', async (version) => {
  const policy = { UserName: user, PolicyArn: `arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine${version}` };
  const iam = await wire.aws.iam();
  await iam.send(new AttachUserPolicyCommand(policy));
  // A process knows for a minute what it has seen of this: each look is one's first.
  const look = () => awsKeys(createAws({ region: wire.aws.region, network: wire.aws.network })).users(['apart']);
  expect(await look()).toMatchObject([{ quarantined: true }]);
  await iam.send(new DetachUserPolicyCommand(policy));
  expect((await look())[0]).not.toHaveProperty('quarantined');
});

test('a quarantined user gets no new key, and the way out is said', async () => {
  await (
    await wire.aws.iam()
  ).send(new AttachUserPolicyCommand({ UserName: user, PolicyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3' }));
  expect(await awsKeys(wire.aws).users(['apart'])).toMatchObject([{ quarantined: true }]);
  const [leaked] = await keysOf(wire, user);
  expect((await status([], options(), host())).text).toContain('never detach AWSCompromisedKeyQuarantine');
  const result = await rotate([], { ...options(), ...rotation, emergency: leaked?.id }, host());
  expect(result).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/is inactive\n[^]*"halcyon-kit up apart", which makes a successor/),
  });
  expect(await keysOf(wire, user)).toEqual([{ id: leaked?.id, status: 'Inactive' }]);
  const { text } = await status([], options(), host());
  expect(text).toMatch(new RegExp(`${leaked?.id} +inactive +leaked`));
  expect(text).toContain(`to go on: halcyon-kit rotate apart --emergency ${leaked?.id}`);
});

test('down is not kept by an app that is gone', async () => {
  await writeFile(join(dir, 'halcyon.yaml'), configText('apart', { 'apart-good': 'mode: upload', 'apart-gone': 'mode: upload' }));
  const result = await down([], { ...options(), yes: true }, host());
  expect(result, result.text).toMatchObject({ exitCode: 0 });
  expect(await keysOf(wire, user).catch(() => [])).toEqual([]);
});
