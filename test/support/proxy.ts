import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface TestProxy {
  /** Without a user. */
  readonly url: string;
  /** `host:port` of every CONNECT, in order. */
  readonly connects: string[];
  /** Proxy-Authorization of every CONNECT. */
  readonly authorizations: Array<string | undefined>;
  stop(): Promise<void>;
}

/** A real CONNECT proxy on loopback, whatever host is asked for. @param refuse - status with which every CONNECT is answered instead. @param delayMs - before the CONNECT of that number is answered. */
export async function startProxy(
  options: { refuse?: string; delayMs?: (connects: number) => number; to?: (hostPort: string) => number } = {},
): Promise<TestProxy> {
  const connects: string[] = [];
  const authorizations: Array<string | undefined> = [];
  const sockets = new Set<Socket>();
  const server = createServer().on('connect', (request, client: Socket) => {
    const target = request.url ?? '';
    connects.push(target);
    authorizations.push(request.headers['proxy-authorization']);
    if (options.refuse !== undefined) return client.end(`HTTP/1.1 ${options.refuse}\r\nContent-Length: 0\r\n\r\n`);
    const port = options.to?.(target) ?? Number(target.slice(target.lastIndexOf(':') + 1));
    const answer = () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.pipe(client).pipe(there);
    };
    const there = connect(port, '127.0.0.1', () => {
      const delayMs = options.delayMs?.(connects.length) ?? 0;
      if (delayMs > 0) setTimeout(answer, delayMs);
      else answer();
    });
    for (const socket of [there, client]) {
      sockets.add(socket);
      socket.on('error', () => [there, client].forEach((one) => one.destroy()));
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects,
    authorizations,
    stop: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
