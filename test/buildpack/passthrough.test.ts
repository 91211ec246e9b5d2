import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildpackDir, halcyonEnv, run, startServer, V2 } from './support/shim.js';
import { claimOf, expectedSignature } from './support/verify.js';

// Many processes are started here, which a busy machine takes its time for.
vi.setConfig({ testTimeout: 300_000 });

let dir: string;
/** PATH with a curl behind the shim that only says how it was called. */
let recorder: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'passthrough-'));
  mkdirSync(join(dir, 'recorder'));
  writeFileSync(
    join(dir, 'recorder/curl'),
    '#!/bin/sh\nenv -0 >"$RECORD.env"\nfor arg; do printf "%s\\0" "$arg"; done >"$RECORD"\nexit 42\n',
    { mode: 0o755 },
  );
  recorder = `${buildpackDir}/shim:${dir}/recorder:${process.env.PATH}`;
});
afterAll(() => rmSync(dir, { recursive: true }));

/** The arguments and the environment that the real curl gets. */
async function record(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const file = join(dir, 'record');
  const { code, stdout, stderr } = await run('curl', args, { env: halcyonEnv({ PATH: recorder, RECORD: file, ...env }) });
  expect({ code, stdout, stderr }).toEqual({ code: 42, stdout: '', stderr: '' });
  const list = (path: string) => readFileSync(path, 'utf8').split('\0').slice(0, -1);
  return { args: list(file), env: list(`${file}.env`) };
}

describe('a call without a version 2 signature goes on as it came', () => {
  test('any arguments', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        '--',
        '-',
        '',
        '-H',
        '--header',
        '--header=Foo: bar',
        '-o',
        '-T',
        '--next',
        '-XPUT',
        'Authorization: Bearer aws',
        'a b',
        '*',
        '$HOME',
        '-fsSLo',
      ),
      fc.constantFrom('Authorization: AWS4-HMAC-SHA256 Credential=a/b', 'x-amz-acl: private', 'https://s3.amazonaws.com/b/k'),
      fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (args) => {
        expect((await record(args)).args).toEqual(args);
      }),
      { numRuns: 60 },
    );
  });

  test.each<[string, string[], NodeJS.ProcessEnv?]>([
    ['nobody here has the secret', ['-H', V2, 'https://s3.amazonaws.com/b/k'], { HALCYON_AWS_SECRET_ACCESS_KEY: '' }],
    ['the key is another', ['-H', 'Authorization: AWS OTHER:sig=', 'https://s3.amazonaws.com/b/k']],
    ['no region is known', ['-H', V2, 'https://minio.example/b/k'], { HALCYON_S3_REGION: '' }],
    ['two URLs', ['-H', V2, 'https://s3.amazonaws.com/b/k', 'https://s3.amazonaws.com/b/l']],
    ['no URL', ['-H', V2]],
    ['two signatures', ['-H', V2, '-H', V2, 'https://s3.amazonaws.com/b/k']],
    ['--next', ['-H', V2, 'https://s3.amazonaws.com/b/k', '--next', '-I', 'https://example.com']],
    ['--get', ['-G', '-d', 'prefix=a', '-H', V2, 'https://s3.amazonaws.com/b/']],
    ['the header is for a proxy', ['--proxy-header', V2, 'https://s3.amazonaws.com/b/k']],
    ['the header is only spoken of', ['-H', 'X-Was: authorization: aws a:b', 'https://s3.amazonaws.com/b/k']],
    ['an option without its value', ['-H', V2, 'https://s3.amazonaws.com/b/k', '-o']],
  ])('where it cannot be signed: %s', async (_name, args, env) => {
    expect((await record(args, env)).args).toEqual(args);
  });
});

describe('a call that is signed again', () => {
  const others = [
    '--fail',
    '--location',
    '--silent',
    '--show-error',
    '--write-out',
    '%{http_code}',
    '--output',
    'a file',
    '--retry',
    '3',
    '-o/dev/null',
  ];

  test('keeps every other argument, in order', async () => {
    const args = [
      'https://s3.eu-west-1.amazonaws.com/b/k',
      ...others,
      '--header',
      'Date: today',
      '--header',
      V2,
      '-T',
      'x',
      '--',
      '--literal',
    ];
    const { args: got } = await record(args.slice(0, -2));
    const added = 4;
    expect(got.slice(0, added).filter((_, i) => i % 2)).toEqual([
      expect.stringMatching(/^x-amz-date: \d{8}T\d{6}Z$/),
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
    ]);
    const kept = got.slice(added);
    expect(kept[kept.indexOf('Date: today') + 2]).toMatch(/^Authorization: AWS4-HMAC-SHA256 /);
    kept[kept.indexOf('Date: today') + 2] = V2;
    expect(kept).toEqual(args.slice(0, -2));
  });

  test('leaves the environment alone, also names that the shim uses itself', async () => {
    const own = Object.fromEntries(
      ['url', 'secret', 'host', 'args', 'key', 'digest', 'list', 'path', 'now', 'REAL'].map((name) => [name, 'theirs']),
    );
    const env = { ...own, LC_ALL: 'C.UTF-8', TZ: 'Asia/Tokyo', LANG: 'de_DE' };
    const signed = await record(['-H', V2, 'https://s3.amazonaws.com/b/k?a=1'], env);
    const plain = await record(['https://s3.amazonaws.com/b/k?a=1'], env);
    expect(signed.args.some((arg) => arg.includes('AWS4-HMAC'))).toBe(true);
    expect(signed.env.sort()).toEqual(plain.env.sort());
    for (const [name, value] of Object.entries(env)) expect(signed.env).toContain(`${name}=${value}`);
  });
});

describe('which curl is the real one', () => {
  test('the next on PATH, also behind another copy of the shim', async () => {
    const copy = join(dir, 'copy');
    cpSync(`${buildpackDir}/shim`, copy, { recursive: true });
    for (const path of [`${copy}:${recorder}`, `${buildpackDir}/shim:${copy}:${recorder}`]) {
      const { args } = await record(['-H', V2, 'https://s3.amazonaws.com/b/k'], { PATH: path });
      expect(args.filter((arg) => arg.includes('AWS4-HMAC'))).toHaveLength(1);
    }
  });

  test('none: 127, as a shell says it', async () => {
    const env = halcyonEnv({ PATH: `${buildpackDir}/shim:${dir}` });
    expect(await run(`${buildpackDir}/shim/curl`, ['https://example.com'], { env })).toEqual({
      code: 127,
      stdout: '',
      stderr: 'curl: command not found\n',
    });
  });

  test('not a directory, not a file that is not executable', async () => {
    mkdirSync(join(dir, 'odd/curl'), { recursive: true });
    mkdirSync(join(dir, 'flat'));
    writeFileSync(join(dir, 'flat/curl'), '');
    chmodSync(join(dir, 'flat/curl'), 0o644);
    const { args } = await record(['-V'], { PATH: `${dir}/odd:${dir}/flat:${recorder}` });
    expect(args).toEqual(['-V']);
  });
});

describe('what curl does is what the caller sees', () => {
  const s3 = (port: number) => ['--silent', '--show-error', '--header', V2, `http://127.0.0.1:${port}/b/k`];

  test('exit codes, errors, --write-out and --output', async () => {
    const server = await startServer((_wire, _request, response) => response.writeHead(404).end('<Error/>'));
    const failed = await run('curl', [...s3(server.port), '--fail', '--write-out', '%{http_code}', '--output', join(dir, 'out')]);
    expect(failed).toMatchObject({ code: 22, stdout: '404', stderr: expect.stringMatching(/^curl: \(22\) .*404/) });
    const served = await run('curl', [...s3(server.port), '--write-out', ' %{http_code}']);
    expect(served).toEqual({ code: 0, stdout: '<Error/> 404', stderr: '' });
    await server.close();
    expect(await run('curl', s3(server.port))).toMatchObject({ code: 7 });
  });

  test('output into a process substitution, as Halcyon lists', async () => {
    const server = await startServer((_wire, _request, response) => response.end('<Key>a</Key>'));
    const script = 'curl "$@" --output >(sed "s/^/read: /"); wait $!';
    expect(await run('bash', ['--norc', '-c', script, '-', ...s3(server.port)])).toEqual({
      code: 0,
      stdout: 'read: <Key>a</Key>',
      stderr: '',
    });
    await server.close();
  });

  test('redirects: the signature follows to the same host, not to another', async () => {
    const other = await startServer();
    const server = await startServer((wire, _request, response) => {
      const to = { '/b/k': '/b/moved', '/b/moved': `http://localhost:${other.port}/b/k` }[wire.target];
      response.writeHead(307, { location: to }).end();
    });
    expect(await run('curl', ['--location', ...s3(server.port)])).toEqual({ code: 0, stdout: 'ok', stderr: '' });
    expect(server.requests.map((wire) => claimOf(wire).keyId)).toHaveLength(2);
    expect(other.requests[0]?.headers['authorization']).toBeUndefined();
    await Promise.all([server.close(), other.close()]);
  });

  test('--retry: each try is signed', async () => {
    let tries = 0;
    const server = await startServer((_wire, _request, response) =>
      response.writeHead(++tries < 3 ? 503 : 200, { 'retry-after': '0' }).end('ok'),
    );
    const { code, stdout } = await run('curl', [
      '--retry',
      '3',
      '--retry-delay',
      '1',
      ...s3(server.port),
      '--upload-file',
      `${buildpackDir}/shim/profile.sh`,
    ]);
    expect({ code, stdout: stdout.slice(-2) }).toEqual({ code: 0, stdout: 'ok' });
    expect(server.requests).toHaveLength(3);
    for (const wire of server.requests) expect(claimOf(wire).signature).toBe(await expectedSignature(wire));
    await server.close();
  });

  test.each([
    ['--http2', '2'],
    ['--http1.1', '1.1'],
  ])('over TLS with %s', async (option, version) => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    );
    let seen: { version: string; headers: NodeJS.Dict<string | string[]>; bytes: number } | undefined;
    const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true }, (request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        seen = { version: request.httpVersion, headers: request.headers, bytes };
        response.end('ok');
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const url = `https://localhost:${port}/b/a%20key`;
    const args = [
      url,
      '-sS',
      option,
      '--cacert',
      cert,
      '--resolve',
      `localhost:${port}:127.0.0.1`,
      '-H',
      V2,
      '-T',
      `${buildpackDir}/shim/curl`,
    ];
    expect(await run('curl', args)).toEqual({ code: 0, stdout: 'ok', stderr: '' });
    server.close();
    expect(seen?.version.replace('2.0', '2')).toBe(version);
    expect(seen?.bytes).toBe(readFileSync(`${buildpackDir}/shim/curl`).length);
    const { [':authority']: authority, ...rest } = seen?.headers as Record<string, string>;
    const headers = { ...rest, host: authority ?? rest['host'] ?? '' };
    expect(headers['x-amz-content-sha256' as keyof typeof headers]).toBe('UNSIGNED-PAYLOAD');
    const wire = { method: 'PUT', target: '/b/a%20key', headers, bytes: 0 };
    expect(claimOf(wire).signature).toBe(await expectedSignature(wire));
  });
});
