import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { KEY, type Wire } from './shim.js';

class Sha256 {
  private readonly hash: Hash | Hmac;
  constructor(secret?: string | Uint8Array) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(data: Uint8Array): void {
    this.hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }
  reset(): void {}
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

export interface Claim {
  readonly keyId: string;
  readonly region: string;
  readonly signedHeaders: string[];
  readonly signature: string;
}

/** What a request's Authorization header claims; fails when it is not Signature Version 4. */
export function claimOf(wire: Wire): Claim {
  const match = AUTHORIZATION.exec(wire.headers.authorization ?? '');
  if (match === null) throw new Error(`not signed with version 4: ${wire.headers.authorization}`);
  return { keyId: match[1]!, region: match[3]!, signedHeaders: match[4]!.split(';'), signature: match[5]! };
}

/** The signature that the AWS SDK's own signer gives the same request: the one on the wire must equal it. */
export async function expectedSignature(wire: Wire): Promise<string> {
  const claim = claimOf(wire);
  const signer = new SignatureV4({
    service: 's3',
    region: claim.region,
    credentials: { accessKeyId: KEY.id, secretAccessKey: KEY.secret },
    sha256: Sha256 as never,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const [path, search] = split(wire.target);
  const headers = Object.fromEntries(claim.signedHeaders.map((name) => [name, wire.headers[name] ?? '']));
  const date = headers['x-amz-date']!.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const signed = await signer.sign(
    { method: wire.method, protocol: 'http:', hostname: headers['host']!, path, query: queryOf(search), headers },
    { signingDate: new Date(date) },
  );
  return claimOf({ ...wire, headers: signed.headers }).signature;
}

const split = (target: string): [string, string] => {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
};

function queryOf(search: string): Record<string, string | string[]> {
  const query: Record<string, string[]> = {};
  for (const pair of search.split('&').filter(Boolean)) {
    const [name = '', value = ''] = pair.split(/=(.*)/s).map(decodeURIComponent);
    (query[name] ??= []).push(value);
  }
  return query;
}
