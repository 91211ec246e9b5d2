import { createHash, createHmac, type BinaryLike } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import { whole, without, type Answer, type WholeAnswer } from './answer.js';
import type { Call } from './call.js';

export interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Connection-bound headers, and those that would let a client speak of a connection that is not its own. */
const NOT_FORWARDED = ['connection', 'keep-alive', 'proxy-connection', 'expect', 'upgrade', 'x-forwarded-proto', 'x-forwarded-for'];

class NodeHash {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as BinaryLike);
  }
  update(data: unknown): void {
    this.#hash.update(data as BinaryLike);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

export interface RootRequest {
  readonly service: string;
  readonly region: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string>;
  /** Parameters of a query protocol. */
  readonly form?: Record<string, string>;
  /** `x-amz-target` and parameters of a JSON protocol. */
  readonly target?: string;
  readonly json?: unknown;
}

/** MiniStack, as a proxy reaches it: each client's request as it came, and requests of the front's own as root. */
export class Upstream {
  readonly agent: Agent;
  port = 0;

  constructor(
    ca: string,
    readonly rootKey: RootKey,
  ) {
    // MiniStack closes idle connections after 75 s; they are given up before, so that no request meets a closing one.
    this.agent = new Agent({
      keepAlive: true,
      ca,
      servername: 'localhost',
      maxSockets: 256,
      maxFreeSockets: 64,
      timeout: 30_000,
      scheduling: 'lifo',
    });
  }

  /** Send on as it came: same method, target, headers (`Host` too, as it is signed) and body, streamed where not read already. */
  forward(call: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const upstream = request(
        {
          host: '127.0.0.1',
          port: this.port,
          agent: this.agent,
          method: call.method,
          path: call.url,
          headers: forwarded(call) as unknown as Record<string, string>,
          setHost: false,
        },
        (answer) => resolve(received(answer)),
      );
      upstream.on('error', reject);
      if (call.body !== undefined) upstream.end(call.body);
      else {
        call.request.on('error', (error) => upstream.destroy(error));
        call.request.on('aborted', () => upstream.destroy());
        call.request.pipe(upstream);
      }
    });
  }

  /** Ask as the account's root. */
  async asRoot(ask: RootRequest): Promise<WholeAnswer> {
    const body =
      ask.form === undefined ? (ask.json === undefined ? '' : JSON.stringify(ask.json)) : new URLSearchParams(ask.form).toString();
    const signer = new SignatureV4({
      service: ask.service,
      region: ask.region,
      credentials: this.rootKey,
      sha256: NodeHash,
      uriEscapePath: ask.service !== 's3',
    });
    const signed = await signer.sign({
      method: ask.method ?? 'POST',
      protocol: 'https:',
      hostname: 'localhost',
      path: ask.path ?? '/',
      query: ask.query,
      headers: {
        host: 'localhost',
        ...(ask.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }),
        ...(ask.target === undefined ? {} : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': ask.target }),
        ...(ask.service === 's3' ? { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') } : {}),
      },
      body,
    });
    const query = ask.query === undefined ? '' : `?${new URLSearchParams(ask.query).toString()}`;
    return new Promise((resolve, reject) => {
      const upstream = request(
        {
          host: '127.0.0.1',
          port: this.port,
          agent: this.agent,
          method: signed.method,
          path: `${ask.path ?? '/'}${query}`,
          headers: signed.headers,
        },
        (answer) => resolve(whole(received(answer))),
      );
      upstream.on('error', reject);
      upstream.end(body);
    });
  }
}

const received = (answer: IncomingMessage): Answer => ({
  status: answer.statusCode ?? 502,
  headers: without(answer.rawHeaders, 'connection', 'keep-alive', 'transfer-encoding'),
  body: answer,
});

function forwarded(call: Call): string[] {
  const headers = without(
    call.request.rawHeaders,
    ...NOT_FORWARDED,
    ...(call.body === undefined ? [] : ['transfer-encoding', 'content-length']),
  );
  if (call.body !== undefined) headers.push('Content-Length', String(call.body.length));
  return headers;
}
