import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { userWithKey } from '../support/accounts.js';
import { clients, failure, rootKey, send, type Key } from '../support/clients.js';
import { sigv4 } from '../support/sigv4.js';
import { changeStack, failures } from '../support/stacks.js';

/** Block Public Access of the account. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
const PATH = '/v20180820/configuration/publicAccessBlock';
const FIELDS = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];

/** A request to S3 Control. */
function control(on: LocalAws, method: 'GET' | 'PUT' | 'DELETE', options: { key?: Key; account?: string; fields?: string[] } = {}) {
  const { key = rootKey(on), account = on.account, fields = [] } = options;
  const settings = FIELDS.map((field) => `<${field}>${fields.includes(field)}</${field}>`).join('');
  const body = method === 'PUT' ? `<PublicAccessBlockConfiguration>${settings}</PublicAccessBlockConfiguration>` : undefined;
  const headers = sigv4(key, method, PATH, { headers: { 'x-amz-account-id': account }, body });
  return send(on, { method, path: PATH, headers, body });
}

const policy = (Bucket: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }],
});
const putPolicy = (Bucket: string) =>
  failure(clients(aws).s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy(Bucket)) })));
const putPublic = (Bucket: string) =>
  failure(clients(aws).s3.send(new PutObjectCommand({ Bucket, Key: 'acl', Body: 'x', ACL: 'public-read' })));

/** A bucket that lets all in by itself. */
async function openBucket(Bucket: string): Promise<void> {
  const { s3 } = clients(aws);
  await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'BucketOwnerPreferred' }));
  const off = Object.fromEntries(FIELDS.map((field) => [field, false]));
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: off }));
}

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws(), startLocalAws({ bare: true })]);
});
afterEach(() => control(aws, 'DELETE'));
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

test('is not there at first, is told as put, and can be taken away', async () => {
  expect(await control(aws, 'GET')).toMatchObject({
    status: 404,
    body: expect.stringContaining('NoSuchPublicAccessBlockConfiguration') as string,
  });
  expect((await control(aws, 'PUT', { fields: ['BlockPublicAcls'] })).status).toBe(201);
  const { body } = await control(aws, 'GET');
  expect(body).toContain('<BlockPublicAcls>true</BlockPublicAcls>');
  expect(body).toContain('<BlockPublicPolicy>false</BlockPublicPolicy>');
  expect(aws.log().at(-1)).toMatchObject({ service: 's3', operation: 'GetPublicAccessBlock', resource: aws.account });
  expect((await control(aws, 'DELETE')).status).toBe(204);
  expect((await control(aws, 'GET')).status).toBe(404);
});

test('needs its own permissions, and only the account itself may be named', async () => {
  const reader = await userWithKey(aws, 'reader', { actions: ['s3:GetAccountPublicAccessBlock'] });
  expect((await control(aws, 'GET', { key: reader })).status).toBe(404);
  const refused = await control(aws, 'PUT', { key: reader });
  expect(refused.status).toBe(403);
  expect(refused.body).toContain('s3:PutAccountPublicAccessBlock');
  expect((await control(aws, 'GET', { account: '999988887777' })).status).toBe(403);
});

test("overrides a bucket's own: public policies and ACLs are refused, and what is public already is closed", async () => {
  await openBucket('open');
  expect([(await putPolicy('open')).name, (await putPublic('open')).name]).toEqual(['none', 'none']);
  expect((await send(aws, { path: '/open/acl' })).status).toBe(200);
  await control(aws, 'PUT', { fields: FIELDS });
  expect(await putPolicy('open')).toMatchObject({ name: 'AccessDenied', message: expect.stringContaining('BlockPublicPolicy') as string });
  expect(await putPublic('open')).toMatchObject({ name: 'AccessDenied', status: 403 });
  expect((await send(aws, { path: '/open/acl' })).status).toBe(403);
  await control(aws, 'DELETE');
  expect((await send(aws, { path: '/open/acl' })).status).toBe(200);
});

test('fails a stack that makes a public bucket, and so does the bucket’s own', async () => {
  const resources = (Bucket: string, blocked: boolean) => ({
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: Bucket, PublicAccessBlockConfiguration: { BlockPublicPolicy: blocked } } },
    Policy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument: policy(Bucket) } },
  });
  const status = async (name: string, blocked: boolean) =>
    (await changeStack(aws, { name, resources: resources(name, blocked) }))?.StackStatus;
  expect(await status('stack-open', false)).toBe('CREATE_COMPLETE');
  expect(await status('stack-closed', true)).toBe('ROLLBACK_COMPLETE');
  await control(aws, 'PUT', { fields: FIELDS });
  expect(await status('stack-refused', false)).toBe('ROLLBACK_COMPLETE');
  expect(await failures(aws, 'stack-refused')).toEqual([expect.stringMatching(/^Policy CREATE_FAILED: .*BlockPublicPolicy setting/)]);
});

test('MiniStack alone does not have it', async () => {
  expect((await control(bare, 'PUT', { fields: FIELDS })).status).not.toBe(201);
});
