import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tar from 'tar';

const run = promisify(execFile);
const standInSource = fileURLToPath(new URL('./haskell-on-heroku-stand-in/', import.meta.url));

/** The public address of haskell-on-heroku, which no build here goes out to. */
export const PUBLIC_URL = 'https://github.com/mietek/haskell-on-heroku';
const GIT_AUTHOR = { GIT_AUTHOR_NAME: 'sandbox', GIT_AUTHOR_EMAIL: 'sandbox@localhost', GIT_AUTHOR_DATE: '2019-01-01T00:00:00Z' };
const GIT_ENV = {
  ...GIT_AUTHOR,
  GIT_COMMITTER_NAME: 'sandbox',
  GIT_COMMITTER_EMAIL: 'sandbox@localhost',
  GIT_COMMITTER_DATE: '2019-01-01T00:00:00Z',
};

/** Fetches buildpacks: git repositories (`URL` or `URL#branch`) and tarballs, from anywhere; the public address by what stands for it. */
export class BuildpackSource {
  private standIn: Promise<string> | undefined;

  /**
   * @param upstreamDir - clones of haskell-on-heroku, halcyon and bashmenot, used in place of the stand-in.
   * @param caFile - PEM file of an authority that serves tarballs: the local AWS's.
   */
  constructor(
    private readonly dir: string,
    private readonly upstreamDir: string | undefined,
    private readonly caFile?: string,
  ) {}

  /** Put the buildpack at `url` into the directory `to`, which does not exist yet. */
  async fetch(url: string, to: string): Promise<void> {
    const [address = '', ref] = url.split('#');
    const real = address.replace(/(\.git)?\/?$/, '') === PUBLIC_URL ? await this.standsForPublic() : address;
    if (/\.(tgz|tar\.gz)(\?.*)?$/.test(real)) await fetchTarball(real, to, this.caFile);
    else await clone(real, ref, to);
  }

  private standsForPublic(): Promise<string> {
    if (this.upstreamDir !== undefined) return Promise.resolve(`file://${join(this.upstreamDir, 'haskell-on-heroku')}`);
    return (this.standIn ??= this.makeStandIn());
  }

  /** The buildpack is part of this repository, and a buildpack must be a repository of its own. */
  private async makeStandIn(): Promise<string> {
    const to = join(this.dir, 'stand-in');
    await cp(standInSource, to, { recursive: true });
    const git = (...args: string[]) =>
      run('git', ['-c', 'init.defaultBranch=master', '-C', to, ...args], { env: { ...process.env, ...GIT_ENV } });
    await git('init', '-q');
    await git('add', '--all');
    await git('commit', '-q', '--no-gpg-sign', '-m', 'Stand in for haskell-on-heroku');
    return `file://${to}`;
  }
}

async function clone(url: string, ref: string | undefined, to: string): Promise<void> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
  await run('git', ['clone', '-q', ...(ref === undefined ? [] : ['--branch', ref]), '--', url, to], { env, timeout: 60_000 });
}

async function fetchTarball(url: string, to: string, caFile: string | undefined): Promise<void> {
  const unpacked = `${to}.unpacked`;
  await mkdir(unpacked);
  const file = `${to}.tgz`;
  if (url.startsWith('file://')) await cp(fileURLToPath(url), file);
  else {
    const trust = caFile === undefined || new URL(url).hostname !== 'localhost' ? [] : ['--cacert', caFile];
    await run('curl', [
      '--disable',
      '--fail',
      '--silent',
      '--show-error',
      '--location',
      '--max-time',
      '60',
      ...trust,
      '--output',
      file,
      url,
    ]);
  }
  await tar.x({ file, cwd: unpacked, preserveOwner: false });
  await rename(await contentRoot(unpacked), to);
  await rm(unpacked, { recursive: true, force: true });
  await rm(file);
}

/** Tarballs made by code hosts wrap everything in one directory. */
export async function contentRoot(dir: string): Promise<string> {
  const entries = await readdir(dir, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() ? join(dir, only.name) : dir;
}
