import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { userWithKey } from '../support/accounts.js';
import { clients, rootKey, send, type Key } from '../support/clients.js';
import { sigv4 } from '../support/sigv4.js';

/** The rule `signed-headers`: what a SigV4 signature must cover, and in which order; and that MiniStack alone takes anything. */
let aws: LocalAws;
let user: Key;
const path = '/signed-headers/key';

beforeAll(async () => {
  aws = await startLocalAws();
  user = await userWithKey(aws, 'signer', { actions: ['s3:*'] });
  await clients(aws).s3.send(new CreateBucketCommand({ Bucket: 'signed-headers' }));
});
afterAll(() => aws?.stop());

const put = (options: Parameters<typeof sigv4>[3], direct = false, key = user) =>
  send(aws, { direct, method: 'PUT', path, headers: sigv4(key, 'PUT', path, options) });
const acl = { 'x-amz-acl': 'bucket-owner-full-control' };

test('sorted and complete: taken', async () => {
  expect((await put({ headers: acl })).status).toBe(200);
  await clients(aws, { key: user }).s3.send(new ListObjectsV2Command({ Bucket: 'signed-headers' }));
});

describe.each([
  ['a user', () => user],
  ['root', () => rootKey(aws)],
])('%s', (_who, key) => {
  test('an x-amz- header that is sent and not signed is refused by name', async () => {
    const refused = await put({ unsigned: { ...acl, 'x-amz-storage-class': 'STANDARD' } }, false, key());
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('<Code>AccessDenied</Code>');
    expect(refused.body).toContain('<Message>There were headers present in the request which were not signed</Message>');
    expect(refused.body).toContain('<HeadersNotSigned>x-amz-acl, x-amz-storage-class</HeadersNotSigned>');
  });

  test('headers signed out of order are refused', async () => {
    const refused = await put({ headers: acl, order: (names) => names.reverse() }, false, key());
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

test('MiniStack alone takes both', async () => {
  expect((await put({ unsigned: acl }, true)).status).toBe(200);
  expect((await put({ headers: acl, order: (names) => names.reverse() }, true)).status).toBe(200);
});

test('a key that nobody has is told so first', async () => {
  const nobody = { accessKeyId: 'AKIANOBODYNOBODY2345', secretAccessKey: 'x' };
  expect((await put({ unsigned: acl }, false, nobody)).body).toContain('<Code>InvalidAccessKeyId</Code>');
});

test('a header that is no x-amz- header needs no signature', async () => {
  expect((await put({ headers: acl, unsigned: { 'content-type': 'text/plain', 'x-other': '1' } })).status).toBe(200);
});
