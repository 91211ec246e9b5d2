import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request, type Agent } from 'node:https';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { domainOf, partitionOf } from '../../../lib/config/regions.js';
import { KitError } from '../../../lib/errors.js';
import type { Certificates } from './certificates.js';

const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), 'launch.py');
const READY_MS = 60_000;

export interface MiniStackOptions {
  readonly python: string;
  readonly account: string;
  readonly region: string;
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly certificates: Certificates;
  /** Private scratch directory: removed when this process ends. */
  readonly directory: string;
  /** Where Lambda functions find AWS: the front. */
  readonly endpointUrl: string;
  readonly agent: Agent;
  /** As installed, without `additions`. */
  readonly bare?: boolean;
}

export interface MiniStack {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Start MiniStack on a free loopback port. It ends with this process, however that ends.
 * @throws KitError `ministack-failed` with the last lines it wrote.
 */
export async function startMiniStack(options: MiniStackOptions): Promise<MiniStack> {
  const logFile = join(options.directory, 'ministack.log');
  const child = spawn(options.python, ['-u', LAUNCHER, options.directory], {
    env: environment(options),
    cwd: options.directory,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C on a terminal reaches us alone, so that we stop it in order
  });
  child.stderr.pipe(createWriteStream(logFile));
  child.stdin.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const failed = exited.then(async () => {
    const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' | ');
    throw new KitError('ministack-failed', `MiniStack ended before it was ready: ${tail || 'no output'}`);
  });
  failed.catch(() => undefined);
  const stop = async (): Promise<void> => {
    child.stdin.destroy();
    const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await exited;
    clearTimeout(timer);
  };
  try {
    const lines = createInterface(child.stdout);
    const [first] = (await Promise.race([once(lines, 'line'), failed])) as [string];
    child.stdout.resume();
    const port = Number(first);
    await Promise.race([untilHealthy(port, options.agent), failed]);
    child.unref();
    return { port, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nothing is inherited but what a program needs to run: no credentials or endpoints of the real AWS, no Docker to tidy up in. */
function environment(options: MiniStackOptions): NodeJS.ProcessEnv {
  const { PATH, LANG, SYSTEMROOT } = process.env;
  return {
    PATH,
    LANG,
    SYSTEMROOT,
    HOME: options.directory,
    TMPDIR: options.directory,
    AUTH: 'true',
    MINISTACK_ACCOUNT_ID: options.account,
    MINISTACK_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_ACCESS_KEY_ID: options.rootKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: options.rootKey.secretAccessKey,
    USE_SSL: '1',
    MINISTACK_SSL_CERT: options.certificates.certFile,
    MINISTACK_SSL_KEY: options.certificates.keyFile,
    AWS_ENDPOINT_URL: options.endpointUrl,
    NODE_EXTRA_CA_CERTS: options.certificates.caFile,
    AWS_CA_BUNDLE: options.certificates.bundleFile,
    LOG_LEVEL: 'WARNING',
    SANDBOX_BARE: options.bare ? '1' : undefined,
    SANDBOX_PARTITION: partitionOf(options.region),
    SANDBOX_DOMAIN: domainOf(options.region),
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    DOCKER_HOST: `unix://${options.directory}/no-docker.sock`,
    PYTHONDONTWRITEBYTECODE: undefined,
  };
}

async function untilHealthy(port: number, agent: Agent): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if (await isHealthy(port, agent)) return;
    if (Date.now() > deadline) throw new KitError('ministack-failed', `MiniStack did not become ready within ${READY_MS / 1000} s`);
    await sleep(20);
  }
}

const isHealthy = (port: number, agent: Agent): Promise<boolean> =>
  new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path: '/_ministack/health', agent }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
