import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Aws } from '../../lib/aws/aws.js';
import { packBuildpack } from '../../lib/buildpack/pack.js';
import { publishBuildpack } from '../../lib/buildpack/publish.client.js';
import { BUILDPACK_PREFIX, hostedKey } from '../../lib/contract/index.js';
import { startLocalAws, type LocalAws } from '../../sandbox/aws/index.js';
import { clients, rootKey } from '../../sandbox/test/support/clients.js';
import { buildpackDir } from '../buildpack/support/shim.js';

const exec = promisify(execFile);
const REGION = 'eu-central-1'; // never took version 2
const BUCKET = 'halcyon-signed';

let aws: LocalAws;
let dir: string;
let s3: ReturnType<typeof clients>['s3'];
beforeAll(async () => {
  aws = await startLocalAws();
  dir = mkdtempSync(join(tmpdir(), 'buildpack-'));
  s3 = clients(aws, { region: REGION }).s3;
  for (const Bucket of [BUCKET, 'buildpacks']) {
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
  }
});
afterAll(async () => {
  await aws?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One storage request in Halcyon's own form; its version 2 signature is wrong here, which only a server that takes version 2 would notice. */
async function halcyon(target: string, options: readonly string[] = [], over: { secret?: string; shim?: boolean } = {}): Promise<string> {
  const { accessKeyId, secretAccessKey } = rootKey(aws);
  const host = new URL(aws.url).host;
  const args = [`https://${host}${target}`, '--fail', '--location', '--silent', '--show-error', '--write-out', '%{http_code}'];
  args.push('--header', `Host: ${host}`, '--header', `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`);
  args.push('--header', `Authorization: AWS ${accessKeyId}:c2lnbmF0dXJlIQ==`, '--output', join(dir, 'out'), ...options);
  const env = {
    PATH: over.shim === false ? process.env.PATH : `${buildpackDir}/shim${delimiter}${process.env.PATH}`,
    CURL_CA_BUNDLE: aws.caFile,
    HALCYON_S3_REGION: REGION,
    BASHMENOT_AWS_ACCESS_KEY_ID: accessKeyId,
    BASHMENOT_AWS_SECRET_ACCESS_KEY: over.secret ?? secretAccessKey,
  };
  return exec('bash', ['--norc', '-c', 'curl "$@"', '-', ...args], { env }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

const upload = (file: string): string[] => {
  const md5 = createHash('md5').update(readFileSync(file)).digest('base64');
  return ['--header', `Content-MD5: ${md5}`, '--header', 'x-amz-acl: bucket-owner-full-control', '--upload-file', file];
};

describe("Halcyon's four requests on a bucket that takes version 4 only", () => {
  test.each([
    'linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-abc1234-app-1.0.tar.gz',
    'team/one/linux/key',
    'a key with spaces',
    'odd !"$&\'()*+,:;<=>@[]^`{|}~',
    'ünïcödé/鍵/🗝',
    'hundred%25percent',
  ])('%s', async (name) => {
    const key = name.replace('%25', '%');
    const file = join(dir, 'package');
    writeFileSync(file, `content of ${key}`);
    expect(await halcyon(`/${BUCKET}/${name}`, upload(file))).toBe('200');
    const got = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(await got.Body?.transformToString()).toBe(`content of ${key}`);
    expect(await halcyon(`/${BUCKET}/${name}`)).toBe('200');
    expect(readFileSync(join(dir, 'out'), 'utf8')).toBe(`content of ${key}`);
    const query = name.replaceAll('&', '%26'); // nothing else ends a value
    expect(await halcyon(`/${BUCKET}/?prefix=${query}`)).toBe('200');
    expect(readFileSync(join(dir, 'out'), 'utf8').match(/<Key>/g)).toHaveLength(1);
    expect(await halcyon(`/${BUCKET}/${name}`, ['--request', 'DELETE'])).toBe('204');
    expect(await halcyon(`/${BUCKET}/${name}`)).toBe('404');
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
    expect(KeyCount).toBe(0);
  });

  test('an empty body, and one of 100 MB', async () => {
    for (const bytes of [0, 100 << 20]) {
      const file = join(dir, 'sized');
      writeFileSync(file, Buffer.alloc(bytes, 7));
      expect(await halcyon(`/${BUCKET}/sized`, upload(file))).toBe('200');
      expect(await halcyon(`/${BUCKET}/sized`, ['--head'])).toBe('200');
      expect(readFileSync(join(dir, 'out'), 'utf8')).toMatch(new RegExp(`content-length: ${bytes}\\r`, 'i'));
    }
  });

  test('are refused without the shim, with another secret, and with a body that is not the one signed for', async () => {
    const file = join(dir, 'package');
    writeFileSync(file, 'content');
    aws.clearLog();
    expect(await halcyon(`/${BUCKET}/refused`, upload(file), { shim: false })).toBe('400');
    expect(await halcyon(`/${BUCKET}/refused`, upload(file), { secret: 'another-secret-of-no-use' })).toBe('403');
    const options = upload(file);
    writeFileSync(file, 'CONTENT');
    expect(await halcyon(`/${BUCKET}/refused`, options)).toBe('400');
    expect(aws.log().map(({ signatureVersion, reason }) => [signatureVersion, reason])).toEqual([
      [2, 'InvalidRequest'],
      [4, 'SignatureDoesNotMatch'],
      [4, 'BadDigest'],
    ]);
  });
});

describe('publishBuildpack', () => {
  const hosting = { name: 'buildpacks', account: '111122223333' };
  const client = () => ({ region: REGION, s3: async () => s3 }) as unknown as Aws;

  test('puts it where anyone can fetch it, once', async () => {
    // As the kit's stack makes its bucket: public by policy, never by ACL.
    const PublicAccessBlockConfiguration = {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: false,
    };
    await s3.send(new PutPublicAccessBlockCommand({ Bucket: 'buildpacks', PublicAccessBlockConfiguration }));
    const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::buildpacks/${BUILDPACK_PREFIX}*` };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'buildpacks', Policy }));
    await s3.send(new PutObjectCommand({ Bucket: 'buildpacks', Key: 'other', Body: 'not for anyone' }));
    aws.clearLog();
    const key = await publishBuildpack(client(), hosting);
    expect(await publishBuildpack(client(), hosting)).toBe(key);
    const url = `${aws.url}/buildpacks/${key}`;
    expect(aws.log().map(({ operation, status }) => [operation, status])).toEqual([
      ['PutObject', 200],
      ['PutObject', 412],
      ['GetObject', 200],
    ]);
    const fetched = join(dir, 'fetched.tgz');
    await exec('curl', ['-sS', '--fail', '--cacert', aws.caFile, '--output', fetched, url]);
    expect(readFileSync(fetched).equals((await packBuildpack()).tgz)).toBe(true);
    await expect(exec('curl', ['-sS', '--fail', '--cacert', aws.caFile, `${aws.url}/buildpacks/other`])).rejects.toThrow('403');
  });

  test('something else under its name is an error, not a success', async () => {
    const key = hostedKey((await packBuildpack()).sha256);
    await s3.send(new PutObjectCommand({ Bucket: 'buildpacks', Key: key, Body: 'something else' }));
    await expect(publishBuildpack(client(), hosting)).rejects.toMatchObject({ code: 'buildpack-tampered' });
  });

  test('a bucket of that name in another account is neither written nor believed', async () => {
    await expect(publishBuildpack(client(), { ...hosting, account: '999988887777' })).rejects.toMatchObject({ code: 'aws-denied' });
  });
});
