import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const folders = (dir: string) =>
  readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [`${dir}/${entry.name}/`] : []));

test.each([
  ...folders('lib'),
  ...folders('sandbox').filter((dir) => !dir.includes('node_modules')),
  'accept/',
  'page/',
  'buildpack/',
  'script/',
  'test/',
])('%s has a line of its own', (folder) => {
  expect(page).toMatch(new RegExp(`^\\|[^|]*\\| \`${folder}\` +\\| \\S`, 'm'));
});

test.each(['docs/architecture.md', 'CONTRIBUTING.md'])('every path that %s names is there', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const paths = [...text.matchAll(/(?<![\w./-])(?:lib|accept|bin|sandbox|buildpack|script|test|examples|docs|schema)\/[\w./-]*\w/g)].map(
    ([path]) => path,
  );
  expect(paths.length).toBeGreaterThan(5);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

// The four that anyone should be able to find by the page alone.
test.each([
  ['lib/engine/plan/apps.plan.ts', 'first ${wave'],
  ['lib/storage/refusals.ts', "kind: 'sigv2-refused'"],
  ['lib/smoke/requests.plan.ts', 'upload with ACL ${acl}'],
  ['sandbox/aws/rules/two-keys.ts', 'QUOTA = 2'],
])('%s holds what the page says', (path, text) => {
  expect(page).toContain(`\`${path}\``);
  expect(readFileSync(join(root, path), 'utf8')).toContain(text);
});
