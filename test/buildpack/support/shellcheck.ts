import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const requirements = fileURLToPath(new URL('../../tools/requirements.txt', import.meta.url));
const cache = fileURLToPath(new URL('../../../.cache/tools', import.meta.url));

/** Run shellcheck, as pinned in test/tools; answers what it prints. */
export async function shellcheck(args: readonly string[]): Promise<string> {
  const program = await install();
  return exec(program, [...args]).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}` || String(error),
  );
}

/** The wheel carries the program: unpacked once, into a directory of its own. */
async function install(): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16);
  const home = join(cache, `shellcheck-${key}-${process.platform}-${process.arch}`);
  const program = join(home, 'bin', process.platform === 'win32' ? 'shellcheck.exe' : 'shellcheck');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  const target = `${home}.${process.pid}`;
  const python = process.env.HALCYON_SANDBOX_PYTHON ?? 'python3';
  const options = ['--require-hashes', '--no-deps', '--no-input', '--disable-pip-version-check', '-q'];
  await exec(python, ['-m', 'pip', 'install', ...options, '--target', target, '-r', requirements]);
  await rename(target, home).catch(() => rm(target, { recursive: true, force: true })); // another process was first
  return program;
}
