import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ministackPython } from '../../aws/ministack/venv.js';

/** Set-up of the venv, with an interpreter that only pretends: it answers the probe, makes the directory and notes each step. */
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'venv-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function python(options: { version?: string; ensurepip?: boolean; pip?: string; venv?: string } = {}): Promise<string> {
  const path = join(directory, 'python');
  const log = join(directory, 'log');
  const venvPython = `#!/bin/sh\\necho pip >> ${log}\\nsleep 0.3\\n${options.pip ?? 'exit 0'}\\n`;
  await writeFile(
    path,
    `#!/bin/sh
case "$1 $2" in
  -c*) echo ${options.version ?? '3.12.1'}; ${options.ensurepip === false ? 'exit 1' : 'exit 0'} ;;
  "-m venv") echo venv >> ${log}; ${options.venv ?? ''} mkdir -p "$3/bin"; printf '${venvPython}' > "$3/bin/python"; chmod +x "$3/bin/python" ;;
esac
`,
    { mode: 0o755 },
  );
  return path;
}
const steps = async (): Promise<string[]> => (await readFile(join(directory, 'log'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
const setUp = async (interpreter: string) => ministackPython({ python: interpreter, cacheDir: join(directory, 'cache') });

describe('the venv', () => {
  test('is made once, by whoever comes first', async () => {
    const interpreter = await python();
    const made = await Promise.all(Array.from({ length: 5 }, () => setUp(interpreter)));
    expect(new Set(made).size).toBe(1);
    expect(await steps()).toEqual(['venv', 'pip']);
    await setUp(interpreter);
    expect(await steps()).toEqual(['venv', 'pip']);
    expect((await readdir(join(directory, 'cache'))).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  test('is another for another Python', async () => {
    const first = await setUp(await python());
    expect(await setUp(await python({ version: '3.13.0' }))).not.toBe(first);
  });

  test('is made anew where a set-up was cut off', async () => {
    const interpreter = await python();
    const path = await setUp(interpreter);
    await rm(resolve(path, '../../ready'));
    await setUp(interpreter);
    expect(await steps()).toEqual(['venv', 'pip', 'venv', 'pip']);
  });

  test('is made anew where its interpreter is gone', async () => {
    const interpreter = await python();
    await rm(await setUp(interpreter));
    await setUp(interpreter);
    expect(await steps()).toHaveLength(4);
  });

  test('is not held up by a lock whose owner died', async () => {
    const interpreter = await python();
    const home = resolve(await setUp(interpreter), '../..');
    await rm(home, { recursive: true });
    const dead = execFileSync('sh', ['-c', 'echo $$']).toString().trim();
    await writeFile(`${home}.lock`, dead);
    await setUp(interpreter);
    expect(await steps()).toHaveLength(4);
  });
});

describe('what is missing is said in one sentence', () => {
  test.each([
    [
      'no Python',
      { python: '/nonexistent' },
      'python-missing',
      /needs Python 3\.10 or newer \(\/nonexistent does not run\).*AWS_ENDPOINT_URL/,
    ],
    ['too old', { version: '3.9.18' }, 'python-missing', /needs Python 3\.10 or newer \(.*python is 3\.9\.18\)/],
    ['Python 2', { version: '2.7.18' }, 'python-missing', /needs Python 3\.10 or newer \(.*python is 2\.7\.18\)/],
    [
      'no ensurepip',
      { ensurepip: false },
      'python-venv-missing',
      /\(Python 3\.12\.1\) has no venv module: install it \(Debian and Ubuntu: python3-venv\), or set AWS_ENDPOINT_URL/,
    ],
    ['venv fails', { venv: 'exit 1;' }, 'python-venv-missing', /has no venv module/],
    [
      'pip fails',
      { pip: 'echo "ERROR: no matching distribution" >&2; exit 1' },
      'ministack-install-failed',
      /cannot install MiniStack: ERROR: no matching distribution; check/,
    ],
  ])('%s', async (_, options: Parameters<typeof python>[0] & { python?: string }, code, message) => {
    const interpreter = options.python ?? (await python(options));
    await expect(setUp(interpreter)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});

test('the requirements are pinned with hashes, and name no index', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../../aws/requirements.txt'), 'utf8');
  const pins = text.match(/^[a-z][\w.-]*==/gm) ?? [];
  expect(pins).toContain('ministack==');
  for (const entry of text.split(/^(?=[a-z])/m).filter((part) => /^[a-z]/.test(part))) expect(entry).toContain('--hash=sha256:');
  expect(text).not.toMatch(/https?:|--index|--find-links/);
});
