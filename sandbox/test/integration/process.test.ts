import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ministackPython } from '../../aws/ministack/venv.js';
import { EVERY } from '../../../test/support/every.js';
import { variant } from '../../../test/support/variant.js';

/** `npm run sandbox` as a process of its own. */
const SCRIPT = resolve(import.meta.dirname, '../../../script/sandbox.mjs');
const KIT = resolve(import.meta.dirname, '../../../dist/bin/halcyon-kit.js');
let directory: string;
/** Theirs alone: other sandboxes, as they start, sweep what these leave. */
let temporary: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  await ministackPython();
  directory = await mkdtemp(join(tmpdir(), 'sandbox-process-'));
  temporary = join(directory, 'tmp');
  await mkdir(temporary);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Ready {
  readonly readyMs: number;
  readonly aws: { readonly url: string; readonly pid: number };
  readonly env: Record<string, string>;
}

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--', SCRIPT, ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return child;
}

async function ready(...args: string[]): Promise<{ child: ChildProcess; told: Ready }> {
  const child = start('--json', ...args);
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  return { child, told: JSON.parse(line) as Ready };
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk: Buffer) => (text[name] += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

const run = (command: string, args: string[], env: Record<string, string> = {}) =>
  outcome(spawn(command, args, { env: { PATH: process.env.PATH as string, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));

/** Whether MiniStack still runs. */
function alive({ aws }: Ready): boolean {
  try {
    return process.kill(aws.pid, 0);
  } catch {
    return false;
  }
}

/** Names of the directories that a sandbox's process has made for itself. */
async function scratch(child: { pid?: number | undefined }): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => /^halcyon-sandbox-/.test(name) && name.includes(`-${child.pid}-`));
}

/** MiniStack, and every directory. */
async function untilGone(told: Ready, child: { pid?: number | undefined }): Promise<void> {
  for (let i = 0; i < 200 && (alive(told) || (await scratch(child)).length > 0); i++) await sleep(50);
  expect(alive(told)).toBe(false);
  expect(await scratch(child)).toEqual([]);
}

variant('two run side by side; each stops on SIGTERM and leaves nothing', async () => {
  const [one, two] = await Promise.all([ready(), ready()]);
  expect(one.told.aws.url).not.toBe(two.told.aws.url);
  for (const { child, told } of [one, two]) {
    expect(told.readyMs).toBeGreaterThan(0);
    expect(alive(told)).toBe(true);
    const health = await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', `${told.aws.url}/_ministack/health`], told.env);
    expect(health).toMatchObject({ code: 0, stdout: '200' });
    child.kill('SIGTERM');
    expect((await outcome(child)).code).toBe(0);
    await untilGone(told, child);
    await expect(stat(told.env.AWS_CA_BUNDLE as string)).rejects.toThrow('ENOENT');
  }
});

test('killed without warning, it takes MiniStack and its private key along', async () => {
  const { child, told } = await ready();
  expect(alive(told)).toBe(true);
  expect((await scratch(child)).map((name) => name.split('-')[2]).sort()).toEqual(['aws', 'heroku']);
  child.kill('SIGKILL');
  await untilGone(told, child);
});

test('what was left when all was killed at once is swept by the next start; what others use is not', async () => {
  const [one, two] = await Promise.all([ready(), ready()]);
  process.kill(one.told.aws.pid, 'SIGKILL');
  one.child.kill('SIGKILL');
  await once(one.child, 'exit');
  expect((await scratch(one.child)).some((name) => name.includes('-aws-'))).toBe(true);
  const three = await ready();
  await untilGone(one.told, one.child);
  expect(await scratch(two.child)).toHaveLength(2);
  for (const { child, told } of [two, three]) {
    child.kill('SIGTERM');
    await untilGone(told, child);
  }
});

test.each(
  [
    ['a terminal and npm', ['SIGINT', 'SIGINT']],
    ['a terminal and the kit', ['SIGINT', 'SIGTERM']],
  ].slice(EVERY ? 0 : 1) as Array<[string, NodeJS.Signals[]]>,
)('one Ctrl-C that arrives twice, from %s, ends in order', async (_from, signals) => {
  const { child, told } = await ready();
  for (const signal of signals) {
    child.kill(signal);
    await sleep(5);
  }
  expect((await outcome(child)).code).toBe(0);
  expect(alive(told)).toBe(false);
  expect(await scratch(child)).toEqual([]);
});

test('Ctrl-C of halcyon-kit sandbox leaves nothing', async () => {
  // A group of its own, all of which a terminal's Ctrl-C reaches.
  const kit = spawn(process.execPath, [KIT, 'sandbox', '--json'], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.push(kit);
  const [line] = (await once(createInterface(kit.stdout as NodeJS.ReadableStream), 'line')) as [string];
  const told = JSON.parse(line) as Ready;
  const pid = Number(/-(\d+)-\w+\/[^/]+$/.exec(told.env.AWS_CA_BUNDLE as string)?.[1]);
  expect(await scratch({ pid })).toHaveLength(2);
  process.kill(-(kit.pid as number), 'SIGINT');
  await once(kit, 'exit');
  await untilGone(told, { pid });
});

test('the exports work when sourced by a shell; their file is for its owner alone, and goes at the end', async () => {
  const file = join(directory, "it's.env");
  const child = start('--write-env', file);
  const [first] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  expect(first).toMatch(/^export AWS_ENDPOINT_URL='https:\/\/localhost:\d+'$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const sourced = await run('sh', [
    '-c',
    '. "$1"; curl -sS "$AWS_ENDPOINT_URL/_sandbox/settings"; echo; curl -sS -o /dev/null -w "%{http_code}" -H "Authorization: Bearer $HEROKU_API_KEY" -H "Accept: application/vnd.heroku+json; version=3" "$HEROKU_HOST/account"',
    'sh',
    file,
  ]);
  expect(sourced.stdout).toMatch(/"keyDelayMs":0[^]*\n200$/);
  child.kill('SIGINT');
  expect((await outcome(child)).code).toBe(0);
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('a file that is not its own is left alone', async () => {
  const file = join(directory, 'mine');
  await writeFile(file, 'mine');
  const { code, stderr } = await outcome(start('--write-env', file));
  expect(code).toBe(1);
  expect(stderr).toContain(`${file} exists and is not of the sandbox's making`);
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('without Python: one sentence', async () => {
  const { code, stderr } = await outcome(
    spawn(process.execPath, ['--', SCRIPT], {
      env: { ...process.env, HALCYON_SANDBOX_PYTHON: '/nonexistent/python' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain(
    'the local AWS needs Python 3.10 or newer (/nonexistent/python does not run): install it with its venv module, or set AWS_ENDPOINT_URL',
  );
});
