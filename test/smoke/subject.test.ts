import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App, BucketSpec, KitConfig, Team } from '../../lib/config/model.js';
import { packSource } from '../../lib/smoke/build.client.js';
import { otherPrefixes, subjectsOf } from '../../lib/smoke/subject.js';

const app = (name: string, mode: App['mode'], more: Partial<App> = {}): App => ({
  name,
  mode,
  clean: true,
  publicStorage: 'never',
  canary: false,
  ...more,
});
const team = (name: string, apps: App[], prefix?: string, bucket = 'b'): Team => ({
  name,
  bucket: { kind: 'shared', shared: 's', spec: { name: bucket } as BucketSpec, ...(prefix ? { prefix } : {}) },
  heroku: {},
  credentials: 'per-mode',
  publicStorage: 'never',
  tags: {},
  apps,
});

describe('subjectsOf', () => {
  const payments = team('payments', [
    app('one', 'upload'),
    app('two', 'upload', { canary: true }),
    app('three', 'upload', { clean: false }),
    app('four', 'read-only'),
    app('five', 'public'),
  ]);
  test('one of each mode and access, canaries first', () => {
    expect(subjectsOf(payments).map(({ app, access }) => `${app.name} ${access}`)).toEqual([
      'two upload',
      'three append-only',
      'four read-only',
      'five undefined',
    ]);
  });
  test('only the modes asked for', () => {
    expect(subjectsOf(payments, { modes: ['public'] }).map(({ app }) => app.name)).toEqual(['five']);
  });
  test('the one app asked for', () => {
    expect(subjectsOf(payments, { app: 'one' }).map(({ app }) => app.name)).toEqual(['one']);
    expect(() => subjectsOf(payments, { app: 'six' })).toThrow(expect.objectContaining({ code: 'app-not-in-team' }));
  });
});

test('otherPrefixes: other prefixes of the same bucket, none above or below', () => {
  const teams = [team('a', [], 'a'), team('b', [], 'b'), team('a-sub', [], 'a/sub'), team('else', [], 'c', 'other'), team('whole', [])];
  const config = { teams } as unknown as KitConfig;
  expect(otherPrefixes(config, teams[0] as Team)).toEqual(['b']);
  expect(otherPrefixes(config, teams[4] as Team)).toEqual([]);
});

describe('packSource', () => {
  test('packs a directory without version control and build leavings', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'source-'));
    try {
      for (const sub of ['.git', 'src', 'dist']) await mkdir(join(dir, sub));
      for (const file of ['.git/HEAD', 'src/Main.hs', 'dist/x', 'app.cabal', '.ghci']) await writeFile(join(dir, file), file);
      const listed = execFileSync('tar', ['-tz'], { input: await packSource(dir) })
        .toString()
        .split('\n')
        .filter((path) => path !== '' && !path.endsWith('/'));
      expect(listed.map((path) => path.replace(/^\.\//, '')).sort()).toEqual(['.ghci', 'app.cabal', 'src/Main.hs']);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('says what is wrong with a directory that is none', async () => {
    await expect(packSource('/nowhere/at/all')).rejects.toMatchObject({ code: 'source-unusable' });
  });
});
