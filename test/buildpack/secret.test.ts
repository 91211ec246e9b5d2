import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildpackDir, halcyonEnv, KEY, run, startServer, V2, type Server } from './support/shim.js';
import { claimOf } from './support/verify.js';

/** Everything that would let someone sign as this key: the secret, and the keys derived from it, as text and in hex. */
function canaries(): string[] {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();
  const derived = [Buffer.from(`AWS4${KEY.secret}`)];
  for (const part of [day, 'eu-west-1', 's3', 'aws4_request']) derived.push(hmac(derived.at(-1)!, part));
  const forms = [KEY.secret, Buffer.from(KEY.secret).toString('hex'), ...derived.map((key) => key.toString('hex'))];
  const escaped = forms.map((hex) => hex.replace(/../g, '\\x$&'));
  return [...forms, ...escaped];
}

let dir: string;
let server: Server;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'secret-'));
  server = await startServer();
  mkdirSync(join(dir, 'bin'));
  // Each program the shim may start, slowed down so that whoever looks at the process list sees it, and kept on record.
  for (const name of ['sha256sum', 'openssl', 'date', 'curl']) {
    const real = process.env
      .PATH!.split(':')
      .map((entry) => join(entry, name))
      .find(existsSync);
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\nprintf '%s\\n' "$0 $*" >>'${dir}/calls'\nsleep 0.01\nexec '${real}' "$@"\n`, {
      mode: 0o755,
    });
  }
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const request = () => ['-sS', '-H', V2, `http://127.0.0.1:${server.port}/b/k`];
/** Only what the shim itself starts is reachable. */
const watched = () => halcyonEnv({ PATH: `${buildpackDir}/shim:${join(dir, 'bin')}:/bin:/usr/bin`, TMPDIR: join(dir, 'tmp') });

function expectNoCanary(text: string): void {
  for (const canary of canaries()) expect(text.includes(canary)).toBe(false);
}

describe('the secret', () => {
  test('is in no argument of any process, as the process list shows them and as programs got them', async () => {
    mkdirSync(join(dir, 'tmp'));
    const seen = new Set<string>();
    let over = false;
    const look = () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          seen.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
        } catch {
          // It has ended.
        }
      }
      if (!over) setImmediate(look);
    };
    if (existsSync('/proc/self/cmdline')) look();
    expect(await run('curl', request(), { env: watched() })).toEqual({ code: 0, stdout: 'ok', stderr: '' });
    over = true;
    const calls = readFileSync(join(dir, 'calls'), 'utf8');
    expect(calls.split('\n').filter((line) => line.includes('/sha256sum')).length).toBeGreaterThanOrEqual(11);
    expectNoCanary(calls);
    if (existsSync('/proc/self/cmdline')) {
      expect([...seen].some((line) => line.includes('sha256sum'))).toBe(true);
      expectNoCanary([...seen].join('\n'));
    }
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  test('nor where openssl does the hashing', async () => {
    rmSync(join(dir, 'calls'));
    mkdirSync(join(dir, 'few'));
    for (const name of ['openssl', 'curl']) {
      writeFileSync(join(dir, 'few', name), readFileSync(join(dir, 'bin', name)), { mode: 0o755 });
    }
    writeFileSync(join(dir, 'few/sleep'), '#!/bin/sh\n', { mode: 0o755 });
    const env = { ...watched(), PATH: `${buildpackDir}/shim:${join(dir, 'few')}` };
    expect(await run(`${buildpackDir}/shim/curl`, request(), { env })).toEqual({ code: 0, stdout: 'ok', stderr: '' });
    claimOf(server.requests.at(-1)!);
    const calls = readFileSync(join(dir, 'calls'), 'utf8');
    expect(calls.split('\n').filter((line) => line.includes('dgst')).length).toBeGreaterThanOrEqual(11);
    expectNoCanary(calls);
  });

  test.each<[string, string, string[], NodeJS.ProcessEnv]>([
    ['curl says all it can', 'curl', ['--verbose', '--trace-ascii', '-'], {}],
    ['the shim itself is traced', 'bash', ['-x', '-v', `${buildpackDir}/shim/curl`], {}],
    ['tracing is inherited', 'env', ['SHELLOPTS=xtrace:verbose', 'PS4=+ ', 'curl'], {}],
    ['BASH_ENV turns tracing on', 'curl', [], { BASH_ENV: '/tracing' }],
  ])('is in no output, nor on the wire, when %s', async (_name, command, args, env) => {
    writeFileSync(join(dir, 'tracing'), 'set -xv\n');
    const { code, stdout, stderr } = await run(command, [...args, ...request()], {
      env: { ...halcyonEnv(), ...(env.BASH_ENV ? { BASH_ENV: join(dir, 'tracing') } : {}) },
    });
    expect(code).toBe(0);
    claimOf(server.requests.at(-1)!);
    expectNoCanary(stdout + stderr + JSON.stringify(server.requests.at(-1)));
  });

  test('functions of the caller do not take the place of what handles it', async () => {
    const stolen = join(dir, 'stolen');
    const script = `printf() { builtin printf "%s\\n" "$@" >>'${stolen}'; builtin printf "$@"; }; sha256sum() { command sha256sum "$@"; }; export -f printf sha256sum; curl "$@"`;
    expect(await run('bash', ['--norc', '-c', script, '-', ...request()])).toEqual({ code: 0, stdout: 'ok', stderr: '' });
    claimOf(server.requests.at(-1)!);
    expect(existsSync(stolen)).toBe(false);
  });
});
