import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const NAMES = ['halcyon.yaml', 'halcyon.yml'];

/** The file that commands read where none is named, and how help tells of it: HALCYON_CONFIG, or the nearest from here upwards. */
export function defaultConfig(env: NodeJS.ProcessEnv = process.env, from: string = process.cwd()): [string, string] {
  if (env.HALCYON_CONFIG) return [env.HALCYON_CONFIG, 'HALCYON_CONFIG'];
  const where = 'halcyon.yaml or halcyon.yml, here or in a directory above';
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const found = NAMES.find((name) => existsSync(join(dir, name)));
    if (found !== undefined) return [relative(from, join(dir, found)), where];
    if (dirname(dir) === dir) return ['halcyon.yaml', where];
  }
}
