import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificates } from '../../sandbox/aws/ministack/certificates.js';
import { buildpackDir, halcyonEnv, V2 } from './support/shim.js';

const MB = 1 << 20;
const SIZE = 200 * MB;

/** Peak resident bytes of a process and all below it, as far as they can be seen now. */
function peakOf(pid: number): number {
  let total = 0;
  try {
    const kib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    total = kib * 1024;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean))
        total += peakOf(Number(child));
    }
  } catch {
    // It has ended.
  }
  return total;
}

test.skipIf(!existsSync('/proc/self/status'))('an upload of 200 MB stays below 50 MB of memory, all processes together', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'memory-'));
  const { key, cert, caFile } = await makeCertificates(dir);
  let peak = 0;
  let received = 0;
  let child: ReturnType<typeof spawn> | undefined;
  const look = () => (peak = Math.max(peak, peakOf(child?.pid ?? 0)));
  const server = createServer({ key, cert }, (request, response) => {
    // Looked at as the body comes in: in the beginning, on the way and at its end.
    request.on('data', (chunk: Buffer) => {
      if (Math.floor(received / MB) !== Math.floor((received += chunk.length) / MB)) look();
    });
    request.on('end', () => response.end(request.headers['x-amz-content-sha256']));
  });
  try {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    writeFileSync(join(dir, 'large'), '');
    truncateSync(join(dir, 'large'), SIZE);
    const url = `https://localhost:${(server.address() as AddressInfo).port}/bucket/large`;
    const args = [url, '-sS', '--fail', '--cacert', caFile, '-H', V2, '--upload-file', join(dir, 'large')];
    const said = await new Promise<string>((resolve, reject) => {
      child = spawn(`${buildpackDir}/shim/curl`, args, { env: halcyonEnv() });
      let output = '';
      child.stdout?.on('data', (chunk) => (output += String(chunk)));
      child.on('error', reject).on('close', () => resolve(output));
    });
    expect({ said, received }).toEqual({ said: 'UNSIGNED-PAYLOAD', received: SIZE });
    expect(peak).toBeGreaterThan(MB);
    expect(peak).toBeLessThan(50 * MB);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
