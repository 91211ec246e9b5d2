import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KitError } from '../../../lib/errors.js';
import { withLock } from './lock.js';

const run = promisify(execFile);
const HERE = dirname(fileURLToPath(import.meta.url));
const REQUIREMENTS = resolve(HERE, '../requirements.txt');
const INSTEAD = 'or set AWS_ENDPOINT_URL to a MiniStack container or to another endpoint instead';

/** Default home of what the sandbox installs: `.cache/sandbox` in the project. */
const defaultCacheDir = (): string => resolve(HERE, '../../../.cache/sandbox');

interface Python {
  readonly command: string;
  /** `3.11.7`. */
  readonly version: string;
}

export interface VenvOptions {
  readonly cacheDir?: string;
  /** Interpreter to build on. Default: HALCYON_SANDBOX_PYTHON, else the first of python3, python3.13 … python3.10, python that serves. */
  readonly python?: string;
  readonly onProgress?: (text: string) => void;
}

/**
 * The Python of a virtual environment that holds exactly what `requirements.txt` pins, made on first use (about 10 s).
 * Several processes may ask at once: one makes it, the others wait.
 *
 * @throws KitError `python-missing`, `python-venv-missing`, `ministack-install-failed`.
 */
export async function ministackPython(options: VenvOptions = {}): Promise<string> {
  const requirements = await readFile(REQUIREMENTS);
  const base = await findPython(options.python ?? process.env.HALCYON_SANDBOX_PYTHON);
  const key = createHash('sha256')
    .update(requirements)
    .update(`\0${base.version}\0${process.platform}\0${process.arch}`)
    .digest('hex')
    .slice(0, 16);
  const home = join(options.cacheDir ?? defaultCacheDir(), `ministack-${key}`);
  const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (await isReady(home, python)) return python;
  await mkdir(dirname(home), { recursive: true });
  await withLock(`${home}.lock`, async () => {
    if (await isReady(home, python)) return;
    options.onProgress?.('setting up the local AWS (once, about 10 s)');
    await install(base, home, python);
  });
  return python;
}

/** A venv is bound to its path, so it is made in place; this file, which comes last and by a rename, says that it is whole. */
const readyFile = (home: string): string => join(home, 'ready');

/** The interpreter is a link to the system's, which an upgrade may have taken away. */
async function isReady(home: string, python: string): Promise<boolean> {
  return (await exists(readyFile(home))) && (await exists(python));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function install(base: Python, home: string, python: string): Promise<void> {
  await rm(home, { recursive: true, force: true });
  try {
    await run(base.command, ['-m', 'venv', home]);
  } catch (cause) {
    throw new KitError('python-venv-missing', venvMissing(base), { cause });
  }
  try {
    await run(python, ['-m', 'pip', 'install', '--require-hashes', '--no-input', '--disable-pip-version-check', '-q', '-r', REQUIREMENTS], {
      maxBuffer: 16 << 20,
    });
  } catch (cause) {
    const last = String((cause as { stderr?: string }).stderr ?? cause)
      .split('\n')
      .filter((line) => /error/i.test(line))
      .pop();
    throw new KitError(
      'ministack-install-failed',
      `cannot install MiniStack: ${last ?? 'pip failed'}; check pip's access to its index and run again`,
      {
        cause,
      },
    );
  }
  await writeFile(`${readyFile(home)}.new`, `${base.version}\n`);
  await rename(`${readyFile(home)}.new`, readyFile(home));
}

const venvMissing = (base: Python): string =>
  `${base.command} (Python ${base.version}) has no venv module: install it (Debian and Ubuntu: python3-venv), ${INSTEAD}`;

const PROBE = 'import sys; print("%d.%d.%d" % sys.version_info[:3]); import venv, ensurepip';

async function findPython(named: string | undefined): Promise<Python> {
  const candidates = named === undefined ? ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'] : [named];
  const seen: string[] = [];
  let withoutVenv: Python | undefined;
  for (const command of candidates) {
    const probe = await run(command, ['-c', PROBE]).then(
      ({ stdout }) => ({ stdout, ok: true }),
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '', ok: false }),
    );
    const version = /^(\d+)\.(\d+)\.\d+/.exec(probe.stdout);
    if (version === null) continue;
    const python = { command, version: version[0] };
    if (version[1] !== '3' || Number(version[2]) < 10) seen.push(`${command} is ${python.version}`);
    else if (probe.ok) return python;
    else withoutVenv ??= python;
  }
  if (withoutVenv !== undefined) throw new KitError('python-venv-missing', venvMissing(withoutVenv));
  const found = seen.length > 0 ? ` (${seen.join(', ')})` : named === undefined ? '' : ` (${named} does not run)`;
  throw new KitError('python-missing', `the local AWS needs Python 3.10 or newer${found}: install it with its venv module, ${INSTEAD}`);
}
