// What an installation of the kit weighs: its tarball, and the packages that npm puts beside it.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPacked } from '../packed.js';
import type { Figure } from './measure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes of the files of one package, not of those in its node_modules. */
const weigh = (directory: string): number =>
  readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .reduce(
      (sum, entry) => sum + (entry.isDirectory() ? weigh(join(directory, entry.name)) : statSync(join(directory, entry.name)).size),
      0,
    );

export async function figures(): Promise<Figure[]> {
  const { directory, bytes } = installPacked();
  rmSync(directory, { recursive: true, force: true });
  const npm = (...args: string[]) =>
    execFileSync('npm', [...args, '--workspaces=false'], {
      cwd: root,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      maxBuffer: 1e9,
    });
  // Here the peers are for development; npm installs them beside the kit.
  const peers = JSON.parse(npm('query', '#aws-cdk-lib, #aws-cdk-lib *, #constructs')) as Array<{ path: string }>;
  const paths = [...npm('ls', '--omit=dev', '--all', '--parseable').split('\n'), ...peers.map(({ path }) => path)];
  const packages = [...new Set(paths)].filter((path) => path.includes('node_modules'));
  return [
    { name: 'packed', value: bytes / 1000, unit: 'kB' },
    {
      name: 'installed beside it',
      value: Math.round(packages.reduce((sum, path) => sum + weigh(path), 0) / 1e6),
      unit: 'MB',
      note: `${packages.length} packages, those included that others bundle`,
    },
  ];
}
