import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Wire } from './wire.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** `engine-child.ts` as one file, beside the packages it needs, so that it starts fast. */
export async function bundleChild(): Promise<{ file: string; remove(): void }> {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const file = join(root, `node_modules/.cache/engine-child-${process.pid}.mjs`);
  const entry = join(root, 'test/engine/support/engine-child.ts');
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return { file, remove: () => rmSync(file, { force: true }) };
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown[]>;
  readonly output: () => string;
  /** Wait for something while it runs. */
  until(reached: () => Promise<boolean>): Promise<void>;
}

export function startChild(wire: Wire, file: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...wire.sandbox.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    process: child,
    ended: once(child, 'exit'),
    output: () => output,
    async until(reached) {
      while (!(await reached())) {
        if (child.exitCode !== null) throw new Error(`it ended too early: ${output}`);
        await sleep(100);
      }
    },
  };
}

/** Faults of the local AWS that have not hit yet. */
export function armed(wire: Wire): Promise<number> {
  const { url, caFile } = wire.sandbox.aws;
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/_sandbox/faults`, { ca: readFileSync(caFile) }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve((JSON.parse(body) as unknown[]).length));
    });
    asked.on('error', reject);
    asked.end();
  });
}
