import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../../sandbox/index.js';
import { requireShape } from '../../support/outputs.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Where the end-to-end suite runs: the endpoints of the environment where it names both, else a sandbox of its own. */
export interface Target {
  /** What aims any client at it. */
  readonly env: Record<string, string>;
  /** Undefined where the endpoints are someone else's: tests that need its log or its faults are skipped. */
  readonly sandbox?: Sandbox;
  stop(): Promise<void>;
}

const VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
  'HEROKU_HOST',
  'HEROKU_API_KEY',
];

export async function startTarget(): Promise<Target> {
  if (process.env.HALCYON_E2E === 'environment' || (process.env.AWS_ENDPOINT_URL && process.env.HEROKU_HOST)) {
    const env = Object.fromEntries(VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
    return { env, stop: async () => {} };
  }
  const { startSandbox } = await import('../../../sandbox/index.js');
  const sandbox = await startSandbox();
  return { env: sandbox.env, sandbox, stop: () => sandbox.stop() };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory with a halcyon.yaml in it, and the built CLI run there as a user would. */
export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'halcyon-e2e-'));
  /** All that was ever printed here, for the search for secrets. */
  printed = '';

  constructor(private readonly env: Record<string, string>) {}

  write(file: string): void {
    writeFileSync(join(this.dir, 'halcyon.yaml'), file);
  }

  /** @param options.onStart - is given the process, to interrupt it. */
  kit(
    args: readonly string[],
    options: { env?: Record<string, string>; onStart?: (child: ReturnType<typeof execFile>) => void } = {},
  ): Promise<Ran> {
    return new Promise((done, fail) => {
      const child = execFile(
        process.execPath,
        [join(root, 'dist/bin/halcyon-kit.js'), ...args],
        { cwd: this.dir, env: { PATH: process.env.PATH, HOME: this.dir, ...this.env, ...options.env }, maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          this.printed += stdout + stderr;
          try {
            if (args.includes('--json') && stdout !== '') requireShape(args, JSON.parse(stdout));
          } catch (wrong) {
            return fail(wrong as Error);
          }
          done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
        },
      );
      options.onStart?.(child);
    });
  }

  /** Runs it, and expects success. */
  async ok(args: readonly string[]): Promise<Ran> {
    const ran = await this.kit(args);
    if (ran.code !== 0) throw new Error(`halcyon-kit ${args.join(' ')} ended with ${ran.code}:\n${ran.stderr}\n${ran.stdout}`);
    return ran;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A part of a name that no other run uses. */
export const unique = (): string => randomBytes(3).toString('hex');
