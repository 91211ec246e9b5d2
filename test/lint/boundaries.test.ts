import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { default: config, FLOORS } = (await import(String(new URL('../../.dependency-cruiser.mjs', import.meta.url)))) as {
  default: { forbidden: Array<{ name: string }> };
  FLOORS: string[][];
};

/** Each rule broken on purpose: the file at fault, and what it imports. A folder's own rule is broken by importing the floor above. */
const BREAKS: ReadonlyArray<readonly [rule: string, file: string, imports: string]> = [
  ...FLOORS.flatMap((floor, at) =>
    floor.map((name) => [`downward-${name}`, `lib/${name}/up.ts`, `../${FLOORS[at + 1]?.[0] ?? 'index'}.js`] as const),
  ),
  ['downward-stacks', 'lib/stacks/sideways.ts', '../engine.js'],
  ['has-a-floor', 'lib/cellar/new.ts', '../errors.js'],
  ['no-cycle', 'lib/engine/a.ts', './b.js'],
  ['no-cycle', 'sandbox/a.ts', './b.js'],
  ['plans-are-pure', 'lib/engine/next.plan.ts', './run.client.js'],
  ['plans-are-pure', 'lib/engine/far.plan.ts', './between.js'],
  ['plans-are-pure', 'accept/fleet.plan.ts', './fleet.client.js'],
  ['lib-stands-alone', 'lib/cli/sandbox.ts', '../../sandbox/index.js'],
  ['lib-stands-alone', 'lib/cli/test.ts', '../../test/support.js'],
  ['lib-stands-alone', 'lib/cli/bin.ts', '../../bin/halcyon.js'],
  ['lib-stands-alone', 'lib/commands/accept.ts', '../../accept/program.js'],
  ['accept-on-lib', 'accept/sandbox.ts', '../sandbox/index.js'],
  ['accept-on-lib', 'accept/bin.ts', '../bin/halcyon.js'],
  ['page-is-plain', 'page/main.ts', '../lib/errors.js'],
  ['tests-are-not-imported', 'sandbox/main.ts', './test/support.js'],
  ['contract-is-plain', 'lib/contract/cdk.ts', 'aws-cdk-lib/core'],
  ['contract-is-plain', 'lib/contract/sdk.ts', '@aws-sdk/client-s3'],
  ['cdk-in-its-place', 'lib/commands/cdk.ts', 'constructs'],
  ['cdk-in-its-place', 'accept/cdk.ts', 'constructs'],
  ['leads-somewhere', 'lib/io/nowhere.ts', './nothing.js'],
];

/** The other half of what takes two files. */
const HELPERS: Readonly<Record<string, string>> = {
  'lib/engine/b.ts': `import type { x } from './a.js'; export type y = typeof x;`,
  'sandbox/b.ts': `export const later = () => import('./a.js');`,
  'lib/engine/between.ts': `export * from './run.client.js';`,
  'lib/stacks/downward.ts': `import '../config.js'; import '../error-codes.js'; import 'constructs';`,
};

let dir = '';
let violations: Array<{ from: string; rule: { name: string } }> = [];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'halcyon-floors-'));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  const folders = FLOORS.flat().map((name) => `lib/${name}.ts`);
  for (const file of [...folders, 'lib/index.ts', 'lib/engine/run.client.ts', 'sandbox/index.ts', 'sandbox/test/support.ts'])
    write(file, 'export const x = 1;');
  for (const file of ['test/support.ts', 'bin/halcyon.ts', 'accept/program.ts', 'accept/fleet.client.ts'])
    write(file, 'export const x = 1;');
  for (const name of ['aws-cdk-lib/core', 'constructs', '@aws-sdk/client-s3']) write(`node_modules/${name}/index.js`, 'exports.x = 1;');
  for (const [, file, imports] of BREAKS) write(file, `import { x } from '${imports}'; export const y = x;`);
  for (const [file, text] of Object.entries(HELPERS)) write(file, text);
  write('tsconfig.json', '{ "compilerOptions": { "module": "NodeNext", "moduleResolution": "NodeNext" } }');
  const cruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [
    cruise,
    'lib',
    'accept',
    'page',
    'bin',
    'sandbox',
    'test',
    '--config',
    join(root, '.dependency-cruiser.mjs'),
    '--output-type',
    'json',
  ];
  const out = execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 26 });
  violations = (JSON.parse(out) as { summary: { violations: typeof violations } }).summary.violations;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the linter refuses', () => {
  test.each(BREAKS)('%s: %s importing %s', (rule, file) => {
    expect(violations.filter(({ from }) => from === file).map(({ rule }) => rule.name)).toContain(rule);
  });

  test('each rule, shown above', () => {
    expect(new Set(BREAKS.map(([rule]) => rule))).toEqual(new Set(config.forbidden.map(({ name }) => name)));
  });
});

test('and lets pass what imports downward', () => {
  expect(violations.filter(({ from }) => from === 'lib/stacks/downward.ts')).toEqual([]);
});

test('every folder of lib/ is there, on one floor', () => {
  const there = readdirSync(join(root, 'lib')).map((name) => name.replace(/\.ts$/, ''));
  expect(FLOORS.flat().sort()).toEqual(there.filter((name) => name !== 'index').sort());
});
