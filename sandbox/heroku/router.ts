import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a request for an app goes: a port, or why there is none (Heroku's error codes). */
export type Route = { port: number } | { code: 'H10' | 'H14' | 'H20' | 'H80'; description: string };

const PAGES = {
  maintenance: 'Offline for Maintenance',
  error: 'Application error',
};

/** The public side of one app: a loopback port of its own, forwarded to the web process. Node, curl and browsers all reach it by number. */
export class Router {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param log - told of every request, as Heroku's router logs it. */
  static async open(route: () => Promise<Route>, log: (line: string) => void): Promise<Router> {
    const server = createServer((incoming, outgoing) => void forward(incoming, outgoing, route, log));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Router(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function forward(incoming: IncomingMessage, outgoing: ServerResponse, route: () => Promise<Route>, log: (line: string) => void) {
  const target = await route();
  const about = `method=${incoming.method} path="${incoming.url?.split('?')[0]}" host=${incoming.headers.host}`;
  if ('code' in target) return refuse(outgoing, target, about, log);
  const upstream = httpRequest(
    {
      host: '127.0.0.1',
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, ...forwarded(incoming) },
    },
    (answer) => {
      log(`at=info ${about} status=${answer.statusCode} protocol=http`);
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    },
  );
  upstream.on('error', () => refuse(outgoing, { code: 'H13', description: 'Connection closed without response' }, about, log));
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

const forwarded = (incoming: IncomingMessage): Record<string, string> => ({
  'x-forwarded-for': incoming.socket.remoteAddress ?? '127.0.0.1',
  'x-forwarded-proto': 'http',
  connection: 'close',
});

function refuse(outgoing: ServerResponse, why: { code: string; description: string }, about: string, log: (line: string) => void): void {
  log(`at=${why.code === 'H80' ? 'info' : 'error'} code=${why.code} desc="${why.description}" ${about} status=503`);
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  const title = why.code === 'H80' ? PAGES.maintenance : PAGES.error;
  outgoing.writeHead(503, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache, no-store' });
  outgoing.end(`<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`);
}
