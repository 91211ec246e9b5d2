import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { s3Operation } from '../../aws/front/s3-operation.js';
import { s3Host, s3Target } from '../../aws/front/s3-target.js';
import { readSignature } from '../../aws/front/signature.js';
import { inTurn } from '../../aws/front/in-turn.js';
import { KeyUses } from '../../aws/front/key-uses.js';
import { exportLines, parseOptions } from '../../options.js';
import { execFileSync } from 'node:child_process';

test.each([
  ['GET', undefined, undefined, '', 'ListBuckets'],
  ['PUT', 'b', undefined, '', 'CreateBucket'],
  ['DELETE', 'b', undefined, '', 'DeleteBucket'],
  ['HEAD', 'b', undefined, '', 'HeadBucket'],
  ['GET', 'b', undefined, 'prefix=x', 'ListObjects'],
  ['GET', 'b', undefined, 'list-type=2', 'ListObjectsV2'],
  ['GET', 'b', undefined, 'versions', 'ListObjectVersions'],
  ['PUT', 'b', undefined, 'policy', 'PutBucketPolicy'],
  ['DELETE', 'b', undefined, 'policy', 'DeleteBucketPolicy'],
  ['GET', 'b', undefined, 'ownershipControls', 'GetBucketOwnershipControls'],
  ['PUT', 'b', undefined, 'publicAccessBlock', 'PutPublicAccessBlock'],
  ['POST', 'b', undefined, 'delete', 'DeleteObjects'],
  ['GET', 'b', 'k', '', 'GetObject'],
  ['HEAD', 'b', 'k', '', 'HeadObject'],
  ['PUT', 'b', 'k', '', 'PutObject'],
  ['DELETE', 'b', 'k', '', 'DeleteObject'],
  ['GET', 'b', 'k', 'acl', 'GetObjectAcl'],
  ['PUT', 'b', 'k', 'tagging', 'PutObjectTagging'],
  ['POST', 'b', 'k', 'uploads', 'CreateMultipartUpload'],
  ['PUT', 'b', 'k', 'uploadId=1&partNumber=1', 'UploadPart'],
  ['POST', 'b', 'k', 'uploadId=1', 'CompleteMultipartUpload'],
  ['DELETE', 'b', 'k', 'uploadId=1', 'AbortMultipartUpload'],
])('%s %s %s ?%s is %s', (method, bucket, key, query, operation) => {
  expect(s3Operation(method, bucket, key, new URLSearchParams(query), false)).toBe(operation);
});
test('a copy is told from an upload', () => {
  expect(s3Operation('PUT', 'b', 'k', new URLSearchParams(), true)).toBe('CopyObject');
  expect(s3Operation('PUT', 'b', 'k', new URLSearchParams('uploadId=1'), true)).toBe('UploadPartCopy');
});

test.each([
  ['localhost:4566', undefined],
  ['127.0.0.1:1', undefined],
  ['s3.amazonaws.com', { bucket: undefined, region: 'global' }],
  ['s3.eu-west-1.amazonaws.com', { bucket: undefined, region: 'eu-west-1' }],
  ['s3-eu-west-1.amazonaws.com', { bucket: undefined, region: 'eu-west-1' }],
  ['s3.dualstack.eu-west-1.amazonaws.com', { bucket: undefined, region: 'eu-west-1' }],
  ['my.bucket.s3.us-gov-west-1.amazonaws.com:443', { bucket: 'my.bucket', region: 'us-gov-west-1' }],
  ['b.s3.amazonaws.com', { bucket: 'b', region: 'global' }],
  ['s3.cn-north-1.amazonaws.com.cn', { bucket: undefined, region: 'cn-north-1' }],
  ['s3.eu-west-1.localhost:1', { bucket: undefined, region: 'eu-west-1' }],
  ['b.localhost:1', { bucket: 'b' }],
])('host %s names %j', (host, named) => expect(s3Host(host)).toEqual(named));

test('path style and virtual hosting name the same key', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (key) => {
      const path = key.split('/').map(encodeURIComponent).join('/');
      expect(s3Target('localhost:1', `/bucket/${path}`)).toEqual({ bucket: 'bucket', key });
      expect(s3Target('bucket.s3.amazonaws.com', `/${path}`)).toEqual({ bucket: 'bucket', key });
    }),
  );
});

describe('signatures', () => {
  const read = (authorization: string | undefined, query = '') => readSignature({ authorization }, new URLSearchParams(query));
  test('SigV4 header', () =>
    expect(read('AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0')).toEqual({
      version: 4,
      accessKeyId: 'AKIA',
      region: 'eu-west-1',
      service: 's3',
      presigned: false,
    }));
  test('SigV4 query', () =>
    expect(read(undefined, 'X-Amz-Credential=AKIA%2F20261122%2Fus-east-1%2Fs3%2Faws4_request')).toMatchObject({
      version: 4,
      presigned: true,
    }));
  test('SigV2 header', () => expect(read('AWS AKIA:c2ln=')).toEqual({ version: 2, accessKeyId: 'AKIA', service: 's3', presigned: false }));
  test('SigV2 query', () =>
    expect(read(undefined, 'AWSAccessKeyId=AKIA&Expires=1&Signature=x')).toMatchObject({ version: 2, presigned: true }));
  test('none', () => expect(read(undefined)).toEqual({ version: 'none', presigned: false }));
});

test('work under one name is done in turn, and a failure does not hold up the next', async () => {
  const order: string[] = [];
  const owner = {};
  const work =
    (name: string, ticks: number, fails = false) =>
    async () => {
      order.push(`${name} begins`);
      for (let i = 0; i < ticks; i++) await Promise.resolve();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
    };
  const results = await Promise.allSettled([inTurn(owner, 'x', work('a', 9, true)), inTurn(owner, 'x', work('b', 1))]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a lagging answer tells of the last use before it', () => {
  const uses = new KeyUses();
  for (const at of [1_000, 5_000, 9_000]) uses.note('k', { at, service: 's3', region: 'us-east-1' });
  expect(uses.last('k', 8_999)?.at).toBe(5_000);
  expect(uses.last('k', 9_000)?.at).toBe(9_000);
  expect(uses.last('k', 0)).toBeUndefined();
  expect(uses.last('other', 9_000)).toBeUndefined();
});

describe('options', () => {
  test('become those of the parts', () => {
    const { sandbox, json, envFile } = parseOptions([
      '--aws-port',
      '4566',
      '--account',
      '222233334444',
      '--accept-sigv2',
      '--key-delay',
      '50',
      '--json',
      '--write-env',
      'x',
    ]);
    expect(sandbox.aws).toMatchObject({ port: 4566, account: '222233334444', settings: { keyDelayMs: 50, sigv2: { default: 'accept' } } });
    expect({ json, envFile }).toEqual({ json: true, envFile: 'x' });
  });
  test.each([
    [['--aws-port', '70000'], '--aws-port must be a whole number up to 65535, got: 70000'],
    [['--heroku-port', 'x'], '--heroku-port must be a whole number up to 65535, got: x'],
    [['--account', '12'], '--account must be twelve digits, got: 12'],
    [['--region', 'Ireland'], '--region must be a region such as eu-west-1, got: Ireland'],
    [['--key-delay', '-1'], /--key-delay/],
    [['--colour'], "unknown option '--colour'; see npm run sandbox -- --help"],
  ])('%j: %s', (argv, message) => expect(() => parseOptions(argv)).toThrow(message));

  test('exports survive any shell character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (value) => {
        const printed = execFileSync('sh', ['-c', `${exportLines({ V: value })}printf %s "$V"`]).toString();
        expect(printed).toBe(value);
      }),
      { numRuns: 40, examples: [["it's"], ['$(id) `id` "x" \\ ! * ~']] },
    );
  });
});
