import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export const buildpackDir = fileURLToPath(new URL('../../../buildpack', import.meta.url));
const shim = `${buildpackDir}/shim/curl`;

/** AWS's published example key. */
export const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
/** A signature as Halcyon makes it. */
export const V2 = `Authorization: AWS ${KEY.id}:frJIUN8DYpKDtOLCwo//yllqDzg=`;

/** What Halcyon's process has in its environment, and little else. */
export const halcyonEnv = (over: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: `${buildpackDir}/shim:${process.env.PATH}`,
  HALCYON_AWS_ACCESS_KEY_ID: KEY.id,
  HALCYON_AWS_SECRET_ACCESS_KEY: KEY.secret,
  HALCYON_S3_REGION: 'eu-west-1',
  ...over,
});

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: Buffer | string } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { env: options.env ?? halcyonEnv(), cwd: options.cwd, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.stdin.on('error', () => {}); // it need not read
    child.stdin.end(options.input ?? '');
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Run `script` in a shell that has the shim's functions. */
export function inShim(script: string, args: readonly string[] = []): Promise<string> {
  return new Promise((resolve, reject) => {
    const argv = ['--norc', '-p', '-c', `source "$1"; shift; ${script}`, 'test', shim, ...args];
    execFile('/bin/bash', argv, { env: { ...halcyonEnv(), LC_ALL: 'C' } }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

/** A request as it came over the wire. */
export interface Wire {
  readonly method: string;
  readonly target: string;
  /** Lower case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export interface Server {
  readonly port: number;
  readonly requests: Wire[];
  close(): Promise<void>;
}

async function readWire(request: IncomingMessage): Promise<Wire> {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  // A header sent twice counts as its values joined by a comma alone (SigV4, "canonical headers").
  const headers = Object.fromEntries(Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]));
  return { method: request.method ?? '', target: request.url ?? '', headers, bytes };
}

/** A server on loopback that keeps every request; `answer` decides what it says (default: 200 `ok`). */
export async function startServer(
  answer: (wire: Wire, ...args: Parameters<RequestListener>) => void = (_w, _q, s) => s.end('ok'),
): Promise<Server> {
  const requests: Wire[] = [];
  const server = createServer((request, response) => {
    void readWire(request).then((wire) => {
      requests.push(wire);
      answer(wire, request, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
