import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  ListAccessKeysCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { addKey, userWithKey } from '../support/accounts.js';
import { clients, failure, rootKey, send, sigv2, type Key } from '../support/clients.js';

/** Each rule of the front: what AWS does, and beside it that MiniStack alone does not (when that fails, the rule can go). */
let aws: LocalAws;
let user: Key;
const bucket = 'rules-bucket';
const object = `/${bucket}/some/key`;

beforeAll(async () => {
  aws = await startLocalAws();
  user = await userWithKey(aws, 'rules', { actions: ['s3:*', 'iam:*'] });
  const { s3 } = clients(aws);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'some/key', Body: 'content' }));
});
afterAll(() => aws?.stop());

describe('two-keys', () => {
  test('a third key is refused and leaves no trace; after a deletion there is room again', async () => {
    await userWithKey(aws, 'two');
    const second = await addKey(aws, 'two');
    const { iam } = clients(aws);
    const third = await failure(iam.send(new CreateAccessKeyCommand({ UserName: 'two' })));
    expect(third).toMatchObject({ name: 'LimitExceededException', status: 409, message: 'Cannot exceed quota for AccessKeysPerUser: 2' });
    const keys = (await iam.send(new ListAccessKeysCommand({ UserName: 'two' }))).AccessKeyMetadata ?? [];
    expect(keys.map((key) => key.AccessKeyId)).toContain(second.accessKeyId);
    expect(keys).toHaveLength(2);
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'two', AccessKeyId: second.accessKeyId }));
    await addKey(aws, 'two');
  });

  test('of five that come at once two get a key', async () => {
    const { CreateUserCommand } = await import('@aws-sdk/client-iam');
    await clients(aws).iam.send(new CreateUserCommand({ UserName: 'five' }));
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => failure(addKey(aws, 'five'))));
    expect(outcomes.map(({ name }) => name).sort()).toEqual([
      'LimitExceededException',
      'LimitExceededException',
      'LimitExceededException',
      'none',
      'none',
    ]);
  });

  test('MiniStack alone makes a third', async () => {
    await userWithKey(aws, 'three', { direct: true });
    await addKey(aws, 'three', true);
    await addKey(aws, 'three', true);
  });
});

describe('sigv2-refused', () => {
  const get = (options: { direct?: boolean; path?: string; key?: Key } = {}) => {
    const path = options.path ?? object;
    return send(aws, { direct: options.direct, path, headers: sigv2(options.key ?? user, 'GET', path) });
  };

  test("is refused on a new bucket with AWS's words", async () => {
    const answer = await get();
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<Code>InvalidRequest</Code>');
    expect(answer.body).toContain('The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');
  });

  test('MiniStack alone takes it', async () => {
    expect(await get({ direct: true })).toMatchObject({ status: 200, body: 'content' });
  });

  test('is taken where the bucket is set to; its signature is still verified', async () => {
    aws.settings.sigv2.buckets[bucket] = 'accept';
    expect(await get()).toMatchObject({ status: 200, body: 'content' });
    const forged = await get({ key: { ...user, secretAccessKey: 'wrong' } });
    expect(forged.status).toBe(403);
    expect(forged.body).toContain('SignatureDoesNotMatch');
    delete aws.settings.sigv2.buckets[bucket];
  });

  test('is refused in a region launched since 2014, whatever is set', async () => {
    await clients(aws, { region: 'eu-central-1' }).s3.send(
      new CreateBucketCommand({ Bucket: 'rules-frankfurt', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
    aws.settings.sigv2.default = 'accept';
    expect((await get({ path: '/rules-frankfurt/x' })).status).toBe(400);
    expect((await get()).status).toBe(200);
    aws.settings.sigv2.default = 'refuse';
    expect((await get({ path: '/rules-frankfurt/x', direct: true })).status).toBe(404);
  });
});

describe('new-key-delay', () => {
  test('meanwhile each service decides call by call; afterwards all know the key', async () => {
    aws.settings.keyDelayMs = 600_000;
    const key = await addKey(aws, 'rules');
    const { s3, sts, iam } = clients(aws, { key });
    const outcomes = { s3: new Set<string>(), sts: new Set<string>(), iam: new Set<string>() };
    for (let i = 0; i < 60; i++) {
      outcomes.s3.add((await failure(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'some/key' })))).name);
      outcomes.sts.add((await failure(sts.send(new GetCallerIdentityCommand({})))).name);
      outcomes.iam.add((await failure(iam.send(new GetUserCommand({ UserName: 'rules' })))).name);
    }
    expect([...outcomes.s3].sort()).toEqual(['InvalidAccessKeyId', 'none']);
    expect([...outcomes.sts].sort()).toEqual(['InvalidClientTokenId', 'none']);
    expect([...outcomes.iam].sort()).toEqual(['InvalidClientTokenId', 'none']);

    aws.settings.keyDelayAccept = 0;
    aws.settings.keyDelayByService.sts = 0;
    expect((await failure(sts.send(new GetCallerIdentityCommand({})))).name).toBe('none');
    expect((await failure(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'some/key' })))).name).toBe('InvalidAccessKeyId');

    aws.settings.keyDelayMs = 0;
    expect((await failure(s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'some/key' })))).name).toBe('none');
    await clients(aws).iam.send(new DeleteAccessKeyCommand({ UserName: 'rules', AccessKeyId: key.accessKeyId }));
    Object.assign(aws.settings, { keyDelayAccept: 0.5, keyDelayByService: {} });
  });

  test('MiniStack alone knows it at once', async () => {
    const key = await userWithKey(aws, 'at-once', { actions: ['s3:*'], direct: true });
    const { s3 } = clients(aws, { key, direct: true });
    for (let i = 0; i < 20; i++) await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'some/key' }));
  });
});

describe('last-used', () => {
  const lastUsed = async (id: string, direct = false) =>
    (await clients(aws, { direct }).iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }))).AccessKeyLastUsed;

  test('tells date, service and region; a refused signature is no use', async () => {
    const key = await userWithKey(aws, 'last', { actions: ['s3:*'] });
    expect(await lastUsed(key.accessKeyId)).toEqual({ Region: 'N/A', ServiceName: 'N/A' });
    await failure(clients(aws, { key: { ...key, secretAccessKey: 'wrong' } }).s3.send(new ListObjectsV2Command({ Bucket: bucket })));
    expect(await lastUsed(key.accessKeyId)).toEqual({ Region: 'N/A', ServiceName: 'N/A' });
    const before = Math.floor(Date.now() / 1000) * 1000;
    await clients(aws, { key }).s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const used = await lastUsed(key.accessKeyId);
    expect(used).toMatchObject({ Region: 'us-east-1', ServiceName: 's3' });
    expect(used?.LastUsedDate?.getTime()).toBeGreaterThanOrEqual(before);
    // Denied by policy, but by a key that was recognised.
    await failure(clients(aws, { key }).iam.send(new GetUserCommand({ UserName: 'last' })));
    expect(await lastUsed(key.accessKeyId)).toMatchObject({ ServiceName: 'iam' });
    expect(await lastUsed(key.accessKeyId, true)).toEqual({ Region: 'N/A', ServiceName: 'N/A' }); // MiniStack alone
  });

  test('may lag', async () => {
    const key = await userWithKey(aws, 'lagging', { actions: ['s3:*'] });
    aws.settings.lastUsedLagMs = 3_600_000;
    await clients(aws, { key }).s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(await lastUsed(key.accessKeyId)).toEqual({ Region: 'N/A', ServiceName: 'N/A' });
    aws.settings.lastUsedLagMs = 0;
    expect(await lastUsed(key.accessKeyId)).toMatchObject({ ServiceName: 's3' });
  });
});

describe('clock-skew', () => {
  const get = (minutesOff: number, direct = false) =>
    send(aws, { direct, path: object, headers: sigv2(user, 'GET', object, { date: new Date(Date.now() + minutesOff * 60_000) }) });

  test.each([
    [-16, 403],
    [-14, 200],
    [14, 200],
    [16, 403],
  ])('a SigV2 date %i minutes off: %i', async (minutes, status) => {
    aws.settings.sigv2.default = 'accept';
    const answer = await get(minutes);
    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(answer.body).toContain('<Code>RequestTimeTooSkewed</Code>');
      expect(answer.body).toContain('<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>');
    }
    aws.settings.sigv2.default = 'refuse';
  });

  test('MiniStack alone takes any SigV2 date', async () => {
    expect((await get(-60, true)).status).toBe(200);
  });

  test("the sandbox's clock can be set off: SigV4 by the machine's clock is then refused", async () => {
    aws.settings.clockOffsetMs = 20 * 60_000;
    const { s3, sts } = clients(aws, { key: user });
    expect((await failure(s3.send(new ListObjectsV2Command({ Bucket: bucket })))).name).toBe('RequestTimeTooSkewed');
    expect((await failure(sts.send(new GetCallerIdentityCommand({})))).message).toMatch(/^Signature expired: /);
    aws.settings.clockOffsetMs = 0;
    await clients(aws, { key: user }).s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  });
});

describe('wrong-endpoint', () => {
  beforeAll(async () => {
    aws.settings.sigv2.default = 'accept';
    for (const region of ['eu-west-1', 'eu-south-1'] as const) {
      await clients(aws, { region }).s3.send(
        new CreateBucketCommand({ Bucket: `rules-${region}`, CreateBucketConfiguration: { LocationConstraint: region } }),
      );
    }
  });
  afterAll(() => {
    aws.settings.sigv2.default = 'refuse';
  });
  const list = (host: string, name: string, direct = false) => {
    const hosted = host.startsWith(`${name}.`);
    return send(aws, { direct, path: hosted ? '/' : `/${name}/`, headers: { ...sigv2(user, 'GET', `/${name}/`), Host: host } });
  };

  test.each([
    ['s3.us-east-1.amazonaws.com', 'rules-eu-west-1', 301, 'PermanentRedirect'],
    ['s3.eu-west-1.amazonaws.com', bucket, 301, 'PermanentRedirect'],
    ['s3.amazonaws.com', 'rules-eu-west-1', 301, 'PermanentRedirect'],
    ['rules-eu-west-1.s3.amazonaws.com', 'rules-eu-west-1', 307, 'TemporaryRedirect'],
    ['s3.amazonaws.com', 'rules-eu-south-1', 400, 'IllegalLocationConstraintException'],
    ['s3.eu-central-1.amazonaws.com', bucket, 400, 'InvalidRequest'],
    ['s3.us-east-1.localhost', 'rules-eu-west-1', 301, 'PermanentRedirect'],
    ['s3.eu-west-1.amazonaws.com', 'rules-eu-west-1', 200, undefined],
    ['s3.amazonaws.com', bucket, 200, undefined],
    ['localhost', 'rules-eu-west-1', 200, undefined],
  ])('SigV2 at %s for %s: %i %s', async (host, name, status, code) => {
    const answer = await list(host, name);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(answer.body).toContain(`<Code>${code}</Code>`);
    if (status === 301 || status === 307) {
      const home = name.startsWith('rules-eu') ? 'eu-west-1' : 'us-east-1';
      expect(answer.headers['x-amz-bucket-region']).toBe(home);
      expect(answer.body).toContain(`s3.${home}.amazonaws.com</Endpoint>`);
    }
  });

  test('MiniStack alone serves SigV2 at any endpoint', async () => {
    expect((await list('s3.us-east-1.amazonaws.com', 'rules-eu-west-1', true)).status).toBe(200);
  });

  test('SigV4 for another region: redirected', async () => {
    const refused = await failure(clients(aws, { key: user }).s3.send(new ListObjectsV2Command({ Bucket: 'rules-eu-west-1' })));
    expect(refused).toMatchObject({ name: 'PermanentRedirect', status: 301 });
  });
});

describe('policy-conditions', () => {
  const name = 'rules-conditions';
  const policy = (Condition: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${name}/*`, Condition }],
    });
  const put = (Condition: object) => clients(aws).s3.send(new PutBucketPolicyCommand({ Bucket: name, Policy: policy(Condition) }));
  const get = (options: { direct?: boolean; maxVersion?: 'TLSv1.2' } = {}) =>
    send(aws, { ...options, path: `/${name}/k`, headers: sigv2(user, 'GET', `/${name}/k`) });

  beforeAll(async () => {
    aws.settings.sigv2.buckets[name] = 'accept';
    const { s3 } = clients(aws);
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    await s3.send(new PutObjectCommand({ Bucket: name, Key: 'k', Body: 'v' }));
  });

  test('s3:signatureversion tells SigV2 from SigV4', async () => {
    expect((await get()).status).toBe(200);
    await put({ StringEquals: { 's3:signatureversion': 'AWS' } });
    const denied = await get();
    expect(denied.status).toBe(403);
    expect(denied.body).toContain('<Code>AccessDenied</Code>');
    expect(denied.body).toContain('with an explicit deny in a resource-based policy');
    expect((await get({ direct: true })).status).toBe(200); // MiniStack alone
    await clients(aws, { key: user }).s3.send(new GetObjectCommand({ Bucket: name, Key: 'k' }));
    // Only what the statement names.
    const list = await send(aws, { path: `/${name}/`, headers: sigv2(user, 'GET', `/${name}/`) });
    expect(list.status).toBe(200);
  });

  test('s3:TlsVersion is the connection’s', async () => {
    await put({ NumericLessThan: { 's3:TlsVersion': '1.3' } });
    expect((await get({ maxVersion: 'TLSv1.2' })).status).toBe(403);
    expect((await get({ maxVersion: 'TLSv1.2', direct: true })).status).toBe(200); // MiniStack alone
    expect((await get()).status).toBe(200);
    await put({ NumericLessThan: { 's3:TlsVersion': '1.2' } });
    expect((await get({ maxVersion: 'TLSv1.2' })).status).toBe(200);
  });
});

describe('private-acl', () => {
  const put = (acl: 'private' | 'bucket-owner-full-control', direct = false) =>
    failure(clients(aws, { key: user, direct }).s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'acl', Body: 'x', ACL: acl })));

  test('is refused under BucketOwnerEnforced where the switch is on', async () => {
    expect((await put('private')).name).toBe('none');
    aws.settings.refusePrivateAcl = true;
    expect(await put('private')).toMatchObject({ name: 'AccessControlListNotSupported', status: 400 });
    expect((await put('private', true)).name).toBe('none'); // MiniStack alone
    expect((await put('bucket-owner-full-control')).name).toBe('none');
    const preferred = 'rules-preferred';
    const { s3 } = clients(aws);
    await s3.send(new CreateBucketCommand({ Bucket: preferred, ObjectOwnership: 'BucketOwnerPreferred' }));
    await s3.send(new PutObjectCommand({ Bucket: preferred, Key: 'acl', Body: 'x', ACL: 'private' }));
    aws.settings.refusePrivateAcl = false;
  });
});

describe('root-key', () => {
  const forged = (): Key => ({ ...rootKey(aws), secretAccessKey: 'forged' });
  const list = (key: Key, direct = false) =>
    failure(clients(aws, { key, direct }).s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "a b+c/é*'" })));

  test("root's signature is verified", async () => {
    expect((await list(rootKey(aws))).name).toBe('none');
    expect(await list(forged())).toMatchObject({ name: 'SignatureDoesNotMatch', status: 403 });
    expect((await failure(clients(aws, { key: forged() }).sts.send(new GetCallerIdentityCommand({})))).name).toBe('SignatureDoesNotMatch');
    expect((await list(forged(), true)).name).toBe('none'); // MiniStack alone
  });

  test.each(['test', '111122223333'])('%s is nobody', async (accessKeyId) => {
    const key = { accessKeyId, secretAccessKey: 'x' };
    expect((await list(key)).name).toBe('InvalidAccessKeyId');
    expect((await failure(clients(aws, { key }).sts.send(new GetCallerIdentityCommand({})))).name).toBe('InvalidClientTokenId');
    expect((await list(key, true)).name).toBe('none'); // MiniStack alone
  });
});

test('the root key signs SigV2 too', async () => {
  aws.settings.sigv2.default = 'accept';
  expect((await send(aws, { path: object, headers: sigv2(rootKey(aws), 'GET', object) })).status).toBe(200);
  aws.settings.sigv2.default = 'refuse';
});
