// The SigV4 buildpack's curl: what signing again costs a request beside plain curl, and what memory a large upload takes.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from '../../sandbox/aws/ministack/certificates.js';
import { median, run as spawn, sideBySide, type Figure } from './measure.js';

const SHIM = fileURLToPath(new URL('../../buildpack/shim', import.meta.url));
const LARGE_MB = 200;

export async function run(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-bench-'));
  const { key, cert, caFile } = await makeCertificates(dir);
  const server = createServer({ key, cert }, (request, response) => {
    request.resume().on('end', () => response.end());
  });
  try {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `https://localhost:${(server.address() as AddressInfo).port}/bucket/linux-ubuntu-24.04-x86_64/halcyon-ghc-7.8.4.tar.gz`;
    const args = [
      '-sS',
      '--fail',
      '--cacert',
      caFile,
      '--output',
      '/dev/null',
      '-H',
      'Authorization: AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl',
      url,
    ];
    const env = (path: string) => ({
      PATH: path,
      HALCYON_AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      HALCYON_AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      HALCYON_S3_REGION: 'eu-west-1',
    });
    const plain = { env: env(process.env.PATH ?? '') };
    const shimmed = { env: env(`${SHIM}${delimiter}${process.env.PATH}`) };
    const program = join(SHIM, 'curl');
    const signed = await sideBySide(
      15,
      () => spawn(program, args, shimmed),
      () => spawn('curl', args, plain),
    );
    const other = args.filter((arg) => !arg.startsWith('Authorization') && arg !== '-H');
    const passed = await sideBySide(
      15,
      () => spawn(program, other, shimmed),
      () => spawn('curl', other, plain),
    );
    const file = join(dir, 'large');
    writeFileSync(file, '');
    truncateSync(file, LARGE_MB << 20);
    const upload = await spawn(program, [...args, '--upload-file', file, '-H', 'Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=='], shimmed);
    const extra = (runs: typeof signed) => median(runs.a.map(({ ms }, i) => ms - (runs.b[i]?.ms ?? NaN)));
    return [
      {
        name: 'signing again, a request',
        value: extra(signed),
        unit: 'ms',
        aim: '< 60',
        note: `plain curl ${median(signed.b.map(({ ms }) => ms)).toFixed(0)} ms`,
      },
      { name: 'passing through, a request', value: extra(passed), unit: 'ms' },
      {
        name: `upload of ${LARGE_MB} MB, peak memory`,
        value: upload.peakMiB,
        unit: 'MiB',
        aim: '< 50',
        note: `${(upload.ms / 1000).toFixed(1)} s`,
      },
    ];
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  }
}
