import { hostedUrl, isOurBuildpack } from '../../lib/contract/index.js';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, PutObjectCommand, S3Client, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Aws } from '../../lib/aws/aws.js';
import { packBuildpack } from '../../lib/buildpack/pack.js';
import { publishBuildpack } from '../../lib/buildpack/publish.client.js';
import { s3Origin } from '../../lib/config/derive.js';

const sources = fileURLToPath(new URL('../../buildpack', import.meta.url));
let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'pack-'))));
afterEach(() => rmSync(dir, { recursive: true }));

describe('packBuildpack', () => {
  test('the same bytes whatever the times, modes, order and leftovers of a working copy', async () => {
    const copy = join(dir, 'copy');
    cpSync(sources, copy, { recursive: true });
    chmodSync(join(copy, 'bin/detect'), 0o600);
    chmodSync(join(copy, 'shim/profile.sh'), 0o666);
    utimesSync(join(copy, 'shim/curl'), 1, 1);
    writeFileSync(join(copy, 'export'), 'export PATH=/left/by/a/build:$PATH\n');
    const [ours, theirs] = await Promise.all([packBuildpack(), packBuildpack(copy)]);
    expect(theirs.sha256).toBe(ours.sha256);
    expect(theirs.tgz.equals(ours.tgz)).toBe(true);
  });

  test('another byte in it is another hash', async () => {
    cpSync(sources, dir, { recursive: true });
    writeFileSync(join(dir, 'shim/profile.sh'), '# other\n');
    expect((await packBuildpack(dir)).sha256).not.toBe((await packBuildpack()).sha256);
  });

  test('tar unpacks it without a word to what was packed, programs executable', async () => {
    const { tgz } = await packBuildpack();
    writeFileSync(join(dir, 'b.tgz'), tgz);
    expect(execFileSync('tar', ['-xzf', join(dir, 'b.tgz'), '-C', dir], { encoding: 'utf8', stdio: 'pipe' })).toBe('');
    execFileSync('gzip', ['-t', join(dir, 'b.tgz')]);
    for (const name of ['bin/detect', 'bin/compile', 'bin/release', 'shim/curl', 'shim/profile.sh']) {
      expect(readFileSync(join(dir, name)).equals(readFileSync(join(sources, name)))).toBe(true);
      expect(statSync(join(dir, name)).mode & 0o111).toBe(/^bin|curl$/.test(name) ? 0o111 : 0);
    }
  });
});

describe('publishBuildpack', () => {
  const s3 = mockClient(S3Client);
  afterAll(() => s3.restore());
  const bucket = { name: 'halcyon-buildpack', account: '111122223333' };
  const aws = { region: 'eu-west-1', s3: async () => new S3Client({ region: 'eu-west-1' }) } as unknown as Aws;
  beforeEach(() => void s3.reset());

  test('puts it once, under the hash of its content', async () => {
    s3.on(PutObjectCommand).resolves({});
    const { sha256 } = await packBuildpack();
    const key = await publishBuildpack(aws, bucket);
    expect(hostedUrl('https://s3.example', 'halcyon-buildpack', sha256)).toBe(`https://s3.example/halcyon-buildpack/${key}`);
    expect(isOurBuildpack(`https://s3.example/halcyon-buildpack/${key}`)).toBe(true);
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: 'halcyon-buildpack',
      ExpectedBucketOwner: '111122223333',
      Key: `buildpack/halcyon-sigv4-${sha256}.tgz`,
      IfNoneMatch: '*',
    });
  });

  test('is content with what is there already, if it is the same', async () => {
    s3.on(PutObjectCommand).rejects(Object.assign(new Error('exists'), { name: 'PreconditionFailed' }));
    const there = (content: Uint8Array) =>
      s3.on(GetObjectCommand).resolves({ Body: { transformToByteArray: async () => content } } as unknown as GetObjectCommandOutput);
    there((await packBuildpack()).tgz);
    await expect(publishBuildpack(aws, bucket)).resolves.toMatch(/^buildpack\//);
    there(Buffer.from('something else'));
    await expect(publishBuildpack(aws, bucket)).rejects.toMatchObject({ code: 'buildpack-tampered' });
  });

  test('while another publishes it, tries again', async () => {
    const conflict = { name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } };
    s3.on(PutObjectCommand)
      .rejectsOnce(Object.assign(new Error('conflict'), conflict))
      .resolves({});
    await expect(publishBuildpack(aws, bucket)).resolves.toMatch(/^buildpack\//);
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(2);
  });

  test('says who makes a bucket that is missing', async () => {
    s3.on(PutObjectCommand).rejects(Object.assign(new Error('no'), { name: 'NoSuchBucket' }));
    const message = expect.stringMatching(/^bucket halcyon-buildpack, .*run halcyon-kit up, .*deleted by hand, delete the stack first$/);
    await expect(publishBuildpack(aws, bucket)).rejects.toMatchObject({ code: 'bucket-missing', message });
  });

  test('says what it was doing when refused', async () => {
    s3.on(PutObjectCommand).rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
    await expect(publishBuildpack(aws, bucket)).rejects.toMatchObject({
      code: 'aws-denied',
      message: expect.stringContaining('publish the buildpack as s3://halcyon-buildpack/'),
    });
  });
});

test.each([
  [undefined, 'cn-north-1', 'https://s3.cn-north-1.amazonaws.com.cn'],
  [undefined, 'eusc-de-east-1', 'https://s3.eusc-de-east-1.amazonaws.eu'],
  ['https://127.0.0.1:4566/', 'eu-west-1', 'https://127.0.0.1:4566'],
])('S3 follows region and environment (%j)', (s3Url, region, origin) => expect(s3Origin({ s3Url }, region)).toBe(origin));

test.each([
  ['https://example.com/our.tgz', true],
  [`https://other.example/x/buildpack/halcyon-sigv4-${'0'.repeat(64)}.tgz`, true],
  [`https://other.example/x/buildpack/halcyon-sigv4-${'0'.repeat(63)}.tgz`, false],
  ['https://github.com/mietek/haskell-on-heroku', false],
])('%s is ours: %s', (url, is) => {
  expect(isOurBuildpack(url, 'https://example.com/our.tgz')).toBe(is);
});
