import { CreateBucketCommand, HeadBucketCommand, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { userWithKey } from '../support/accounts.js';
import { clients, failure } from '../support/clients.js';

/** What S3 knows of a request beside its signature. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
const Bucket = 'conditional';

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws(), startLocalAws({ bare: true })]);
  for (const on of [aws, bare]) await clients(on).s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

describe('s3:if-none-match', () => {
  const unconditional = {
    Effect: 'Deny',
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
    Condition: { Null: { 's3:if-none-match': 'true' } },
  };
  const attempts = async (on: LocalAws, user: string) => {
    const { s3 } = clients(on, { key: await userWithKey(on, user, { actions: ['s3:*'] }) });
    const put = (condition: object) => failure(s3.send(new PutObjectCommand({ Bucket, Key: user, Body: 'v', ...condition })));
    return [(await put({})).name, (await put({ IfNoneMatch: '*' })).name, (await put({ IfNoneMatch: '*' })).name, (await put({})).name];
  };

  test('a bucket policy may insist on it: what is there cannot be replaced', async () => {
    for (const on of [aws, bare]) {
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...unconditional, Principal: '*' }] });
      await clients(on).s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    }
    expect(await attempts(aws, 'writer')).toEqual(['AccessDenied', 'none', 'PreconditionFailed', 'AccessDenied']);
  });

  test('MiniStack alone takes every upload for an unconditional one', async () => {
    expect(await attempts(bare, 'writer')).toEqual(['AccessDenied', 'AccessDenied', 'AccessDenied', 'AccessDenied']);
  });
});

describe('expected-owner', () => {
  const head = (direct: boolean, ExpectedBucketOwner: string) =>
    failure(clients(aws, { direct }).s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner })));

  test('a bucket of another account than the one named is refused', async () => {
    expect((await head(false, aws.account)).name).toBe('none');
    expect((await head(false, '999988887777')).status).toBe(403);
  });

  test('MiniStack alone does not look', async () => expect((await head(true, '999988887777')).name).toBe('none'));
});
