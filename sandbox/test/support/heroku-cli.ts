import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const manifest = fileURLToPath(new URL('../heroku-cli/', import.meta.url));
const cache = fileURLToPath(new URL('../../../.cache/', import.meta.url));

/** Heroku's own CLI, installed once for each version of its lockfile, by whoever asks for it. @returns its path. */
export async function installHerokuCli(): Promise<string> {
  const lock = await readFile(join(manifest, 'package-lock.json'));
  const dir = join(cache, `heroku-cli-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  const bin = join(dir, 'node_modules/.bin/heroku');
  if (existsSync(bin)) return bin;
  const fresh = `${dir}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  await cp(manifest, fresh, { recursive: true });
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: fresh });
  await rename(fresh, dir).catch(() => rm(fresh, { recursive: true }));
  return bin;
}
