import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { domainOf } from '../../../lib/config/regions.js';
import { REGIONS } from '../regions.js';

export interface Certificates {
  /** The sandbox's own authority alone: for NODE_EXTRA_CA_CERTS, which adds to what Node trusts. */
  readonly caFile: string;
  /** The same and every public authority: for variables that replace the store, so that clients reach the internet as well. */
  readonly bundleFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Real host names too, so that a client can be pointed here under them (`curl --connect-to`); `s3.REGION.localhost` needs no pointing. */
const hostNames = (): string[] => [
  'localhost',
  '*.localhost',
  's3.localhost',
  's3.amazonaws.com',
  '*.s3.amazonaws.com',
  ...REGIONS.flatMap((region) => [
    `s3.${region}.localhost`,
    `s3.${region}.${domainOf(region)}`,
    `*.s3.${region}.${domainOf(region)}`,
    `s3.dualstack.${region}.${domainOf(region)}`,
  ]),
];

const DAY = 24 * 3600 * 1000;

/** Make an authority and a server certificate signed by it, for localhost and 127.0.0.1, in `directory`. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const validity = { notBeforeDate: new Date(Date.now() - DAY), notAfterDate: new Date(Date.now() + 365 * DAY) };
  const authority = await generate([{ name: 'commonName', value: 'Halcyon kit sandbox' }], {
    ...validity,
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...validity,
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...hostNames().map((value) => ({ type: 2 as const, value })), { type: 7 as const, ip: '127.0.0.1' }],
      },
    ],
  });
  const file = (name: string) => join(directory, name);
  const result: Certificates = {
    caFile: file('ca.pem'),
    bundleFile: file('ca-bundle.pem'),
    certFile: file('server.pem'),
    keyFile: file('server.key'),
    ca: authority.cert,
    cert: server.cert,
    key: server.private,
  };
  await Promise.all([
    writeFile(result.caFile, result.ca),
    writeFile(result.bundleFile, bundle(result.ca)),
    writeFile(result.certFile, result.cert),
    writeFile(result.keyFile, result.key, { mode: 0o600 }),
  ]);
  return result;
}

/** `ca`, the public authorities Node knows, and those of a bundle the environment names already (a company's own, say). */
function bundle(ca: string): string {
  const named = [process.env.CURL_CA_BUNDLE, process.env.SSL_CERT_FILE, process.env.NODE_EXTRA_CA_CERTS];
  const own = named.find((path): path is string => path !== undefined && existsSync(path));
  const extra =
    own === undefined ? [] : (readFileSync(own, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
  const seen = new Set<string>();
  const distinct = [ca, ...rootCertificates, ...extra].filter((pem) => {
    const id = pem.replace(/\s/g, '');
    return !seen.has(id) && seen.add(id);
  });
  return distinct.map((pem) => `${pem.trim()}\n`).join('');
}
