import { CreateAccessKeyCommand, CreateUserCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type Fault, type LocalAws, type LogEntry, type Settings } from '../../aws/index.js';
import { clients, failure, rootKey, send, sigv2 } from '../support/clients.js';

let aws: LocalAws;
const Bucket = 'faults-bucket';
beforeAll(async () => {
  aws = await startLocalAws();
  await clients(aws).s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => aws?.stop());
afterEach(() => aws.clearFaults());

const put = (Key: string) => failure(clients(aws).s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
const exists = async (Key: string) => (await failure(clients(aws).s3.send(new GetObjectCommand({ Bucket, Key })))).name === 'none';

describe('faults', () => {
  test('503 from S3 is SlowDown with Retry-After, for so many requests', async () => {
    aws.settings.sigv2.default = 'accept';
    aws.addFault({ kind: 'status', service: 's3', operation: 'GetObject', count: 2, retryAfter: 7 });
    const get = () => send(aws, { path: `/${Bucket}/none`, headers: sigv2(rootKey(aws), 'GET', `/${Bucket}/none`) });
    for (let i = 0; i < 2; i++) {
      const answer = await get();
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '7', 'content-type': 'application/xml' } });
      expect(answer.body).toContain('<Code>SlowDown</Code><Message>Please reduce your request rate.</Message>');
    }
    expect((await get()).status).toBe(404);
  });

  test.each([
    [429, 'Throttling'],
    [503, 'ServiceUnavailable'],
  ])('%i from IAM is %s', async (status, name) => {
    aws.addFault({ kind: 'status', service: 'iam', status });
    expect(await failure(clients(aws).iam.send(new ListAccessKeysCommand({})))).toMatchObject({ name, status });
  });

  test('a client that retries gets over it', async () => {
    aws.addFault({ kind: 'status', service: 'sts', count: 2 });
    const { sts } = clients(aws, { maxAttempts: 3 });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe(aws.account);
  });

  test('reset-before: nothing was done', async () => {
    aws.addFault({ kind: 'reset-before', operation: 'PutObject' });
    expect((await put('before')).message).toMatch(/ECONNRESET|socket hang up/);
    expect(await exists('before')).toBe(false);
  });

  test.each(['reset-after', 'lost'] as const)('%s: it was done', async (kind) => {
    aws.addFault({ kind, operation: 'PutObject' });
    expect((await put(kind)).message).toMatch(/ECONNRESET|socket hang up/);
    expect(await exists(kind)).toBe(true);
    expect(aws.log().findLast(({ operation }) => operation === 'PutObject')).toMatchObject({ status: 0, reason: `fault:${kind}` });
  });

  test('the answer to CreateAccessKey lost: the key is there', async () => {
    const { iam } = clients(aws);
    await iam.send(new CreateUserCommand({ UserName: 'lost' }));
    aws.addFault({ kind: 'lost', service: 'iam', operation: 'CreateAccessKey', resource: '^lost$' });
    expect((await failure(iam.send(new CreateAccessKeyCommand({ UserName: 'lost' })))).name).not.toBe('none');
    expect((await iam.send(new ListAccessKeysCommand({ UserName: 'lost' }))).AccessKeyMetadata).toHaveLength(1);
  });

  test('slow: done, answered late', async () => {
    aws.addFault({ kind: 'slow', operation: 'PutObject', delayMs: 300 });
    const started = performance.now();
    expect((await put('slow')).name).toBe('none');
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
  });

  test('by resource, after some', async () => {
    aws.addFault({ kind: 'status', resource: '/chosen$', skip: 1 });
    expect((await put('chosen')).name).toBe('none');
    expect((await put('other')).name).toBe('none');
    expect((await put('chosen')).name).toBe('SlowDown');
    expect((await put('chosen')).name).toBe('none');
  });

  test('an unknown kind is refused', () => {
    expect(() => aws.addFault({ kind: 'fire' } as unknown as Fault)).toThrow("unknown kind of fault 'fire'");
  });
});

describe('switches over HTTP', () => {
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<{ status: number; value: T }> => {
    const answer = await send(aws, { method, path, body: body === undefined ? undefined : JSON.stringify(body) });
    return { status: answer.status, value: JSON.parse(answer.body) as T };
  };

  test('faults', async () => {
    const fault: Fault = { kind: 'status', operation: 'PutObject', count: 1 };
    expect((await ask<Fault[]>('POST', '/_sandbox/faults', fault)).value).toEqual([{ ...fault, skip: 0 }]);
    expect((await put('x')).name).toBe('SlowDown');
    expect((await ask('GET', '/_sandbox/faults')).value).toEqual([]);
    await ask('POST', '/_sandbox/faults', [fault, fault]);
    expect((await ask('DELETE', '/_sandbox/faults')).value).toEqual([]);
    expect((await put('x')).name).toBe('none');
    expect((await ask('POST', '/_sandbox/faults', { kind: 'fire' })).status).toBe(400);
  });

  test('log', async () => {
    await ask('DELETE', '/_sandbox/log');
    await put('logged');
    const { value } = await ask<LogEntry[]>('GET', '/_sandbox/log');
    expect(value).toHaveLength(1);
    expect(value[0]).toMatchObject({ operation: 'PutObject', resource: `${Bucket}/logged`, status: 200 });
  });

  test('settings', async () => {
    const changed = await ask<Settings>('PATCH', '/_sandbox/settings', { keyDelayMs: 5, sigv2: { buckets: { a: 'accept' } } });
    expect(changed.value.keyDelayMs).toBe(5);
    expect(aws.settings.sigv2.buckets).toEqual({ a: 'accept' });
    expect((await ask('PATCH', '/_sandbox/settings', { keyDelay: 5 })).status).toBe(400);
    await ask('PATCH', '/_sandbox/settings', { keyDelayMs: 0 });
  });

  test('nothing else', async () => {
    expect((await ask('GET', '/_sandbox/secrets')).status).toBe(404);
    expect((await send(aws, { path: '/_ministack/reset', method: 'POST' })).status).toBe(403);
  });
});
