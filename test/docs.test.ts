import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { addAccept } from '../accept/program.js';
import { createProgram } from '../lib/commands/program.js';
import { commandsPage } from '../script/commands.js';
import { anchorsOf, blocksOf, codeOf, invocationsIn, linesOf, linksOf, shown } from './support/markdown.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
const pages = ['README.md', 'CONTRIBUTING.md', 'sandbox/README.md', 'buildpack/README.md', ...docs.map((path) => `docs/${path}`)].sort();

const run = async () => {};
const program = () => addAccept(createProgram(run, '0.0.0'), run, '0.0.0');
const nested = (top = program()) => [top, ...top.commands, ...top.commands.flatMap(({ commands }) => commands)];

/** What the real program says against a command line; nothing runs. */
async function refusal(args: readonly string[], but: readonly string[] = []): Promise<string | undefined> {
  const fresh = program();
  for (const command of nested(fresh)) command.exitOverride().configureOutput({ writeErr() {}, writeOut() {} });
  try {
    await fresh.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return but.includes(error.code) ? undefined : error.message;
    throw error;
  }
}

describe.each(pages)('%s', (path) => {
  const page = read(path);

  test('every command line is one that the program takes', async () => {
    const refused = (shells: string[], ...but: string[]) =>
      Promise.all(shells.flatMap(invocationsIn).map(async (args) => [args.join(' '), await refusal(args, but)]));
    const written = [
      ...(await refused(blocksOf(page).map(({ text }) => text))),
      // A sentence may name a command without all that it wants.
      ...(await refused(codeOf(page), 'commander.missingArgument', 'commander.missingMandatoryOptionValue')),
    ];
    expect(written.filter(([, why]) => why !== undefined)).toEqual([]);
  });

  test('every npm script is there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...page.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('every link leads somewhere, and every anchor', () => {
    const broken = linksOf(page).filter((link) => {
      const [target = '', anchor] = link.split('#');
      const file = target === '' ? resolve(root, path) : resolve(root, path, '..', target);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(read(relative(root, file))).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test.each(['README.md', ...docs.filter((path) => !path.startsWith('adr/')).map((path) => `docs/${path}`)])(
  'every option that %s speaks of is one of the program',
  (path) => {
    const others = ['--help', '--require-approval'];
    const known = new Set([...others, ...nested().flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short]))]);
    const written = codeOf(read(path)).flatMap((code) => /^--[a-z-]+/.exec(code)?.[0] ?? []);
    expect(written.filter((option) => !known.has(option))).toEqual([]);
  },
);

test("the README's table has every command", () => {
  const named = codeOf(read('README.md'));
  const leaves = program().commands.flatMap((one) =>
    one.commands.length === 0 ? [one.name()] : one.commands.map((sub) => `${one.name()} ${sub.name()}`),
  );
  expect(leaves.filter((name) => !named.includes(name) && name !== 'version')).toEqual([]);
});

test('docs/commands.md is what `npm run commands` makes', async () => {
  expect(read('docs/commands.md')).toBe(await commandsPage());
});

test('docs/configuration.md speaks of every setting of the schema', () => {
  const settings = new Set<string>();
  JSON.parse(read('schema/halcyon.schema.json'), (key, value: unknown) => {
    if (key === 'properties') for (const name of Object.keys(value as object)) settings.add(name);
    return value;
  });
  const page = read('docs/configuration.md');
  expect(settings.size).toBeGreaterThan(40);
  expect([...settings].filter((name) => !new RegExp(`[\`. {]${name}\\b`).test(page))).toEqual([]);
});

describe('what reads the pages', () => {
  const page = 'See `halcyon-kit up` and [it](a.md#b-c).\n\n## One, `two` & three\n\n```sh\n# remark\nhalcyon-kit plan a # why\n\n```\n';

  test('finds blocks, code, links and anchors, and keeps them apart', () => {
    expect(blocksOf(page)).toEqual([
      { language: 'sh', heading: 'One, `two` & three', line: 5, text: '# remark\nhalcyon-kit plan a # why\n' },
    ]);
    expect([codeOf(page), linksOf(page), anchorsOf(page)]).toEqual([['halcyon-kit up', 'two'], ['a.md#b-c'], ['one-two--three']]);
    expect(linesOf(blocksOf(page)[0]?.text ?? '')).toEqual(['halcyon-kit plan a']);
  });

  test.each([
    ['a | halcyon-kit adopt --terraform -', [['adopt', '--terraform', '-']]],
    ['eval "$(halcyon-kit creds a --mode upload)"', [['creds', 'a', '--mode', 'upload']]],
    ['halcyon-kit policy operator > operator.json', [['policy', 'operator']]],
    ['credential_process = halcyon-kit creds a --json', [['creds', 'a', '--json']]],
    ['$ halcyon-kit up --all', [['up', '--all']]],
    ['npm ci && npm install --global .', []],
  ])('finds the commands in %s', (line, found) => expect(invocationsIn(line)).toEqual(found));

  test('and hears the program refuse', async () => {
    expect(await refusal(['up', '--nosuch'])).toContain("unknown option '--nosuch'");
    expect(await refusal(['statsu'])).toContain('unknown command');
  });

  test.each([
    ['a key AKIA… (active, 3 d old)', 'b  a key   AKIA0123456789ABCDEF (active, 12 s old)', true],
    ['✔ app: v4', '✔ app: v12', true],
    ['s3://…/lease.json since 2026-03-01T12:00:00.000Z', 's3://a/b/lease.json since 2027-01-01T00:00:00.001Z', true],
    ['2026-11-28T22:55:21  ann@laptop', '2027-01-02T03:04:05  root@vm', true],
    ['89 of 89 proofs', '88 of 89 proofs', false],
    ['a (b).', 'a b!', false],
  ])('an output shown as "%s" and seen as "%s"', (line, seen, same) => expect(shown(line).every((one) => one.test(seen))).toBe(same));
});
