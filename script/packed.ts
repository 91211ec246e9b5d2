// The package as a user has it: built, packed and installed in a directory of its own, by links to what it declares as dependencies and peers, and no others.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { x as unpack } from 'tar';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Packed {
  /** Of the whole; to be removed by whoever asked for it. */
  readonly directory: string;
  /** What was packed, beside the dependencies that it declares. */
  readonly source: string;
  /** A project with the package in its node_modules. */
  readonly project: string;
  readonly installed: string;
  /** Of the tarball. */
  readonly bytes: number;
}

/** Needs no network, and leaves dist/ alone. `beside`: packages that the project has of its own. */
export function installPacked(beside: readonly string[] = []): Packed {
  const directory = mkdtempSync(join(tmpdir(), 'halcyon-packed-'));
  const source = join(directory, 'source');
  const project = join(directory, 'project');
  const installed = join(project, 'node_modules/halcyon-kit');
  const { files, dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    files: string[];
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  for (const name of ['package.json', 'README.md', ...files])
    if (!name.startsWith('!') && name !== 'dist') cpSync(join(root, name), join(source, name), { recursive: true });
  execFileSync(process.execPath, [join(root, 'script/build.mjs'), '--types', '--outdir', join(source, 'dist')], { stdio: 'inherit' });
  const pack = ['pack', '--ignore-scripts', '--silent', '--workspaces=false'];
  const tarball = execFileSync('npm', pack, { cwd: source, encoding: 'utf8', shell: process.platform === 'win32' }).trim();
  mkdirSync(installed, { recursive: true });
  unpack({ file: join(source, tarball), cwd: installed, strip: 1, sync: true });
  for (const name of [...Object.keys({ ...dependencies, ...peerDependencies }), ...beside]) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'junction');
  }
  symlinkSync(join(project, 'node_modules'), join(source, 'node_modules'), 'junction');
  return { directory, source, project, installed, bytes: statSync(join(source, tarball)).size };
}
