// Transpiles bin/ and lib/ to dist/ (a tenth of a second); --types adds declarations, for a package to publish.
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['bin', 'lib'].flatMap((dir) =>
  readdirSync(join(root, dir), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, dir, name)),
);
const { build } = await import('esbuild');
if (process.argv.includes('--types')) rmSync(join(root, 'dist'), { recursive: true, force: true });
await build({
  entryPoints: sources,
  outbase: root,
  outdir: join(root, 'dist'),
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
});
for (const name of ['halcyon.js', 'halcyon-kit.js']) {
  try {
    chmodSync(join(root, 'dist/bin', name), 0o755);
  } catch {}
}
if (process.argv.includes('--types')) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    cwd: root,
  });
}
