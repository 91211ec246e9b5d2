import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KitError } from '../errors.js';
import { tarball, type FileSpec } from '../tarball.js';

/** What goes in: what runs, so that a word changed in the README moves no app to another version. */
const FOLDERS = ['bin', 'shim'];
/** Modes are not taken from the file system, where a umask or Windows may have changed them. */
const EXECUTABLE = /^(bin\/|shim\/curl$)/;

/** The SigV4 buildpack as a .tgz that Heroku can install: the same bytes for the same sources, wherever it is packed. */
export async function packBuildpack(dir: string = buildpackDir()): Promise<{ tgz: Buffer; sha256: string }> {
  const names: string[] = [];
  for (const folder of FOLDERS) names.push(...(await readdir(join(dir, folder))).map((name) => `${folder}/${name}`));
  const files: Record<string, FileSpec> = {};
  for (const name of names.sort()) files[name] = { content: await readFile(join(dir, name), 'utf8'), executable: EXECUTABLE.test(name) };
  const tgz = tarball(files);
  return { tgz, sha256: createHash('sha256').update(tgz).digest('hex') };
}

/** `buildpack/` of this package, from `lib/` and from `dist/lib/`. */
function buildpackDir(): string {
  const dir = ['../../buildpack', '../../../buildpack']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'bin/compile')));
  if (dir === undefined)
    throw new KitError('buildpack-missing', 'the folder buildpack/ is not in this installation; install halcyon-kit again');
  return dir;
}
