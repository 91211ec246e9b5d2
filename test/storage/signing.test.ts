import { describe, expect, test } from 'vitest';
import { signV2, signV4 } from '../../lib/storage/signing.js';
import { unsignedRequest, type HalcyonStore } from '../../lib/storage/halcyon-requests.js';

// The key of AWS's published examples.
const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

describe('Signature Version 2 (examples of "Signing and authenticating REST requests")', () => {
  test.each([
    ['an object', '/johnsmith/photos/puppy.jpg', '2007-03-27T19:36:42Z', 'bWq2s1WEIj+Ydj0vQ697zp+IXMU='],
    ['a listing', '/johnsmith/', '2007-03-27T19:42:41Z', 'htDYFYduRNen8P9ZfE/s9SuKy0U='],
    ['an object, second edition', '/awsexamplebucket1/photos/puppy.jpg', '2007-03-27T19:36:42Z', 'qgk2+6Sv9/oM7G3qLEjTH1a1l1g='],
  ])('%s', (_, path, date, signature) => {
    const headers = signV2({ method: 'GET', host: 's3.amazonaws.com', path, query: {}, headers: {} }, key, new Date(date));
    expect(headers.authorization).toBe(`AWS ${key.accessKeyId}:${signature}`);
    expect(headers.date).toMatch(/^Tue, 27 Mar 2007 \d\d:\d\d:\d\d \+0000$/);
  });

  test('an upload signs digest and ACL', () => {
    const request = { method: 'PUT', host: 'h', path: '/b/k', query: {}, headers: { 'content-md5': 'd', 'x-amz-acl': 'private' } } as const;
    const at = new Date(0);
    const signature = (headers: Record<string, string>) => signV2({ ...request, headers }, key, at).authorization;
    const whole = signature(request.headers);
    expect(signature({ ...request.headers, 'x-amz-acl': 'public-read' })).not.toBe(whole);
    expect(signature({ ...request.headers, 'content-md5': 'e' })).not.toBe(whole);
    expect(signV2(request, key, at)).toMatchObject({ host: 'h', 'content-md5': 'd', 'x-amz-acl': 'private' });
  });
});

test('Signature Version 4 (example "GET Bucket (List Objects)" of the S3 API reference)', async () => {
  const headers = await signV4(
    { method: 'GET', host: 'examplebucket.s3.amazonaws.com', path: '/', query: { 'max-keys': '2', prefix: 'J' }, headers: {} },
    key,
    'us-east-1',
    new Date('2013-05-24T00:00:00Z'),
  );
  expect(headers.authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  );
});

describe('the four requests', () => {
  const store: HalcyonStore = { endpoint: 's3.example.com', region: 'eu-west-1', bucket: 'b', acl: 'private', signing: 2, key };
  const prefixed = { ...store, prefix: 'team/x' };
  test.each([
    ['download', unsignedRequest(store, { operation: 'download', key: 'k/a.tar.gz' }), 'GET', '/b/k/a.tar.gz', {}],
    ['download with a prefix', unsignedRequest(prefixed, { operation: 'download', key: 'k' }), 'GET', '/b/team/x/k', {}],
    ['list everything', unsignedRequest(store, { operation: 'list' }), 'GET', '/b/', {}],
    ['list', unsignedRequest(store, { operation: 'list', prefix: 'linux-' }), 'GET', '/b/', { prefix: 'linux-' }],
    ['list with a prefix', unsignedRequest(prefixed, { operation: 'list', prefix: 'linux-' }), 'GET', '/b/', { prefix: 'team/x/linux-' }],
    ['list all of a prefix', unsignedRequest(prefixed, { operation: 'list' }), 'GET', '/b/', { prefix: 'team/x' }],
    ['delete', unsignedRequest(prefixed, { operation: 'delete', key: 'k' }), 'DELETE', '/b/team/x/k', {}],
  ])('%s', (_, request, method, path, query) => {
    expect(request).toMatchObject({ method, path, query, headers: {}, host: 's3.example.com' });
  });

  test('upload carries the digest and always an ACL', () => {
    expect(unsignedRequest(prefixed, { operation: 'upload', key: 'k', body: Buffer.from('hello') })).toMatchObject({
      method: 'PUT',
      path: '/b/team/x/k',
      headers: { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==', 'x-amz-acl': 'private' },
    });
  });
});
