import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packBuildpack } from '../../lib/buildpack/pack.js';
import { buildpackDir, run } from './support/shim.js';
import { shellcheck } from './support/shellcheck.js';

const exec = promisify(execFile);
let dir: string;
const at = (...names: string[]) => join(dir, ...names);
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'compile-'));
  for (const name of ['buildpack', 'build', 'cache', 'env']) mkdirSync(at(name));
  writeFileSync(at('b.tgz'), (await packBuildpack()).tgz);
  await exec('tar', ['-xzf', at('b.tgz'), '-C', at('buildpack')]);
  writeFileSync(at('build/app.cabal'), 'name: app\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

const env = { PATH: process.env.PATH, HOME: '/app', LANG: 'C.UTF-8', STACK: 'heroku-24' };
const compile = () => run(at('buildpack/bin/compile'), [at('build'), at('cache'), at('env')], { env });

describe('as Heroku runs it', () => {
  test('detect takes any source, release adds nothing', async () => {
    expect(await run(at('buildpack/bin/detect'), [at('build')], { env })).toEqual({ code: 0, stdout: 'Halcyon SigV4\n', stderr: '' });
    expect(await run(at('buildpack/bin/release'), [at('build')], { env })).toEqual({ code: 0, stdout: '--- {}\n', stderr: '' });
  });

  test('compile says what it does; twice is as once', async () => {
    writeFileSync(at('env/HALCYON_S3_REGION'), 'eu-west-1');
    const first = await compile();
    expect(first).toEqual({
      code: 0,
      stdout: '-----> Signing S3 requests with Signature Version 4\n       Region: eu-west-1\n',
      stderr: '',
    });
    expect(await compile()).toEqual(first);
    rmSync(at('env/HALCYON_S3_REGION'));
    expect((await compile()).stdout).toContain('Region: as the endpoint says');
  });

  test('the buildpacks that follow find the shim through export', async () => {
    await compile();
    const { stdout } = await exec('bash', ['--norc', '-c', `source '${at('buildpack/export')}'; command -v curl; echo "$PATH"`], { env });
    expect(stdout).toBe(`${at('buildpack/shim/curl')}\n${at('buildpack/shim')}:${process.env.PATH}\n`);
  });

  test('dynos find it through .profile.d, wherever the slug is and after all other scripts there', async () => {
    await compile();
    writeFileSync(at('build/.profile.d/buildpack.sh'), 'export PATH="/elsewhere:$PATH"\n');
    const script = 'for script in "$HOME"/.profile.d/*.sh; do source "$script"; done; command -v curl';
    const { stdout } = await exec('bash', ['--norc', '-c', script], { env: { ...env, HOME: at('build') } });
    expect(stdout).toBe(`${at('build/.halcyon-sigv4/.ghc/curl')}\n`);
    expect(statSync(stdout.trim()).mode & 0o111).toBe(0o111);
    expect(readFileSync(stdout.trim())).toEqual(readFileSync(join(buildpackDir, 'shim/curl')));
  });

  test("adds nothing that Halcyon's source hash counts: regular files not below a .ghc", async () => {
    const count = () => exec('find', ['.', '-name', '.ghc', '-prune', '-o', '-type', 'f', '-print'], { cwd: at('build') });
    const { stdout: before } = await count();
    await compile();
    expect((await count()).stdout).toBe(before);
    expect(lstatSync(at('build/.profile.d/zz-halcyon-sigv4.sh')).isSymbolicLink()).toBe(true);
  });

  test('replaces what an older version left in the source', async () => {
    mkdirSync(at('build/.halcyon-sigv4/.ghc'), { recursive: true });
    writeFileSync(at('build/.halcyon-sigv4/.ghc/curl'), 'old');
    writeFileSync(at('build/.halcyon-sigv4/other'), 'old');
    await compile();
    expect(existsSync(at('build/.halcyon-sigv4/other'))).toBe(false);
    expect(readFileSync(at('build/.halcyon-sigv4/.ghc/curl'), 'utf8')).not.toBe('old');
  });

  test('a stack without curl is told so', async () => {
    const { code, stdout, stderr } = await run('/bin/bash', [at('buildpack/bin/compile'), at('build'), at('cache'), at('env')], {
      env: { ...env, PATH: at('bin') },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.not.stringContaining('Region') });
    expect(stderr).toContain('This stack has no curl');
  });
});

test('shellcheck has nothing to say', async () => {
  const scripts = ['bin/detect', 'bin/compile', 'bin/release', 'shim/curl', 'shim/profile.sh'].map((name) => join(buildpackDir, name));
  expect(await shellcheck(['--shell=bash', '--severity=style', ...scripts])).toBe('');
}, 120_000);
