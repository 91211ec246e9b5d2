import {
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, HeadBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketTags, deleteBucket } from '../../lib/aws/bucket.js';
import { parseConfig } from '../../lib/config/index.js';
import { iamPath, parseUserName, secretName, TAGS, USER_POLICY, type PrincipalId } from '../../lib/contract/index.js';
import { findLeft } from '../../lib/deploy/left.client.js';
import { stackState } from '../../lib/deploy/stack.client.js';
import { emptyBucket } from '../../lib/smoke/objects.client.js';
import { keysOf, startWire, type Wire } from '../engine/support/wire.js';
import { InProcess } from './support/in-process.js';
import { variant } from '../support/variant.js';

/** What an earlier file made and this one no longer names: found, kept, and retired when asked. */
const ACCOUNT = '111122223333';
const SIGNING = 'signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }\n';
const own = (region = 'eu-west-1') => `bucket: { account: "${ACCOUNT}", region: ${region} }`;
const team = (name: string, app: string, extra = own()) => `  ${name}:\n    ${extra}\n    apps: { ${app} }\n`;
const file = (...teams: string[]) => `teams:\n${teams.join('')}${SIGNING}`;
const bucketOf = (name: string, region = 'eu-west-1') => `halcyon-${name}-${ACCOUNT}-${region}`;
const ONE = team('one', 'left-one: { mode: upload }');
const UP = ['up', '--all', '--yes', '--no-smoke'];

let wire: Wire;
let work: InProcess;

beforeAll(async () => {
  wire = await startWire();
  // A key is not retired while it was used minutes ago and no app explains it: here nobody sees the uses of today.
  wire.sandbox.aws.settings.lastUsedLagMs = 86_400_000;
  work = new InProcess(wire.sandbox.env);
  for (const app of ['left-one', 'left-two', 'left-app', 'left-old']) await wire.sandbox.heroku.ensureApp(app);
});
afterAll(async () => {
  work?.remove();
  await wire?.stop();
});

const held = async (app: string) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID;
const users = async (path: string) => {
  const { Users = [] } = await (await wire.aws.iam()).send(new ListUsersCommand({ PathPrefix: '/halcyon/' }));
  return Users.filter(({ Path }) => Path?.endsWith(`/${path}/`)).map(({ UserName = '' }) => UserName);
};
const stack = async (name: string, region = 'eu-west-1') => (await stackState(wire.aws.in(region), name)).exists;
const bucket = async (name: string) => {
  const found = (await wire.aws.s3()).send(new HeadBucketCommand({ Bucket: name }));
  return found.then(
    () => true,
    () => false,
  );
};
const left = async (...args: string[]) => (JSON.parse((await work.kit([...args, '--json'])).stdout) as { left: unknown }).left;
/** The user whose key an app holds, and whether that key works. */
const holds = async (app: string, name: string) => {
  const key = await held(app);
  for (const user of await users(name)) for (const one of await keysOf(wire, user)) if (one.id === key) return { user, status: one.status };
  return undefined;
};

test('a bucket goes from its team to all, and back, in one run each', async () => {
  const shared = `buckets: { common: { account: "${ACCOUNT}", region: eu-west-1, name: ${bucketOf('own')} } }\n`;
  const given = (bucket: string) => `teams:\n${team('own', 'left-app: { mode: upload }', bucket)}${SIGNING}`;
  for (const text of [given(own()), shared + given('bucket: { shared: common }'), given(own())]) {
    work.write(text);
    await work.ok(UP);
  }
  await work.ok(['down', 'own', '--delete-bucket', '--yes']);
  expect(await bucket(bucketOf('own'))).toBe(false);
});

test('a mode that comes back waits for up, as its former user has left the stack', async () => {
  const given = (mode: string) => `teams:\n${team('back', `left-app: { mode: ${mode} }`)}${SIGNING}`;
  for (const mode of ['upload', 'read-only']) {
    work.write(given(mode));
    await work.ok(UP);
  }
  const before = await held('left-app');
  work.write(given('upload'));
  const synced = await work.kit(['sync', '--yes']);
  expect([synced.code, synced.stdout]).toEqual([1, expect.stringMatching(/IAM user \S+-2 does not exist; run halcyon-kit up/)]);
  expect(await held('left-app')).toBe(before);
  const { findings } = JSON.parse((await work.kit(['status', '--json'])).stdout) as { findings: Array<{ name: string }> };
  expect(findings.map(({ name }) => name)).toEqual(expect.arrayContaining(['user-missing']));
  expect(findings.map(({ name }) => name)).not.toContain('key-inactive');
  await work.ok(UP);
  expect(await held('left-app')).not.toBe(before);
  await work.ok(['down', 'back', '--delete-bucket', '--yes']);
});

describe('a team that the file no longer names', () => {
  test('is shown by plan, status and doctor, and goes on working', async () => {
    work.write(file(ONE, team('two', 'left-two: { mode: upload }')));
    await work.ok(UP);
    work.write(file(ONE));
    const { stdout } = await work.ok(['plan']);
    expect(stdout).toContain('left behind: team two: the file no longer names it');
    expect(stdout).toContain('halcyon-kit up --prune');
    expect(stdout).toContain(`left behind: bucket ${bucketOf('two')}`);
    expect((await work.ok(['status'])).stdout).toMatch(
      /^! team two: the file no longer names it.*\n +once no app needs it, run halcyon-kit up --prune/,
    );
    const { findings } = JSON.parse((await work.kit(['doctor', '--json'])).stdout) as {
      findings: Array<{ name: string; subject: string }>;
    };
    expect(findings.filter(({ name }) => name.endsWith('-left')).map(({ name, subject }) => `${name}: ${subject}`)).toEqual([
      'team-left: team two',
      'stack-left: stack halcyon-two in eu-west-1',
      `bucket-left: bucket ${bucketOf('two')}`,
    ]);
    await work.ok(UP);
    expect(await holds('left-two', 'two')).toMatchObject({ status: 'Active' });
    work.write(file(ONE, team('zwei', 'left-two: { mode: upload }')));
    expect((await work.ok(['plan', 'zwei'])).stdout).toContain('if it is what team zwei was, write "was: two" there');
  });

  test('is none of another deployment’s, whose stacks are left alone', async () => {
    work.write(`deployment: other\n${file(team('three', 'left-app: { mode: upload }'))}`);
    expect(await left('plan')).toMatchObject({ teams: [], stacks: [], buckets: [] });
    work.write(`deployment: other\n${file(ONE)}`);
    const ran = await work.kit(UP);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('stack halcyon-one is of deployment halcyon, not of other')]);
  });

  test('has its leaked key stopped, and nothing else done', async () => {
    work.write(`deployment: leak\n${file(team('gone', 'left-old: { mode: upload }'))}`);
    await work.ok(UP);
    const key = (await held('left-old')) ?? '';
    work.write(`deployment: leak\n${file(team('three', 'left-app: { mode: upload }'))}`);
    const asked = (await work.ok(['rotate', '--all', '--emergency', key, '--dry-run'])).stdout;
    expect(asked).toMatch(/which apps hold it is not known here[^]*and nothing else done/);
    const ran = await work.kit(['rotate', '--all', '--emergency', key, '--yes']);
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('the file has no team gone')]);
    expect(await holds('left-old', 'gone')).toMatchObject({ status: 'Inactive' });
    work.write(`deployment: leak\n${file(team('gone', 'left-old: { mode: upload }'))}`);
    await work.ok(UP);
    expect(await holds('left-old', 'gone')).toMatchObject({ status: 'Active' });
    await work.ok(['down', '--all', '--yes']);
  });

  test('down of another deployment’s file takes nothing of it', async () => {
    work.write(`deployment: other\n${file(ONE)}`);
    const ran = await work.kit(['down', 'one', '--delete-bucket', '--yes']);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('not of other, so it is left alone')]);
    expect(await holds('left-one', 'one')).toMatchObject({ status: 'Active' });
    expect(await stack('halcyon-one')).toBe(true);
  });

  test('is retired by up --prune: keys, users, secrets and stack; its bucket stays until it is asked for', async () => {
    work.write(file(team('one', 'left-one: { mode: upload }, left-two: { mode: upload }')));
    const dry = await work.ok(['up', '--prune', '--dry-run']);
    expect(dry.stdout).toContain('- stack halcyon-two in eu-west-1');
    // What is about to go is counted, and not told as left.
    expect(dry.stdout).toMatch(/^In all: .*\b1 stack deleted,/m);
    expect(dry.stdout.match(/^left behind: \w+/gm)).toEqual(['left behind: bucket']);
    expect(await holds('left-two', 'two')).toMatchObject({ status: 'Active' });
    // Another file that says no deployment may have made it.
    const refused = await work.kit(['up', '--prune', '--yes', '--no-smoke']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('"deployment: halcyon" in the file')]);
    expect(await holds('left-two', 'two')).toMatchObject({ status: 'Active' });
    work.write(`deployment: halcyon\n${file(team('one', 'left-one: { mode: upload }, left-two: { mode: upload }'))}`);
    await work.ok(['up', '--prune', '--yes', '--no-smoke']);
    expect([await users('two'), await stack('halcyon-two'), await bucket(bucketOf('two'))]).toEqual([[], false, true]);
    expect(await holds('left-two', 'one')).toMatchObject({ status: 'Active' });
    await work.ok(['down', 'two', '--delete-bucket', '--yes']);
    expect([await bucket(bucketOf('two')), await bucket(bucketOf('one'))]).toEqual([false, true]);
    expect((await work.kit(['down', 'two', '--yes'])).stderr).toContain('team "two" is not in');
  });

  variant('is taken down by name as well', async () => {
    work.write(file(ONE, team('two', 'left-two: { mode: upload }')));
    await work.ok(UP);
    work.write(file(team('one', 'left-one: { mode: upload }, left-two: { mode: upload }')));
    await work.ok(UP);
    await work.ok(['down', 'two', '--yes']);
    expect([await users('two'), await stack('halcyon-two'), await stack('halcyon-one')]).toEqual([[], false, true]);
  });
});

test('a region that a team has left keeps an empty stack, which up --prune finds and deletes', async () => {
  work.write(file(team('one', 'left-one: { mode: upload }, left-two: { mode: upload }', own('us-east-1'))));
  await work.ok(UP);
  expect(await stack('halcyon-one')).toBe(true);
  // Its bucket is there, so it is looked for there without being asked.
  expect(await left('plan')).toMatchObject({ stacks: [{ name: 'halcyon-one', region: 'eu-west-1' }] });
  expect((await work.ok(['status'])).stdout).toContain('stack halcyon-one in eu-west-1');
  await work.ok(['up', '--prune', '--yes', '--no-smoke']);
  expect([await stack('halcyon-one'), await stack('halcyon-one', 'us-east-1'), await bucket(bucketOf('one'))]).toEqual([false, true, true]);
  expect(await holds('left-one', 'one')).toMatchObject({ status: 'Active' });
});

test('a renamed team keeps its bucket, and comes back under the name before', async () => {
  const named = (name: string, was = '') => file(team(name, 'left-app: { mode: upload }', `${own()}\n    credentials: per-app${was}`));
  work.write(named('alpha'));
  await work.ok(UP);
  const first = await holds('left-app', 'alpha');
  work.write(named('beta', '\n    was: alpha'));
  expect(JSON.stringify(await left('plan'))).not.toContain('alpha');
  expect((await work.ok(['plan'])).stdout).toContain('Stack halcyon-alpha goes, as halcyon-beta takes its place');
  const { stderr } = await work.ok(UP);
  expect(stderr).toContain(`taking bucket ${bucketOf('alpha')} back into halcyon-beta`);
  const second = await holds('left-app', 'beta');
  expect(second).toMatchObject({ status: 'Active', user: `${first?.user}-2` });
  expect([await stack('halcyon-alpha'), await bucket(bucketOf('beta'))]).toEqual([false, false]);
  expect((await wire.heroku.configVars('left-app')).HALCYON_S3_BUCKET).toBe(bucketOf('alpha'));
  expect(await bucketTags(wire.aws, { name: bucketOf('alpha'), account: ACCOUNT })).toMatchObject({ [TAGS.team]: 'beta' });
  // The key before is retired, behind the barrier, with its user.
  expect(await keysOf(wire, first?.user ?? '')).toMatchObject([{ status: 'Inactive' }]);
  work.write(named('alpha'));
  await work.ok(UP);
  expect(await holds('left-app', 'alpha')).toMatchObject({ status: 'Active', user: `${first?.user}-3` });
  expect((await wire.heroku.configVars('left-app')).HALCYON_S3_BUCKET).toBe(bucketOf('alpha'));
  // The other has let go of the bucket, and of nothing else until it is asked to.
  expect(JSON.stringify(await left('plan'))).toContain('"team":"beta"');
  expect([await stack('halcyon-alpha'), await stack('halcyon-beta')]).toEqual([true, true]);
  work.write(`deployment: halcyon\n${named('alpha')}`);
  await work.ok(['up', '--prune', '--yes', '--no-smoke']);
  expect([await stack('halcyon-alpha'), await stack('halcyon-beta'), await bucket(bucketOf('alpha'))]).toEqual([true, false, true]);
});

test('a herd of users of another deployment is told by one of them', async () => {
  const iam = await wire.aws.iam();
  const herd = Array.from({ length: 20 }, (_, i) => ({ name: `halcyon.app.herd-${i}.upload.abcdef`, path: iamPath('upload', 'herd') }));
  const Tags = [{ Key: TAGS.deployment, Value: 'elsewhere' }];
  for (const { name: UserName, path: Path } of herd) await iam.send(new CreateUserCommand({ UserName, Path, Tags }));
  wire.sandbox.aws.clearLog();
  const config = parseConfig(file(ONE));
  const looking = { config, aws: (region: string) => wire.aws.in(region), account: ACCOUNT, region: 'eu-west-1' };
  expect((await findLeft(looking, herd, false)).teams).toEqual([]);
  expect(wire.sandbox.aws.log().filter(({ operation }) => operation === 'ListUserTags')).toHaveLength(1);
  expect((await findLeft({ ...looking, config: { ...config, deployment: 'elsewhere' } }, herd, false)).teams).toMatchObject([
    { team: 'herd', users: herd.map((user) => user.name) },
  ]);
});

describe('what was deleted by hand, which CloudFormation does not miss,', () => {
  const up = async () => {
    await work.ok(UP);
    return holds('left-app', 'drift');
  };
  test('is succeeded by the next up: a user, and a secret', async () => {
    work.write(`deployment: drift\n${file(team('drift', 'left-app: { mode: upload }'))}`);
    const first = await up();
    const UserName = first?.user ?? '';
    const iam = await wire.aws.iam();
    for (const { id: AccessKeyId } of await keysOf(wire, UserName)) await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: USER_POLICY }));
    await iam.send(new DeleteUserCommand({ UserName }));
    const second = await up();
    expect(second).toEqual({ user: `${UserName}-2`, status: 'Active' });
    const [secret] = [parseUserName({ name: `${UserName}-2`, path: iamPath('upload', 'drift') }) as PrincipalId].map(secretName);
    await (await wire.aws.secrets()).send(new DeleteSecretCommand({ SecretId: secret, ForceDeleteWithoutRecovery: true }));
    expect(await up()).toEqual({ user: `${UserName}-3`, status: 'Active' });
    expect(await up()).toEqual({ user: `${UserName}-3`, status: 'Active' });
  });
});

test('a bucket whose versions began after its first objects is emptied, and goes', async () => {
  const bucket = { name: 'left-versions', account: '111122223333' };
  const s3 = await wire.aws.s3();
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body: Key }));
  await s3.send(new CreateBucketCommand({ Bucket: bucket.name, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  for (const key of ['covered', 'alone']) await put(key);
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket.name, VersioningConfiguration: { Status: 'Enabled' } }));
  await put('covered');
  await emptyBucket(wire.aws, bucket, { signal: AbortSignal.timeout(20_000) });
  await deleteBucket(wire.aws, bucket);
});
