import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import Request from 'heroku-client/lib/request.js';
import { isKitError } from '../errors.js';
import { bodyOf } from '../network/answers.js';
import type { Agents } from '../network/network.js';

/** One request as it goes out. */
export interface WireRequest {
  /** Base URL of the API. */
  readonly host: string;
  readonly token: string;
  readonly agents: Agents;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Range header; none is sent without. */
  readonly range?: string;
  /** From the connection to the end of the answer, in ms. */
  readonly timeoutMs: number;
  /** Until the connection stands, a proxy's part in it included, in ms. Default: as long. */
  readonly reachMs?: number;
  /** Gives it up at once: for what only reads. */
  readonly signal?: AbortSignal;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export class Late extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
  }
}

/** No whole answer came. `sent`: the request may have reached Heroku, so a write may have taken effect. */
export class WireError extends Error {
  constructor(
    readonly sent: boolean,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

/** Exactly one exchange over heroku-client; any whole answer is an answer, whatever its status. @throws {@link WireError}, or KitError `unexpected-answer`. */
export async function exchange(request: WireRequest): Promise<WireAnswer> {
  return (await new SingleRequest(request).request()) as WireAnswer;
}

/**
 * heroku-client's request with its traps closed. The original sends every method again when a socket fails, POST included;
 * goes on after its timeout; hangs on a truncated answer; throws outside its promise on a 304; decodes each chunk by itself, so
 * that split UTF-8 is garbled; shows bodies when DEBUG=http is set; and sends a Range header with everything.
 */
class SingleRequest extends Request {
  readonly #wire: WireRequest;
  #sent = false;
  #timer?: NodeJS.Timeout;

  constructor(wire: WireRequest) {
    const headers: Record<string, string> = wire.range === undefined ? {} : { Range: wire.range };
    super({ host: wire.host, path: wire.path, method: wire.method, token: wire.token, headers, body: wire.body, userAgent: 'halcyon-kit' });
    this.#wire = wire;
    // By itself each request would make an agent, and a connection.
    this.agent = this.secure ? (wire.agents.httpsAgent ?? https.globalAgent) : (wire.agents.httpAgent ?? http.globalAgent);
  }

  override writeBody(req: ClientRequest): void {
    if (this.#wire.range === undefined) req.removeHeader('Range');
    super.writeBody(req);
  }

  override setRequestTimeout(req: ClientRequest): void {
    const { timeoutMs, reachMs = timeoutMs, signal } = this.#wire;
    const end = (why: Error) => {
      req.destroy(why);
      // As long as a proxy withholds the socket, Node says nothing of the end.
      this.handleError(why);
    };
    const within = (ms: number) => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => end(new Late(ms)), ms);
    };
    const stop = () => end(signal?.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
    req.once('close', () => signal?.removeEventListener('abort', stop));
    within(reachMs);
    // Before the connection stands nothing of the request has left. A proxy shows its socket when it has connected.
    req.once('socket', (socket) => {
      const sent = () => {
        this.#sent = true;
        within(timeoutMs);
      };
      if (!socket.connecting) return sent();
      socket.once(this.secure ? 'secureConnect' : 'connect', sent);
    });
  }

  override handleError(error: Error): void {
    clearTimeout(this.#timer);
    this.reject(new WireError(this.#sent, error));
  }

  override handleResponse(res: IncomingMessage): void {
    bodyOf(res, { service: 'Heroku', request: `${this.#wire.method} ${this.#wire.path}` })
      .then((body) => this.resolve({ status: res.statusCode ?? 0, headers: res.headers, text: body.toString('utf8') } satisfies WireAnswer))
      // A cut-off body ends in an error as well.
      .catch((error: Error) => (isKitError(error) ? this.reject(error) : this.handleError(error)))
      .finally(() => clearTimeout(this.#timer));
  }
}
