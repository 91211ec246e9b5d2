import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { s3Endpoint } from '../config/derive.js';
import type { KitConfig, TeamBucket } from '../config/model.js';
import { registerSecret } from '../io/redaction.js';
import { bodyOf } from '../network/answers.js';
import { open, type Network } from '../network/network.js';
import { keyPrefix, type Acl, type KeyPair } from '../contract/index.js';
import { signV2, signV4, type SignedHeaders, type UnsignedRequest } from './signing.js';

/** A private bucket as an app sees it. */
export interface HalcyonStore {
  /** Host or host:port, without scheme: `HALCYON_S3_ENDPOINT`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Without slashes at its ends. */
  readonly prefix?: string;
  readonly acl: Acl;
  readonly signing: 2 | 4;
  readonly key: KeyPair;
}

/** A team's bucket as whoever holds `key` sees it. */
export const storeOf = (config: KitConfig, { spec, prefix }: TeamBucket, key: KeyPair): HalcyonStore => ({
  ...{ endpoint: s3Endpoint(config, spec), region: spec.region, bucket: spec.name, prefix, acl: spec.acl },
  ...{ signing: config.signing.version, key },
});

/** One of the four requests that Halcyon makes. Keys and prefixes are inside the store's own prefix. */
export type HalcyonRequest =
  | { readonly operation: 'download'; readonly key: string }
  | { readonly operation: 'list'; readonly prefix?: string }
  | { readonly operation: 'upload'; readonly key: string; readonly body: Buffer }
  | { readonly operation: 'delete'; readonly key: string };
export type Operation = HalcyonRequest['operation'];

/** What came of it: an answer, or no answer. Nothing is thrown but an abort. */
export interface Outcome {
  readonly operation: Operation;
  readonly status?: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly error?: S3Error;
  /** There was no answer: Node's error. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** How far S3's clock is ahead of this machine's, in milliseconds; to the second, less the way. */
  readonly clockAheadMs?: number;
}

/** What was asked for was done. */
export const isDone = ({ status = 0 }: Pick<Outcome, 'status'>): boolean => status >= 200 && status < 300;

export interface RequestOptions {
  readonly network: Network;
  readonly signal?: AbortSignal;
  /** Default 30,000 ms without a byte. */
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

/**
 * Make one of Halcyon's requests exactly as Halcyon makes it, once: path style, https, the key not encoded, the ACL on every upload;
 * redirects are not followed, since curl drops the signature on them.
 */
export async function halcyonRequest(store: HalcyonStore, request: HalcyonRequest, options: RequestOptions): Promise<Outcome> {
  registerSecret(store.key.secretAccessKey);
  const unsigned = unsignedRequest(store, request);
  const now = new Date((options.now ?? Date.now)());
  const headers = store.signing === 2 ? signV2(unsigned, store.key, now) : await signV4(unsigned, store.key, store.region, now);
  const outcome = await sendSigned(unsigned, headers, options);
  const at = Date.parse(outcome.headers.date ?? '');
  return {
    operation: request.operation,
    ...outcome,
    ...(Number.isNaN(at) ? {} : { clockAheadMs: at - now.getTime() }),
  };
}

/** Send a request as it was signed, and read what S3 says. */
export async function sendSigned(
  request: UnsignedRequest,
  headers: SignedHeaders,
  options: RequestOptions,
): Promise<Omit<Outcome, 'operation' | 'resource' | 'clockAheadMs'>> {
  const answer = await send(request, { ...headers, ...(request.body ? { 'content-length': String(request.body.length) } : {}) }, options);
  return answer.status !== undefined && answer.status >= 300 ? { ...answer, error: readError(answer.body, answer.headers) } : answer;
}

/** The request before it is signed; pure. @internal */
export function unsignedRequest(store: HalcyonStore, request: HalcyonRequest): UnsignedRequest {
  const prefix = keyPrefix(store.prefix);
  const common = { host: store.endpoint, query: {}, headers: {} };
  switch (request.operation) {
    case 'list': {
      // Halcyon adds the slash after the store's prefix only where it asks for more.
      const asked = request.prefix ? `${prefix}${request.prefix}` : (store.prefix ?? '');
      return { ...common, method: 'GET', path: `/${store.bucket}/`, query: asked === '' ? {} : { prefix: asked } };
    }
    case 'upload': {
      const md5 = createHash('md5').update(request.body).digest('base64');
      const headers = { 'content-md5': md5, 'x-amz-acl': store.acl };
      return { ...common, method: 'PUT', path: `/${store.bucket}/${prefix}${request.key}`, headers, body: request.body };
    }
    case 'download':
    case 'delete':
      return { ...common, method: request.operation === 'download' ? 'GET' : 'DELETE', path: `/${store.bucket}/${prefix}${request.key}` };
  }
}

const wirePath = ({ path, query }: Pick<UnsignedRequest, 'path' | 'query'>): string =>
  query.prefix === undefined ? path : `${path}?prefix=${query.prefix}`;

/** What anyone is answered at an https URL. */
export function anonymousGet(url: string, options: RequestOptions): Promise<Pick<Outcome, 'status' | 'failure' | 'body'>> {
  const { host, pathname, search } = new URL(url);
  return send({ method: 'GET', host, path: `${pathname}${search}`, query: {} }, { host }, options);
}

type Raw = Pick<Outcome, 'status' | 'headers' | 'body' | 'failure'>;

type Sent = Pick<UnsignedRequest, 'host' | 'path' | 'query' | 'body'> & { readonly method: string };

async function send(request: Sent, headers: Record<string, string>, options: RequestOptions): Promise<Raw> {
  const { network, signal, timeoutMs = 30_000 } = options;
  const [hostname = '', port] = request.host.split(':');
  const target = { protocol: 'https:', hostname, port: Number(port ?? 443), path: wirePath(request) } as const;
  try {
    // A connection of its own for each: what is asked of is S3, not one server of its many.
    const agents = await network.agents('aws', { keepAlive: false });
    const answer = await open(target, { agents, method: request.method, headers, body: request.body, signal, timeoutMs });
    const body = await bodyOf(answer, { service: 'S3', request: `${request.method} ${target.path}` });
    return { status: answer.statusCode, headers: answer.headers, body };
  } catch (error) {
    signal?.throwIfAborted();
    const { code, name, message } = error as NodeJS.ErrnoException;
    return { headers: {}, body: Buffer.alloc(0), failure: { code: code ?? name, message } };
  }
}

/** What S3's error document says. */
export interface S3Error {
  readonly code?: string;
  readonly message?: string;
  readonly region?: string;
}

const unescapeXml = (text: string): string =>
  text
    .replaceAll(/&#x([0-9a-f]{1,5});/gi, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replaceAll(/&#(\d{1,6});/g, (_, decimal: string) => String.fromCodePoint(Number(decimal)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

export function readError(body: Buffer, headers: IncomingHttpHeaders): S3Error {
  const text = body.subarray(0, 65_536).toString('utf8');
  const field = (name: string) => {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
    return found === undefined ? undefined : unescapeXml(found);
  };
  const region = headers['x-amz-bucket-region'] ?? field('Region');
  return {
    code: field('Code'),
    message: field('Message'),
    region: Array.isArray(region) ? region[0] : region,
  };
}
