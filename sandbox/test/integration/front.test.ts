import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateRoleCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { userWithKey } from '../support/accounts.js';
import { clients, failure, send, sigv2, type Key } from '../support/clients.js';

let aws: LocalAws;
let directory: string;
let user: Key;
const Bucket = 'front-bucket';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'front-test-'));
  aws = await startLocalAws({ logFile: join(directory, 'log.jsonl'), settings: { sigv2: { default: 'accept' } } });
  user = await userWithKey(aws, 'front', { actions: ['s3:*', 'secretsmanager:*'] });
  await clients(aws).s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await aws?.stop();
  await rm(directory, { recursive: true, force: true });
});

test.each(['plain', 'with space', 'a+b', 'ünï/cödé', "all-_.!~*'()%&@=;:,$?#[]"])('key %j survives, with SigV4', async (Key) => {
  const { s3 } = clients(aws, { key: user });
  await s3.send(new PutObjectCommand({ Bucket, Key: `keys/${Key}`, Body: Key }));
  expect(await (await s3.send(new GetObjectCommand({ Bucket, Key: `keys/${Key}` }))).Body?.transformToString()).toBe(Key);
  expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `keys/${Key}` }))).Contents?.[0]?.Key).toBe(`keys/${Key}`);
  expect(aws.log().findLast(({ operation }) => operation === 'GetObject')?.resource).toBe(`${Bucket}/keys/${Key}`);
});

test('bodies are streamed whole, both ways, and of unknown length', async () => {
  const data = randomBytes(24 << 20);
  const { s3 } = clients(aws, { key: user });
  await new Upload({ client: s3, params: { Bucket, Key: 'large', Body: Readable.from([data]) } }).done();
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'large' }));
  const hash = createHash('sha256');
  for await (const chunk of answer.Body as Readable) hash.update(chunk as Buffer);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'large' }))).ContentLength).toBe(data.length);
});

test('a wrong secret is refused; so is a made-up key', async () => {
  const wrong = clients(aws, { key: { ...user, secretAccessKey: 'x'.repeat(40) } });
  expect((await failure(wrong.s3.send(new ListObjectsV2Command({ Bucket })))).name).toBe('SignatureDoesNotMatch');
  const nobody = clients(aws, { key: { accessKeyId: 'AKIANOBODYNOBODY2345', secretAccessKey: 'x' } });
  expect((await failure(nobody.s3.send(new ListObjectsV2Command({ Bucket })))).name).toBe('InvalidAccessKeyId');
  expect(aws.log().at(-1)).toMatchObject({
    principal: 'unknown',
    accessKeyId: 'AKIANOBODYNOBODY2345',
    status: 403,
    reason: 'InvalidAccessKeyId',
  });
});

test('the log tells who did what, how signed, with what outcome, and no secret', async () => {
  aws.clearLog();
  const arn = `arn:aws:iam::${aws.account}:user/front`;
  const body = 'canary-content-of-an-object';
  const md5 = createHash('md5').update(body).digest('base64');
  const path = `/${Bucket}/logged`;
  await send(aws, { method: 'PUT', path, body, headers: sigv2(user, 'PUT', path, { md5, acl: 'bucket-owner-full-control' }) });
  await send(aws, { path: `${path}-not`, headers: sigv2(user, 'GET', `${path}-not`) });
  const { secrets, iam } = clients(aws, { key: user });
  const { CreateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  await secrets.send(new CreateSecretCommand({ Name: 'logged', SecretString: 'canary-content-of-a-secret' }));
  const { CreateAccessKeyCommand } = await import('@aws-sdk/client-iam');
  await failure(iam.send(new CreateAccessKeyCommand({ UserName: 'front' })));
  await send(aws, { path: `/${Bucket}/anonymous` });
  expect(aws.log()).toEqual([
    expect.objectContaining({
      principal: arn,
      accessKeyId: user.accessKeyId,
      service: 's3',
      operation: 'PutObject',
      resource: `${Bucket}/logged`,
      signatureVersion: 2,
      status: 200,
      acl: 'bucket-owner-full-control',
    }),
    expect.objectContaining({ operation: 'GetObject', signatureVersion: 2, status: 404, reason: 'NoSuchKey' }),
    expect.objectContaining({ service: 'secretsmanager', operation: 'CreateSecret', resource: 'logged', signatureVersion: 4, status: 200 }),
    expect.objectContaining({ service: 'iam', operation: 'CreateAccessKey', resource: 'front', status: 403, reason: 'AccessDenied' }),
    expect.objectContaining({ principal: 'anonymous', signatureVersion: 'none', status: 403 }),
  ]);
  const written = async () => (await readFile(join(directory, 'log.jsonl'), 'utf8')).trim().split('\n');
  // The file is written after the answer is given.
  await expect.poll(async () => (await written()).slice(-5), { timeout: 30_000 }).toEqual(aws.log().map((entry) => JSON.stringify(entry)));
  const lines = await written();
  for (const secret of [user.secretAccessKey, aws.env.AWS_SECRET_ACCESS_KEY as string, 'canary-content']) {
    expect(lines.join('\n')).not.toContain(secret);
  }
});

test('a role taken on is known by its session', async () => {
  const { iam, sts } = clients(aws);
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }] };
  const role = await iam.send(new CreateRoleCommand({ RoleName: 'role', AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: role.Role?.Arn as string, RoleSessionName: 'me' }));
  const asRole = clients(aws, {
    key: {
      accessKeyId: Credentials?.AccessKeyId as string,
      secretAccessKey: Credentials?.SecretAccessKey as string,
      sessionToken: Credentials?.SessionToken as string,
    },
  }).sts;
  const arn = `arn:aws:sts::${aws.account}:assumed-role/role/me`;
  expect((await asRole.send(new GetCallerIdentityCommand({}))).Arn).toBe(arn);
  expect(aws.log().at(-1)?.principal).toBe(arn);
});

test('an answer before the end of the body leaves the client able to read it', async () => {
  aws.addFault({ kind: 'status', operation: 'PutObject' });
  const body = randomBytes(8 << 20);
  const path = `/${Bucket}/early`;
  const answer = await send(aws, { method: 'PUT', path, body, headers: sigv2(user, 'PUT', path) });
  expect(answer.status).toBe(503);
});

test('several run side by side, each an account of its own', async () => {
  const other = await startLocalAws({ account: '222233334444', region: 'eu-west-1' });
  try {
    expect(other.port).not.toBe(aws.port);
    expect((await clients(other).sts.send(new GetCallerIdentityCommand({}))).Account).toBe('222233334444');
    expect((await failure(clients(other, { key: user }).sts.send(new GetCallerIdentityCommand({})))).name).not.toBe('none');
  } finally {
    await other.stop();
  }
});

test('a port that is taken is an error, and nothing is left running', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  const { port } = squatter.address() as { port: number };
  expect((await failure(startLocalAws({ port }))).message).toBe(`port ${port} is taken: choose another, or none for a free one`);
  squatter.close();
});
