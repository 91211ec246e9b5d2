// npm test: everything that must pass. Ends with a line "N passed, N failed[, N skipped]".
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, setUp } from './setup.mjs';

setUp();
const { default: pMap } = await import('p-map');
const started = Date.now();
const bin = (name) => join(root, 'node_modules', '.bin', name);
let passed = 0;
let failed = 0;
let skipped = 0;

function check(what, command, args, env = {}) {
  console.error(`• ${what}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  return status === 0;
}

/** One program each, and mostly one core: two at a time. What they say comes in this order. */
const checks = [
  ['types', 'npm', ['run', '--silent', 'typecheck']],
  ['lint', bin('eslint'), ['.']],
  ['layers', 'npm', ['run', '--silent', 'layers']],
  ['unused code', 'npm', ['run', '--silent', 'unused']],
  ['format', bin('oxfmt'), ['--check', '.']],
].map(([what, command, args]) => ({ what, run: () => promisify(execFile)(command, args, { cwd: root, maxBuffer: 64 << 20 }) }));
console.error(`• ${checks.map(({ what }) => what).join(', ')}`);
const outcomes = await pMap(
  checks,
  ({ run }) =>
    run().then(
      () => undefined,
      (error) => error,
    ),
  { concurrency: 2 },
);
for (const [n, { what }] of checks.entries()) {
  if (outcomes[n] === undefined) passed++;
  else {
    failed++;
    process.stderr.write(`✘ ${what}\n${outcomes[n].stdout ?? ''}${outcomes[n].stderr || outcomes[n].message}\n`);
  }
}

const report = join(root, '.cache', 'test-report.json');
mkdirSync(join(root, '.cache'), { recursive: true });
rmSync(report, { force: true });
if (!process.env.HALCYON_UPSTREAM_DIR)
  console.error('• upstream tests are skipped: HALCYON_UPSTREAM_DIR does not name the clones of haskell-on-heroku, halcyon and bashmenot');
if (!process.env.HEROKU_API_SCHEMA)
  console.error("• the local Heroku's answers are not checked against Heroku's schema: HEROKU_API_SCHEMA does not name it");
const ran = check(
  'tests',
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
);
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped += result.numPendingTests + result.numTodoTests;
  // A file that does not load has no test to count, but has failed all the same.
  const unloaded = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  failed += unloaded;
  if (!ran && result.numFailedTests + unloaded === 0) failed++;
} catch {
  failed++;
}

console.error(`• took ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
