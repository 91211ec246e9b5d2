import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Server, type TLSSocket, createServer } from 'node:tls';
import { promisify } from 'node:util';

/** Makes the client's connection the terminal of a process. */
export type Attachment = (child: ChildProcess) => void;

/** Where clients meet attached dynos: a TLS socket that takes a secret line, answers `rendezvous`, and is the process's terminal from then on. */
export class Rendezvous {
  private server: Server | undefined;
  private opening: Promise<Server> | undefined;
  private readonly waiting = new Map<string, (socket: TLSSocket) => void>();
  private readonly sockets = new Set<TLSSocket>();

  constructor(private readonly dir: string) {}

  /** Certificate that a client must trust; made with the first attached dyno. */
  get caFile(): string {
    return join(this.dir, 'rendezvous.pem');
  }

  /** A meeting point: its URL, and the connection of the client that comes there. */
  async meet(): Promise<{ url: string; arrived: Promise<Attachment> }> {
    const server = await (this.opening ??= this.open());
    const secret = randomUUID();
    const arrived = new Promise<TLSSocket>((resolve) => this.waiting.set(secret, resolve));
    const url = `rendezvous://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}`;
    return { url, arrived: arrived.then((socket) => (child) => connect(socket, child)) };
  }

  /** Make the certificate, so that a client can be told to trust it before its first attached dyno. */
  async prepare(): Promise<void> {
    await (this.opening ??= this.open());
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.server) await new Promise((resolve) => this.server?.close(resolve));
  }

  private async open(): Promise<Server> {
    const key = join(this.dir, 'rendezvous.key');
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
    await promisify(execFile)('openssl', [...made, ...subject, '-keyout', key, '-out', this.caFile]);
    const server = createServer({ key: await readFile(key), cert: await readFile(this.caFile) }, (socket) => this.greet(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (this.server = server);
  }

  private greet(socket: TLSSocket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      const end = chunk.indexOf('\n') + 1 || chunk.length;
      const secret = chunk.subarray(0, end).toString('utf8').trim();
      const arrive = this.waiting.get(secret);
      if (arrive === undefined) return void socket.end('no such session\r\n');
      this.waiting.delete(secret);
      // What else was sent is for the process, which has yet to start.
      socket.pause();
      if (end < chunk.length) socket.unshift(chunk.subarray(end));
      socket.write('rendezvous\r\n');
      arrive(socket);
    });
  }
}

function connect(socket: TLSSocket, child: ChildProcess): void {
  const { stdin, stdout, stderr } = child;
  if (stdin) {
    stdin.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      // Ctrl-D ends input as a terminal would.
      const end = chunk.indexOf(4);
      if (end < 0) stdin.write(chunk);
      else stdin.end(chunk.subarray(0, end));
    });
    socket.on('end', () => stdin.end());
    socket.resume();
  }
  let open = 2;
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (chunk: Buffer) => socket.write(chunk));
    stream?.on('close', () => {
      open -= 1;
      if (open === 0) socket.end();
    });
  }
  socket.on('close', () => child.stdin?.end());
}
