import { readFileSync } from 'node:fs';
import { request as httpRequest, type Agent as HttpAgent, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { KitError } from '../errors.js';
import { ServerTime } from './server-time.js';

/** Where requests go and by which way, as the environment says. Made once, where a program starts, and passed on. */
export interface Network {
  /** Another S3 than the regions' own, for the kit and for apps: AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL. */
  readonly s3Url?: string;
  /** What time it is where the answers come from. */
  readonly time: ServerTime;
  /** Who has taken a connection: `aws`, an address of Heroku's, a proxy. From then on one that does not may be slow, and is asked again. */
  readonly reached: Set<string>;
  /**
   * Agents that honour HTTPS_PROXY, HTTP_PROXY and NO_PROXY and, for AWS, AWS_CA_BUNDLE; undefined: Node's own will do.
   * @throws KitError `ca-bundle-unreadable`. Requests end with `proxy-invalid`, `proxy-unreachable` or `proxy-refused`.
   */
  agents(to: 'aws' | 'others', options?: { readonly keepAlive?: boolean }): Promise<Agents>;
}

export interface Agents {
  readonly httpAgent?: HttpAgent;
  readonly httpsAgent?: HttpsAgent;
  /** By a proxy, which has limits of its own. */
  readonly proxied?: true;
}

/** @param say - is told once where this machine's clock is wrong. */
export function networkOf(env: NodeJS.ProcessEnv = process.env, say?: (text: string) => void): Network {
  const proxied = ['https_proxy', 'http_proxy', 'all_proxy'].some((name) => env[name] || env[name.toUpperCase()]);
  // A bundle takes longer to read than a connection to make: once for all of them.
  let trusted: SecureContext | undefined;
  const reached = new Set<string>();
  const s3Url = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  return {
    ...(s3Url ? { s3Url } : {}),
    time: new ServerTime({ say }),
    reached,
    async agents(to, { keepAlive = true } = {}) {
      // The SDK ignores AWS_CA_BUNDLE, which the CDK and the AWS CLI honour.
      const secureContext = to === 'aws' && env.AWS_CA_BUNDLE ? (trusted ??= readBundle(env.AWS_CA_BUNDLE)) : undefined;
      if (proxied) {
        const { ProxyAgent } = await import('./proxy.js');
        const agent = new ProxyAgent({ keepAlive, ...(secureContext ? { secureContext } : {}) }, reached) as unknown as HttpsAgent;
        return { httpAgent: agent, httpsAgent: agent, proxied: true };
      }
      return to === 'aws' ? { httpsAgent: new HttpsAgent({ keepAlive, secureContext }) } : {};
    },
  };
}

/** By file, as it was when it was last read. */
const bundles = new Map<string, { readonly text: Buffer; readonly context: SecureContext }>();

function readBundle(file: string): SecureContext {
  try {
    const text = readFileSync(file);
    const known = bundles.get(file);
    if (known?.text.equals(text)) return known.context;
    const context = createSecureContext({ ca: text });
    bundles.set(file, { text, context });
    return context;
  } catch (cause) {
    throw new KitError('ca-bundle-unreadable', `AWS_CA_BUNDLE cannot be read: ${(cause as Error).message}; correct it, or unset it`, {
      cause,
    });
  }
}

/** Where a request goes: a URL, or its parts where the path is to be sent as it is. */
export type Target = URL | { readonly protocol: 'https:'; readonly hostname: string; readonly port?: number; readonly path: string };

/** One request: no redirect is followed, nothing is sent twice. @param timeoutMs - without a byte. */
export function open(
  target: Target,
  {
    agents,
    body,
    timeoutMs,
    ...options
  }: Pick<RequestOptions, 'method' | 'headers' | 'signal'> & {
    readonly agents: Agents;
    readonly body?: Buffer;
    readonly timeoutMs: number;
  },
): Promise<IncomingMessage> {
  const secure = target.protocol === 'https:';
  const where = target instanceof URL ? urlToHttpOptions(target) : target;
  const agent = secure ? agents.httpsAgent : agents.httpAgent;
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({ ...where, ...options, agent, timeout: timeoutMs }, resolve);
    request.on('timeout', () => request.destroy(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' })));
    request.on('error', reject);
    request.end(body);
  });
}
