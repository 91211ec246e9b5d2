// Transpiles bin/, lib/ and accept/ to dist/ (a tenth of a second); --types adds declarations, for a package to publish.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = ['bin', 'lib', 'accept'].flatMap((dir) =>
  readdirSync(join(root, dir), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, dir, name)),
);
const { build } = await import('esbuild');
if (process.argv.includes('--types')) rmSync(join(root, 'dist'), { recursive: true, force: true });
const { outputFiles } = await build({
  entryPoints: sources,
  outbase: root,
  outdir: join(root, 'dist'),
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
  write: false,
});
// The page of `status --html`: one file, its style and its script in it.
const page = await build({
  entryPoints: [join(root, 'page/main.ts'), join(root, 'page/style.css')],
  outdir: join(root, 'dist/page'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  logLevel: 'warning',
  write: false,
});
const textOf = (end) => page.outputFiles.find(({ path }) => path.endsWith(end)).text.trim();
const html = readFileSync(join(root, 'page/template.html'), 'utf8')
  .replace('/*style*/', () => textOf('.css'))
  .replace('/*script*/', () => textOf('.js').replaceAll('</script', '<\\/script'));
outputFiles.push({ path: join(root, 'dist/page/status.html'), contents: Buffer.from(html) });
// `cdk` builds before each synth: what has not changed is left alone, and nobody reads a file half written.
for (const { path, contents } of outputFiles) {
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents, { mode: /dist[\\/]bin[\\/].*\.js$/.test(path) ? 0o755 : 0o644 });
  renameSync(`${path}.${process.pid}`, path);
}
if (process.argv.includes('--types')) {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    cwd: root,
  });
}
