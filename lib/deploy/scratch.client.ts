import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../lease-owner.js';

const PREFIX = 'halcyon-kit-';
/** After this long nobody works in a directory any more, on whichever machine. */
const OLD = 86_400_000;

const own = (): string => `${PREFIX}${hostname().replace(/[^\w.]/g, '_')}-`;

/** A directory of this process's own for what is thrown away. Those of runs that were killed go. */
export async function scratchDirectory(root: string = tmpdir()): Promise<string> {
  const names = await readdir(root).catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith(PREFIX)).map((name) => sweep(root, name)));
  return mkdtemp(join(root, `${own()}${process.pid}-`));
}

async function sweep(root: string, name: string): Promise<void> {
  const path = join(root, name);
  const pid = name.startsWith(own()) ? Number(name.slice(own().length).split('-')[0]) : NaN;
  // What is someone else's, or goes by itself meanwhile, is no concern of this run.
  const left =
    (pid > 0 && !isRunning(pid)) ||
    (await stat(path)
      .then(({ mtimeMs }) => Date.now() - mtimeMs > OLD)
      .catch(() => false));
  if (left) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
