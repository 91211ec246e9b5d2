import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { LocalAws } from '../../sandbox/aws/index.js';
import { send, sigv2, type Key, type RawAnswer } from '../../sandbox/test/support/clients.js';

type SourceData = string | ArrayBuffer | ArrayBufferView;

class Sha256 {
  private readonly hash: Hash | Hmac;
  constructor(secret?: SourceData) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }
  update(data: SourceData): void {
    this.hash.update(data as Uint8Array);
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }
  reset(): void {}
}

export interface StorageRequest {
  /** Signature version; 0 sends none. */
  readonly signature: 0 | 2 | 4;
  readonly region: string;
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'HEAD';
  readonly bucket: string;
  /** Object key; default: the bucket itself. */
  readonly object?: string;
  /** Lists the bucket under it. */
  readonly prefix?: string;
  readonly acl?: string;
}

/** One of the four storage requests (path style, an ACL on uploads), signed as `key` with either version. */
export async function storageRequest(aws: LocalAws, key: Key, request: StorageRequest): Promise<RawAnswer> {
  const { method, acl } = request;
  const path = `/${request.bucket}/${request.object ?? ''}`;
  const query: Record<string, string> = request.prefix === undefined ? {} : { prefix: request.prefix };
  const body = method === 'PUT' ? 'prebuilt' : undefined;
  const md5 = body === undefined ? undefined : createHash('md5').update(body).digest('base64');
  const target = request.prefix === undefined ? path : `${path}?prefix=${encodeURIComponent(request.prefix)}`;
  const plain: Record<string, string> = {
    ...(acl === undefined ? {} : { 'x-amz-acl': acl }),
    ...(md5 === undefined ? {} : { 'Content-MD5': md5 }),
  };
  // The resource that version 2 signs has no query.
  if (request.signature === 2) return send(aws, { method, path: target, body, headers: sigv2(key, method, path, { acl, md5 }) });
  if (request.signature === 0) return send(aws, { method, path: target, body, headers: plain });
  const signer = new SignatureV4({ service: 's3', region: request.region, credentials: key, sha256: Sha256, uriEscapePath: false });
  const { hostname, port, host } = new URL(aws.url);
  const signed = await signer.sign({
    method,
    protocol: 'https:',
    hostname,
    port: Number(port),
    path,
    query,
    headers: { host, ...plain },
    body,
  });
  return send(aws, { method, path: target, body, headers: signed.headers });
}
