import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installKey, installTree, labelOf, platformOf, sourceHash, sourceTree, type Install } from '../../lib/smoke/archive.js';
import { tarball, type FileSpec } from '../../lib/tarball.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'archive-'));
});
afterEach(() => rm(dir, { recursive: true }));

const name = 'halcyon-smoke-abcdefgh';
const install: Install = { platform: 'linux-ubuntu-24.04-x86_64', ghc: '7.8.4', label: labelOf(name), hash: 'a'.repeat(40) };

async function write(files: Record<string, FileSpec>): Promise<void> {
  for (const [path, { content }] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

test.each([
  ['heroku-22', 'linux-ubuntu-22.04-x86_64'],
  ['heroku-24', 'linux-ubuntu-24.04-x86_64'],
  ['heroku-26', 'linux-ubuntu-26.04-x86_64'],
  ['container', undefined],
])('platform of %s', (stack, platform) => expect(platformOf(stack)).toBe(platform));

describe('source tree', () => {
  test('hashes as the tools on a stack do', async () => {
    const tree = sourceTree(name, 'n0nce');
    await write(tree);
    // What a build computes, with openssl and sort themselves.
    const pipeline = "find . -type f -exec openssl sha1 {} ';' | sort -V | openssl sha1 | sed 's/^.* //'";
    for (const LC_ALL of ['C', 'C.UTF-8']) {
      const hash = execFileSync('bash', ['-c', pipeline], { cwd: dir, env: { ...process.env, LC_ALL } })
        .toString()
        .trim();
      expect(sourceHash(tree)).toBe(hash);
    }
  });

  test('another nonce is another hash', () => {
    expect(sourceHash(sourceTree(name, 'one'))).not.toBe(sourceHash(sourceTree(name, 'two')));
  });

  test('has what Halcyon looks for', () => {
    const cabal = sourceTree(name, 'n')[`${name}.cabal`]?.content ?? '';
    expect(cabal.match(/^ *[Nn]ame:.*$/gm)).toEqual([`name:          ${name}`]);
    expect(cabal.match(/^ *[Vv]ersion:.*$/gm)).toEqual(['version:       1.0']);
    expect(cabal).toContain(`executable ${name}\n`);
  });
});

describe('install archive', () => {
  test('lies where builds look', () => {
    expect(installKey({ ...install, hash: '0123456789abcdef' })).toBe(
      `linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-0123456-${name}-1.0.tar.gz`,
    );
  });

  test('its tag has fifteen fields', () => {
    const tag = installTree(install, name, 'n')['.halcyon-tag']?.content ?? '';
    expect(tag.trimEnd().length).toBeLessThan(tag.length);
    expect(tag.replace('\n', '').split('\t')).toEqual([
      '1',
      install.platform,
      '/app',
      '/app',
      `${name}-1.0`,
      install.hash,
      '',
      '',
      '7.8.4',
      '',
      '',
      '',
      '',
      '',
      '',
    ]);
  });

  test('unpacks with tar, executable and all', async () => {
    await writeFile(join(dir, 'a.tar.gz'), tarball(installTree(install, name, 'n0nce')));
    execFileSync('tar', ['-xpzf', 'a.tar.gz'], { cwd: dir });
    expect(await readFile(join(dir, 'app/.halcyon', install.label, 'executable'), 'utf8')).toBe(`${name}\n`);
    expect((await readFile(join(dir, 'app/.halcyon', install.label, 'data-dir'), 'utf8')).trim()).not.toBe('');
    execFileSync('test', ['-x', join(dir, 'app/bin', name)]);
  });

  test('is the same bytes every time', () => {
    const tree = installTree(install, name, 'n0nce');
    expect(tarball(tree).equals(tarball(tree))).toBe(true);
  });

  test('its executable serves the nonce on $PORT, request after request', async () => {
    await writeFile(join(dir, 'web'), installTree(install, name, 'n0nce')[`app/bin/${name}`]?.content ?? '', { mode: 0o755 });
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    const web = spawn(join(dir, 'web'), { env: { PATH: process.env.PATH, PORT: String(port) }, stdio: 'inherit' });
    try {
      const open = async (): Promise<string> => {
        for (;;) {
          const text = await fetch(`http://127.0.0.1:${port}/`).then(
            (answer) => answer.text(),
            () => undefined,
          );
          if (text !== undefined) return text;
          expect(web.exitCode).toBeNull();
          await new Promise((again) => setTimeout(again, 50));
        }
      };
      expect(await open()).toContain('n0nce');
      expect(await open()).toContain('n0nce');
    } finally {
      web.kill();
    }
  });
});
