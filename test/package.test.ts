import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareApi } from '../script/api-report.js';
import { installPacked, type Packed } from '../script/packed.js';

/** What is packed, in an empty project: no network, and of node_modules only what package.json declares. */
const tsc = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url));
// aws-cdk-lib's own declarations are not checked: that takes most of a minute.
const STRICT = [tsc, '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node'];

const USE = `
import { App, Stack } from 'aws-cdk-lib/core';
import { HalcyonBucket, HalcyonUser, KitError, type IHalcyonBucket } from 'halcyon-kit';

const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'packages');
const bucket: IHalcyonBucket = HalcyonBucket.fromName(stack, 'Packages', { bucketName: 'packages' });
console.log(new HalcyonUser(stack, 'Builder', { bucket, team: 'payments', access: 'upload' }).principal.access);
try {
  // @ts-expect-error: the types are there, and not any
  new HalcyonUser(stack, 'Other', { bucket, team: 'payments', access: 'everything' });
} catch (error) {
  console.log(error instanceof KitError && error.code);
}
`;

let packed: Packed;
const node = (...args: string[]): string => {
  try {
    return execFileSync(process.execPath, args, { cwd: packed.project, encoding: 'utf8' });
  } catch (error) {
    throw new Error(String((error as { stdout?: string }).stdout) + String(error));
  }
};

beforeAll(() => {
  packed = installPacked(['@types/node']);
  for (const name of ['use.mts', 'use.cts']) writeFileSync(join(packed.project, name), USE);
}, 180_000);
afterAll(() => rmSync(packed.directory, { recursive: true, force: true }));

test('the CDK is the app’s own, so that there is one, and its types are the constructs’', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(packed.installed, 'package.json'), 'utf8')) as Record<
    string,
    object
  >;
  expect(Object.keys(peerDependencies ?? {})).toEqual(['aws-cdk-lib', 'constructs']);
  for (const name of Object.keys(peerDependencies ?? {})) expect(dependencies).not.toHaveProperty(name);
});

test('import and require of it compile under nodenext, and run', { timeout: 180_000 }, () => {
  node(...STRICT, '--module', 'nodenext', 'use.mts', 'use.cts');
  for (const name of ['use.mjs', 'use.cjs']) expect(node(name), name).toBe('upload\ninvalid-prop\n');
});

test('its types resolve for a bundler', { timeout: 180_000 }, () => {
  node(...STRICT, '--module', 'preserve', '--noEmit', 'use.mts', 'use.cts');
});

test('its command line starts', () => {
  expect(node(join(packed.installed, 'dist/bin/halcyon-kit.js'), '--help')).toContain('rotate');
});

test('what it offers is what docs/halcyon-kit.api.md says: else `npm run api`, and read what changed', { timeout: 180_000 }, () => {
  const { changed, said } = compareApi(packed.source, { write: false });
  expect(changed, said.join('\n')).toBe(false);
});

test('without the CDK the kit and its CDK app say in a sentence what to install', () => {
  for (const name of ['aws-cdk-lib', 'constructs']) rmSync(join(packed.project, 'node_modules', name));
  writeFileSync(join(packed.project, 'halcyon.yaml'), 'teams: { acme: { apps: { acme-lab: { mode: public } } } }\n');
  const deployer = join(packed.installed, 'dist/lib/deploy/deploy.client.js');
  const use = `const { createDeployer } = await import(${JSON.stringify(deployer)});
createDeployer({ network: { time: { offset: 0 } }, config: {} }).catch(({ code, message }) => console.error(\`\${code}: \${message}\`));`;
  const said = (...args: string[]) => spawnSync(process.execPath, args, { cwd: packed.project, encoding: 'utf8' }).stderr;
  const why = 'stacks are made by the AWS CDK; install aws-cdk-lib and constructs beside halcyon-kit\n';
  expect(said(join(packed.installed, 'dist/bin/halcyon.js'))).toBe(why);
  expect(said('--input-type=module', '-e', use)).toBe(`synth-failed: ${why}`);
});
