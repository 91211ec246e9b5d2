import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { halcyonEnv, inShim, KEY, run, startServer, V2, type Server, type Wire } from './support/shim.js';
import { claimOf, expectedSignature } from './support/verify.js';
import { EVERY } from '../support/every.js';

// Hundreds of processes are started here, which a busy machine takes its time for.
vi.setConfig({ testTimeout: 300_000 });

const EMPTY = createHash('sha256').digest('hex');

let server: Server;
let dir: string;
beforeAll(async () => {
  server = await startServer();
  dir = mkdtempSync(join(tmpdir(), 'signature-'));
  writeFileSync(join(dir, 'empty'), '');
  writeFileSync(join(dir, 'small'), 'package');
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

/** Send one request through the shim; answers what arrived. */
async function send(args: readonly string[], input?: string): Promise<Wire> {
  const before = server.requests.length;
  const { code, stderr } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args], { input, cwd: dir });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(server.requests.length).toBe(before + 1);
  return server.requests[before]!;
}
const base = () => `http://127.0.0.1:${server.port}`;

/** Halcyon encodes nothing; a caller may. What must be encoded to be part of a path at all, is. */
const inUrl = (text: string, encode: boolean) =>
  encode ? text.split('/').map(encodeURIComponent).join('/') : text.replace(/[%?#]/g, (c) => encodeURIComponent(c));

const anyChar = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...'abzAZ09-_.~/') },
  { weight: 5, arbitrary: fc.constantFrom(...' !"#$%&\'()*+,:;<=>?@[]^`{|}\\\t') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }) },
);
const key = fc
  .array(anyChar, { minLength: 1, maxLength: 24 })
  .map((chars) => chars.join('').replaceAll('\0', ''))
  .filter(
    (text) =>
      text !== '' &&
      Buffer.from(text).toString() === text &&
      !text.endsWith('/') &&
      !text.split('/').some((part) => part === '.' || part === '..'),
  );

describe('a signature is what the AWS SDK makes of the request on the wire', () => {
  test('any key, prefix, header and body', async () => {
    const body = fc.constantFrom('none', 'empty', 'small', 'stdin');
    await fc.assert(
      fc.asyncProperty(key, fc.boolean(), fc.option(key), body, fc.boolean(), async (name, encode, prefix, kind, acl) => {
        const url = `${base()}/bucket/${inUrl(name, encode)}`;
        const search = prefix === null ? '' : `?prefix=${inUrl(prefix, encode).replaceAll('&', '%26')}&max-keys=2`;
        const wire = await send(
          [
            url + search,
            '--header',
            V2,
            '--header',
            'Date: Sun, 22 Nov 2026 21:54:03 +0000',
            ...(acl ? ['--header', 'x-amz-acl:  bucket-owner-full-control ', '-H', 'x-amz-meta-a: one   two', '-Hx-amz-meta-A:three'] : []),
            ...(kind === 'none'
              ? []
              : ['--header', 'Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==', '--upload-file', kind === 'stdin' ? '-' : kind]),
          ],
          'streamed',
        );
        expect(claimOf(wire).signature).toBe(await expectedSignature(wire));
        const [path = '', query = ''] = wire.target.split('?');
        expect(decodeURIComponent(path)).toBe(`/bucket/${name}`);
        expect(/^[A-Za-z0-9._~/%-]*$/.test(path)).toBe(true);
        expect(decodeURIComponent(query)).toBe(prefix === null ? '' : `prefix=${prefix}&max-keys=2`);
        expect(wire.method).toBe(kind === 'none' ? 'GET' : 'PUT');
        expect(wire.bytes).toBe({ none: 0, empty: 0, small: 7, stdin: 8 }[kind]);
        expect(wire.headers['x-amz-content-sha256']).toBe(
          { none: EMPTY, empty: EMPTY, small: createHash('sha256').update('package').digest('hex'), stdin: 'UNSIGNED-PAYLOAD' }[kind],
        );
        expect(claimOf(wire).signedHeaders).toEqual(
          [
            ...(kind === 'none' ? [] : ['content-md5']),
            'host',
            ...(acl ? ['x-amz-acl'] : []),
            'x-amz-content-sha256',
            'x-amz-date',
            ...(acl ? ['x-amz-meta-a'] : []),
          ].sort(),
        );
      }),
      { numRuns: EVERY ? 60 : 25, examples: [['ghc-7.8.4/halcyon-install-abc1234-app-1.0.tar.gz', false, 'team/linux', 'small', true]] },
    );
  });

  test('a file of 100 MB without TLS: hashed on the way, and sent whole', async () => {
    writeFileSync(join(dir, 'large'), '');
    truncateSync(join(dir, 'large'), 100 << 20);
    const wire = await send([`${base()}/bucket/large`, '-T', 'large', '-H', V2]);
    expect(wire.bytes).toBe(100 << 20);
    expect(wire.headers['x-amz-content-sha256']).toBe('20492a4d0d84f8beb1767f6616229f85d44c2827b64bdbfb260ee12fa1109e0e');
    expect(claimOf(wire).signature).toBe(await expectedSignature(wire));
  });

  test.each<{ name: string; args: (base: string) => string[]; target?: string; method?: string }>([
    {
      name: 'a listing as Halcyon asks for it',
      args: (b) => [`${b}/bucket/?prefix=team/linux-ubuntu-24.04-x86_64`, '-H', V2],
      target: '/bucket/?prefix=team%2Flinux-ubuntu-24.04-x86_64',
    },
    {
      name: 'a query out of order, with names alone and names twice',
      args: (b) => [`${b}/bucket/?prefix=b&acl&a-b=2&a=1&prefix=a`, '-H', V2],
      target: '/bucket/?prefix=b&acl&a-b=2&a=1&prefix=a',
    },
    { name: 'glued options', args: (b) => ['-sXDELETE', `-fH${V2}`, `${b}/bucket/k`], method: 'DELETE' },
    { name: '--header=X', args: (b) => [`--header=${V2}`, `${b}/bucket/k`] },
    { name: '--request', args: (b) => ['--request', 'DELETE', '--header', V2, '--url', `${b}/bucket/k`], method: 'DELETE' },
    { name: '--head', args: (b) => ['--head', '-H', V2, '-o', '/dev/null', `${b}/bucket/k`], method: 'HEAD' },
    { name: 'a name in lower case without a space', args: (b) => ['-H', V2.replace('Authorization: ', 'authorization:'), `${b}/bucket/k`] },
    { name: 'a POST of data', args: (b) => ['-d', 'a=1', '-H', V2, `${b}/bucket/k`], method: 'POST' },
    {
      name: 'dot segments, which curl takes out',
      args: (b) => ['-H', V2, `${b}/bucket/a/./b/../c/.hidden`],
      target: '/bucket/a/c/.hidden',
    },
    { name: 'dot segments kept', args: (b) => ['--path-as-is', '-H', V2, `${b}/bucket/a/../c`], target: '/bucket/a/../c' },
    {
      name: 'an upload into a folder',
      args: (b) => ['-T', 'small', '-H', V2, `${b}/bucket/folder/`],
      target: '/bucket/folder/small',
      method: 'PUT',
    },
    { name: 'no path', args: (b) => ['-H', V2, b], target: '/' },
    { name: 'a fragment', args: (b) => ['-H', V2, `${b}/bucket/k#part`], target: '/bucket/k' },
    { name: 'a Host of its own', args: (b) => ['-H', V2, '-H', 'Host: s3.eu-central-1.amazonaws.com', `${b}/bucket/k`] },
    {
      name: "a caller's own x-amz-date and x-amz-content-sha256",
      args: (b) => ['-H', V2, '-Hx-amz-date: Sun, 22 Nov 2026', '--header', 'x-amz-content-sha256: x', `${b}/bucket/k`],
    },
    { name: 'a session token', args: (b) => ['-H', V2, '-H', 'x-amz-security-token: abc', `${b}/bucket/k`] },
    { name: 'URLs after --', args: (b) => ['-H', V2, '--', `${b}/bucket/k`] },
    {
      name: 'the value of another option that looks like one',
      args: (b) => ['-A', '-XPUT', '--referer', '--head', '-H', V2, `${b}/bucket/k`],
    },
    { name: 'user and password in the URL', args: (b) => ['-H', V2, `${b.replace('//', '//u:p@')}/bucket/k`], target: '/bucket/k' },
  ])('$name', async ({ args, target = '/bucket/k', method = 'GET' }) => {
    const wire = await send(args(base()));
    expect(claimOf(wire).signature).toBe(await expectedSignature(wire));
    expect(wire.method).toBe(method);
    expect(wire.target).toBe(target);
    expect(wire.headers['host']).toBe(
      args('').some((arg) => arg.startsWith('Host:')) ? 's3.eu-central-1.amazonaws.com' : `127.0.0.1:${server.port}`,
    );
    expect(wire.headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
  });
});

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples". */
test.each([
  {
    name: 'GET object',
    method: 'GET',
    url: '/test.txt',
    extra: { range: 'bytes=0-9' },
    payload: EMPTY,
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'PUT object',
    method: 'PUT',
    url: '/test$file.text',
    extra: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    payload: createHash('sha256').update('Welcome to Amazon S3.').digest('hex'),
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'GET bucket lifecycle',
    method: 'GET',
    url: '/?lifecycle',
    extra: {},
    payload: EMPTY,
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'GET bucket (list objects)',
    method: 'GET',
    url: '/?max-keys=2&prefix=J',
    extra: {},
    payload: EMPTY,
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
])("AWS's published example: $name", async ({ method, url, extra, payload, signature }) => {
  const set = Object.entries(extra).map(([name, value]) => `headers[${name}]='${value}';`);
  const printed = await inShim(
    `declare -A headers; sha256=(sha256sum); method=$1 url=$2 payload=$3 secret=$4 region=us-east-1
     read_url; headers[host]=$host; headers[x-amz-content-sha256]=$payload; headers[x-amz-date]=20130524T000000Z; ${set.join('')}
     canonicalise; sign "$canonical" 20130524T000000Z; printf %s "$signature"`,
    [method, `https://examplebucket.s3.amazonaws.com${url}`, payload, KEY.secret],
  );
  expect(printed).toBe(signature);
});

test('openssl gives the same where there is no sha256sum', async () => {
  const script = `secret=$1 region=us-east-1; sha256=($2); sign x 20130524T000000Z; printf %s "$signature"`;
  const [a, b] = await Promise.all([inShim(script, [KEY.secret, 'sha256sum']), inShim(script, [KEY.secret, 'openssl dgst -sha256 -r'])]);
  expect(a).toMatch(/^[0-9a-f]{64}$/);
  expect(b).toBe(a);
});

test('a request is dated by universal time, wherever the dyno thinks it is', async () => {
  const wire = await send([`${base()}/bucket/k`, '-H', V2]);
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(wire.headers['x-amz-date'])) ?? [];
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  expect(Math.abs(Date.now() - Date.UTC(year, month - 1, ...rest))).toBeLessThan(60_000);
});

test('HMAC of keys of every length, against Node', async () => {
  const { createHmac } = await import('node:crypto');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 150, size: 'max' }), fc.string({ maxLength: 200 }), async (bytes, text) => {
      const hex = Buffer.from(bytes).toString('hex');
      const message = text.replaceAll('\0', '');
      const printed = await inShim('sha256=(sha256sum); hmac "$1" "$2"; printf %s "$digest"', [hex, message]);
      expect(printed).toBe(createHmac('sha256', bytes).update(message).digest('hex'));
    }),
    { numRuns: EVERY ? 25 : 12, endOnFailure: true },
  );
});

test.each([
  ['s3.eu-central-1.amazonaws.com', 'eu-central-1'],
  ['s3.eu-central-1.amazonaws.com:443', 'eu-central-1'],
  ['S3.EU-CENTRAL-1.amazonaws.com', 'eu-central-1'],
  ['s3-eu-west-1.amazonaws.com', 'eu-west-1'],
  ['s3.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['s3.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['s3.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
  ['s3.dualstack.us-east-2.amazonaws.com', 'us-east-2'],
  ['s3-fips.dualstack.us-east-2.amazonaws.com', 'us-east-2'],
  ['s3-fips.us-west-1.amazonaws.com', 'us-west-1'],
  ['my.bucket.s3.ap-southeast-2.amazonaws.com', 'ap-southeast-2'],
  ['s3.eu-west-1.bucket.s3.us-west-2.amazonaws.com', 'us-west-2'],
  ['s3.amazonaws.com', 'us-east-1'],
  ['s3-external-1.amazonaws.com', 'us-east-1'],
  ['minio.example', ''],
  ['s3.eu-west-1.amazonaws.com.evil.example', ''],
])('the region of %s is "%s", and HALCYON_S3_REGION where it names none', async (host, region) => {
  const script = 'host=$1; for HALCYON_S3_REGION in "" sa-east-1; do region=; find_region; printf "%s " "$region"; done';
  const global = /^s3(-external-1)?\.amazonaws\.com$/.test(host);
  expect(await inShim(script, [host])).toBe(`${region} ${region === '' || global ? 'sa-east-1' : region} `);
});

test('the key decides whose secret signs', async () => {
  const env = halcyonEnv({ BASHMENOT_AWS_ACCESS_KEY_ID: 'AKIAOTHER', BASHMENOT_AWS_SECRET_ACCESS_KEY: 'other-secret' });
  const before = server.requests.length;
  for (const id of [KEY.id, 'AKIAOTHER', 'AKIAUNKNOWN'])
    await run('curl', ['-s', '-H', `Authorization: AWS ${id}:sig=`, `${base()}/b/k`], { env });
  const [own, other, unknown] = server.requests.slice(before) as [Wire, Wire, Wire];
  expect(claimOf(own).signature).toBe(await expectedSignature(own));
  expect(claimOf(other).keyId).toBe('AKIAOTHER');
  expect(claimOf(other).signature).not.toBe(await expectedSignature(other));
  expect(unknown.headers['authorization']).toBe('AWS AKIAUNKNOWN:sig=');
});
