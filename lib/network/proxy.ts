import { Agent as HttpAgent, type AgentOptions, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Agent, type AgentConnectOpts } from 'agent-base';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { KitError } from '../errors.js';
import { registerUrlSecrets } from '../io/redaction.js';

type Options = AgentOptions & { readonly secureContext?: SecureContext };

/** Each request by the proxy that the environment names for it, or directly. */
export class ProxyAgent extends Agent {
  readonly #direct: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly #tunnels = new Map<string, Tunnel>();

  /** @param reached - proxies that have answered are added. */
  constructor(
    private readonly given: Options,
    private readonly reached: Set<string>,
  ) {
    super(given);
    this.#direct = { http: new HttpAgent(given), https: new HttpsAgent(given) };
  }

  override async connect(_: ClientRequest, options: AgentConnectOpts): Promise<HttpAgent> {
    const scheme = options.secureEndpoint ? 'https' : 'http';
    const host = options.host ?? 'localhost';
    const proxy = getProxyForUrl(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${options.port}`);
    if (proxy === '') return this.#direct[scheme];
    const tunnel = this.#tunnels.get(proxy) ?? new Tunnel(proxy, this.given, this.reached);
    this.#tunnels.set(proxy, tunnel);
    return tunnel;
  }

  override destroy(): void {
    for (const agent of [this.#direct.http, this.#direct.https, ...this.#tunnels.values()]) agent.destroy();
    super.destroy();
  }
}

/** Sooner than who asks through it gives up: what cannot be reached is the proxy. Once it has answered, it may be slow. */
const [CONNECT_MS, SLOW_MS] = [8_000, 30_000];

/** A proxy, whose failures are told from those of the host behind it, and never show its password. */
class Tunnel extends HttpsProxyAgent<string> {
  readonly #shown: string;

  constructor(
    proxy: string,
    options: Options,
    private readonly reached: Set<string>,
  ) {
    if (!URL.canParse(proxy) || !/^https?:/.test(proxy))
      throw new KitError('proxy-invalid', 'HTTPS_PROXY or HTTP_PROXY is no http:// or https:// URL; correct it, or unset it');
    registerUrlSecrets([proxy]);
    super(proxy, options as object);
    this.#shown = `${this.proxy.protocol}//${this.proxy.host}`;
  }

  override async connect(request: ClientRequest, options: Parameters<HttpsProxyAgent<string>['connect']>[1]): Promise<Socket> {
    const limit = new AbortController();
    const ms = this.reached.has(this.#shown) ? SLOW_MS : CONNECT_MS;
    const timer = setTimeout(() => limit.abort(), ms);
    Object.assign(this.connectOpts, { signal: limit.signal });
    let refusal: string | undefined;
    request.once('proxyConnect', ({ statusCode, statusText }: { statusCode: number; statusText: string }) => {
      this.reached.add(this.#shown);
      if (statusCode !== 200) refusal = `${statusCode} ${statusText}`.trim();
    });
    const to = `${options.host}:${options.port}`;
    let socket: Socket;
    try {
      socket = await super.connect(request, options);
    } catch (cause) {
      const why = limit.signal.aborted
        ? `no answer within ${ms / 1000} s`
        : ((cause as { code?: string }).code ?? (cause as Error).message);
      throw new KitError(
        'proxy-unreachable',
        `proxy ${this.#shown} cannot be reached (${why}); correct HTTPS_PROXY, or name ${options.host} in NO_PROXY`,
        { cause },
      );
    } finally {
      clearTimeout(timer);
    }
    if (refusal === undefined) return socket;
    socket.destroy();
    throw new KitError(
      'proxy-refused',
      `proxy ${this.#shown} refuses to connect to ${to} (${refusal}); correct the user and password in HTTPS_PROXY, or name ${options.host} in NO_PROXY`,
    );
  }
}
