import { createHash, createHmac } from 'node:crypto';
import type { KeyPair } from '../contract/index.js';

/** A request to S3 before it is signed: path style, and written as it goes over the wire. */
export interface UnsignedRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Host, or host:port. */
  readonly host: string;
  /** `/bucket/key` or `/bucket/`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** `content-md5` and `x-amz-acl` of an upload; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Headers to send, `host` included. */
export type SignedHeaders = Record<string, string>;

/**
 * Signature Version 2 in the Authorization header, as Halcyon signs.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 */
export function signV2(request: UnsignedRequest, key: KeyPair, now: Date): SignedHeaders {
  const date = now.toUTCString().replace('GMT', '+0000');
  const amz = Object.entries(request.headers)
    .filter(([name]) => name.startsWith('x-amz-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
  const text = `${request.method}\n${request.headers['content-md5'] ?? ''}\n\n${date}\n${amz}${request.path}`;
  const signature = createHmac('sha1', key.secretAccessKey).update(text).digest('base64');
  return { host: request.host, date, ...request.headers, authorization: `AWS ${key.accessKeyId}:${signature}` };
}

/** Signature Version 4 of the same request, as the SigV4 buildpack re-signs it: body hashed, `content-md5` and `x-amz-*` signed. */
export async function signV4(request: UnsignedRequest, key: KeyPair, region: string, now: Date): Promise<SignedHeaders> {
  const [{ SignatureV4 }, { Hash }] = await Promise.all([import('@smithy/signature-v4'), import('@smithy/hash-node')]);
  const sha256 = Hash.bind(null, 'sha256');
  const signer = new SignatureV4({ service: 's3', region, credentials: key, sha256, uriEscapePath: false });
  const payload = createHash('sha256')
    .update(request.body ?? '')
    .digest('hex');
  const [hostname, port] = request.host.split(':');
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'https:',
      hostname: hostname!,
      port: port === undefined ? undefined : Number(port),
      path: request.path,
      query: { ...request.query },
      headers: { host: request.host, ...request.headers, 'x-amz-content-sha256': payload },
      body: request.body,
    },
    { signingDate: now },
  );
  return signed.headers;
}
