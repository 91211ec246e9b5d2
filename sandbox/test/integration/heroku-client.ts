import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as tar from 'tar';
import type { LocalHeroku } from '../../heroku/index.js';

/* A client of the local Heroku made of fetch and nothing else, so that a test sees just what goes over the wire. */

export const V3 = 'application/vnd.heroku+json; version=3';
export type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

export interface Answer<T = Json> {
  status: number;
  headers: Headers;
  json: T;
}

export async function call<T = Json>(
  heroku: LocalHeroku,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const response = await fetch(`${heroku.url}${path}`, {
    method,
    headers: {
      Accept: V3,
      Authorization: `Bearer ${heroku.token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: (text === '' ? {} : JSON.parse(text)) as T };
}

/** As {@link call}, and the answer has to be a success. */
export async function ok<T = Json>(heroku: LocalHeroku, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await call<T>(heroku, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
  return answer.json;
}

/** Ask until `done`, at most half a minute. */
export async function until<T>(ask: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (done(value)) return value;
    if (Date.now() > deadline) throw new Error(`still not so: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Files, by path; executable where they begin with `#!`. */
export type Files = Record<string, string>;

function writeFiles(dir: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    if (content.startsWith('#!')) chmodSync(file, 0o755);
  }
}

export async function tarball(files: Files): Promise<Buffer> {
  const dir = mkdtempSync(join(tmpdir(), 'heroku-test-'));
  writeFiles(dir, files);
  const file = `${dir}.tgz`;
  await tar.c({ file, cwd: dir, gzip: true, portable: true }, ['.']);
  const { readFileSync } = await import('node:fs');
  return readFileSync(file);
}

/** A buildpack as a git repository; its URL. */
export function gitBuildpack(files: Files): string {
  const dir = mkdtempSync(join(tmpdir(), 'heroku-buildpack-'));
  writeFiles(dir, files);
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'buildpack');
  return `file://${dir}`;
}

export async function upload(heroku: LocalHeroku, source: Buffer): Promise<string> {
  const { source_blob: blob } = await ok(heroku, 'POST', '/sources');
  const put = await fetch(blob.put_url, { method: 'PUT', body: new Uint8Array(source), headers: { 'Content-Type': '' } });
  if (put.status !== 200) throw new Error(`upload: ${put.status}`);
  return blob.get_url as string;
}

export const sha256 = (bytes: Buffer): string => `SHA256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Build `files` on `app` to the end; the build and its whole output. */
export async function build(heroku: LocalHeroku, app: string, files: Files, extra: Json = {}): Promise<{ build: Json; output: string }> {
  const bytes = await tarball(files);
  const { blob, ...rest } = extra;
  const started = await ok(heroku, 'POST', `/apps/${app}/builds`, { source_blob: { url: await upload(heroku, bytes), ...blob }, ...rest });
  const output = (await (await fetch(started.output_stream_url)).text()).replaceAll('\0', '');
  const ended = await until(
    () => ok(heroku, 'GET', `/apps/${app}/builds/${started.id}`),
    (one) => one.status !== 'pending',
  );
  return { build: ended, output };
}

/** Run a command on a one-off dyno to its end; what its log says. */
export async function runDyno(
  heroku: LocalHeroku,
  app: string,
  command: string,
  extra: Json = {},
): Promise<{ dyno: Json; lines: string[] }> {
  const dyno = await ok(heroku, 'POST', `/apps/${app}/dynos`, { command, ...extra });
  const lines = await until(
    async () => {
      const session = await ok(heroku, 'POST', `/apps/${app}/log-sessions`, { dyno: dyno.name, lines: 1500 });
      return (await (await fetch(session.logplex_url)).text()).split('\n').slice(0, -1);
    },
    (all) => all.some((line) => line.includes('Process exited with status')),
  );
  return { dyno, lines };
}
