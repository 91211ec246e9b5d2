// Transpiles bin/, lib/ and accept/ to dist/ (a tenth of a second), or to --outdir DIR; --types adds declarations, for a package to publish.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const named = process.argv.indexOf('--outdir');
const dist = named === -1 ? join(root, 'dist') : resolve(process.argv[named + 1]);
const sources = ['bin', 'lib', 'accept'].flatMap((dir) =>
  readdirSync(join(root, dir), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, dir, name)),
);
const { build } = await import('esbuild');
if (process.argv.includes('--types')) rmSync(dist, { recursive: true, force: true });
const { outputFiles } = await build({
  entryPoints: sources,
  outbase: root,
  outdir: dist,
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
  outdir: join(dist, 'page'),
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
outputFiles.push({ path: join(dist, 'page/status.html'), contents: Buffer.from(html) });
// An ES module that imports a CommonJS one reads all it exports, by which the CDK loads all it has: half a second a start. `require` does not.
const required = (text) =>
  text.replace(
    /^import (\{[^}]*\}) from ("aws-cdk-lib\/[^"]+");$/gm,
    (_, names, from) =>
      `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule("module").createRequire(import.meta.url)(${from});`,
  );
let lazy = 0;
for (const file of outputFiles) {
  if (!file.path.endsWith('.js')) continue;
  const text = required(file.text);
  if (text !== file.text) lazy += 1;
  file.contents = Buffer.from(text);
}
if (lazy === 0) throw new Error('no import of aws-cdk-lib was found: esbuild writes them otherwise than it did');
// `cdk` builds before each synth: what has not changed is left alone, and nobody reads a file half written.
for (const { path, contents } of outputFiles) {
  if (existsSync(path) && readFileSync(path).equals(contents)) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents, { mode: /^bin[\\/].*\.js$/.test(relative(dist, path)) ? 0o755 : 0o644 });
  renameSync(`${path}.${process.pid}`, path);
}
if (process.argv.includes('--types')) {
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', dist], { stdio: 'inherit', cwd: root });
}
