import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSource } from '../../lib/prebuild/source.client.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'source-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (files: Record<string, string>) => Object.entries(files).forEach(([name, text]) => writeFileSync(join(dir, name), text));
const git = (...args: string[]) => execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
const commit = () => (git('init', '-q'), git('add', '.'), git('commit', '-q', '-m', 'first'));
const names = (tarball: Buffer) => execFileSync('tar', ['-tz'], { input: tarball }).toString().trim().split('\n');
const plain = { 'shop.cabal': 'name: shop\n', 'cabal.config': 'constraints: base ==4.7.0.2\n' };

test('a directory as it is, a commit as it was', async () => {
  write(plain);
  commit();
  write({ 'scratch.hs': 'not committed', 'cabal.config': 'constraints: base ==4.8\n' });
  const [now, then] = [await readSource(dir), await readSource(dir, 'HEAD')];
  expect(names(now.tarball)).toContain('./scratch.hs');
  expect(names(then.tarball)).toEqual(['cabal.config', 'shop.cabal']);
  expect([now, then].map(({ constraints }) => constraints?.get('base'))).toEqual(['4.8', '4.7.0.2']);
});

test.each([
  ['no .cabal file', { 'main.hs': '' }, undefined, /has no \.cabal file/],
  ['a release command', { ...plain, Procfile: 'web: bin/shop\nrelease: bin/migrate\n' }, undefined, /release command in its Procfile/],
  ['submodules in a commit', { ...plain, '.gitmodules': '' }, 'HEAD', /has submodules/],
  ['an unknown commit', plain, 'nosuch', /commit nosuch .* cannot be packed/],
  ['an option in place of a commit', plain, '--list', /cannot be packed/],
])('refused: %s', async (_, files, at, why) => {
  write(files);
  commit();
  await expect(readSource(dir, at)).rejects.toMatchObject({ code: 'source-unusable', message: expect.stringMatching(why) });
});
