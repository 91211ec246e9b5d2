// What a fresh clone needs, once: packages as locked, and dist/ built. Nothing is imported from node_modules before it is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Run a program with its output shown; ends this process with its exit code when it fails. */
export function must(what, command, args, options = {}) {
  console.error(`• ${what}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32', ...options });
  if (error?.code === 'ENOENT') {
    console.error(`✘ ${command} is not installed`);
    process.exit(1);
  }
  if (status !== 0) {
    console.error(`✘ ${what}: exit code ${status}`);
    process.exit(status ?? 1);
  }
}

/** Install packages where node_modules is not what package-lock.json says, and build unless told not to. */
export function setUp({ build = true } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`✘ Node 20.19 or later is needed, this is ${process.version}`);
    process.exit(1);
  }
  if (!isInstalled()) {
    must('installing packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']);
  }
  if (build) must('building', process.execPath, [join(root, 'script/build.mjs')]);
}

/** Whether node_modules holds what package-lock.json says, by npm's own record of what it installed. */
function isInstalled() {
  const record = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const packages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
  const installed = packages(record);
  return Object.entries(packages(join(root, 'package-lock.json'))).every(
    ([path, { version, optional, devOptional, link }]) =>
      !path.includes('node_modules/') || optional || devOptional || link || installed[path]?.version === version,
  );
}
