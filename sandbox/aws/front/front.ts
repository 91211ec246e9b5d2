import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '../../../lib/errors.js';
import type { Certificates } from '../ministack/certificates.js';
import { answerAdmin } from './admin.js';
import { errorAnswer, errorCode, whole, without, xmlText, type Answer } from './answer.js';
import { readCall, type Call } from './call.js';
import type { Faults } from './faults.js';
import type { RequestLog } from './log.js';
import type { Front, Rule } from './rule.js';

export interface FrontOptions {
  readonly certificates: Certificates;
  readonly front: Front;
  readonly rules: readonly Rule[];
  readonly log: RequestLog;
  readonly faults: Faults;
}

/** The reverse proxy in front of MiniStack. Listens on loopback only. */
export class FrontServer {
  readonly #server: Server;
  /** Plain sockets under the TLS ones, to be able to reset a connection. */
  readonly #sockets = new Map<string, Socket>();

  constructor(private readonly options: FrontOptions) {
    // AWS endpoints take TLS 1.2 and later only.
    this.#server = createServer({
      cert: options.certificates.cert,
      key: options.certificates.key,
      minVersion: 'TLSv1.2',
      keepAliveTimeout: 65_000,
    });
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket: Socket) => {
      const name = `${socket.remoteAddress}:${socket.remotePort}`;
      socket.setNoDelay(true);
      this.#sockets.set(name, socket);
      socket.once('close', () => this.#sockets.delete(name));
    });
    this.#server.on('request', (request, response) => void this.serve(request, response));
    this.#server.on('checkContinue', (request, response) => void this.serve(request, response));
    this.#server.on('tlsClientError', () => undefined);
  }

  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = new KitError('port-taken', `port ${port} is taken: choose another, or none for a free one`, { cause: error });
        reject(error.code === 'EADDRINUSE' ? taken : error);
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    try {
      if (request.url?.startsWith('/_sandbox/')) return await answerAdmin(request, response, this.options);
      if (request.headers.expect !== undefined) response.writeContinue();
      const call = await readCall(request);
      const answer = await this.answer(call);
      const logged = answer.reason === undefined && answer.status >= 400 && call.method !== 'HEAD' ? await whole(answer) : answer;
      const status = logged.cut === undefined ? logged.status : 0;
      const reason =
        logged.reason ?? (Buffer.isBuffer(logged.body) && status >= 400 ? errorCode({ ...logged, body: logged.body }) : undefined);
      this.options.front.knowledge.notice(call);
      await this.record(call, status, reason, started);
      await this.send(call, response, logged);
    } catch (error) {
      if (!response.headersSent && !response.destroyed) {
        response.writeHead(502, { 'Content-Type': 'text/plain' });
        response.end(`the sandbox's front failed: ${(error as Error).message}\n`);
      } else response.destroy();
    }
  }

  private async answer(call: Call): Promise<Answer> {
    const { front, rules, faults } = this.options;
    const refused = refuseMiniStackAdmin(call);
    if (refused !== undefined) return refused;
    const applying = rules.filter((rule) => rule.applies(call, front));
    const run = (index: number): Promise<Answer> => {
      const rule = applying[index];
      return rule === undefined ? front.upstream.forward(call) : rule.handle(call, front, () => run(index + 1));
    };
    const answer = await faults.around(call, () => run(0));
    return call.service === 'sts' && call.operation.startsWith('Assume') && answer.status === 200 ? this.learnSession(answer) : answer;
  }

  /** Temporary keys are nobody's in IAM: whose they are is told once, in the answer that hands them out. */
  private async learnSession(answer: Answer): Promise<Answer> {
    const told = await whole(answer);
    const text = told.body.toString('utf8');
    const [id, arn] = [xmlText(text, 'AccessKeyId'), xmlText(text, 'Arn')];
    if (id !== undefined && arn !== undefined) this.options.front.knowledge.setPrincipal(id, arn);
    return told;
  }

  private async record(call: Call, status: number, reason: string | undefined, started: number): Promise<void> {
    const { accessKeyId, version } = call.signature;
    const { knowledge } = this.options.front;
    const principal =
      accessKeyId === undefined ? 'anonymous' : ((await knowledge.principal(accessKeyId).catch(() => undefined)) ?? 'unknown');
    const acl = call.request.headers['x-amz-acl'];
    this.options.log.add({
      time: new Date(this.options.front.now()).toISOString(),
      principal,
      accessKeyId,
      service: call.service,
      operation: call.operation,
      resource: call.resource,
      region: call.region,
      signatureVersion: version,
      status,
      reason,
      durationMs: Math.round((performance.now() - started) * 100) / 100,
      userAgent: call.request.headers['user-agent'],
      acl: typeof acl === 'string' ? acl : undefined,
    });
  }

  private async send(call: Call, response: ServerResponse, answer: Answer): Promise<void> {
    if (!call.request.complete) call.request.resume(); // an answer before the body's end: let the client finish sending
    if (answer.cut !== undefined) {
      if (!Buffer.isBuffer(answer.body)) answer.body.destroy();
      if (answer.holdMs) await sleep(answer.holdMs, undefined, { ref: false });
      const socket = call.request.socket;
      const plain = this.#sockets.get(`${socket.remoteAddress}:${socket.remotePort}`);
      if (answer.cut === 'reset') plain?.resetAndDestroy();
      else plain?.destroy();
      return;
    }
    const headers = this.options.front.settings.clockOffsetMs === 0 ? [...answer.headers] : this.dated(answer.headers);
    response.sendDate = false;
    response.writeHead(answer.status, headers);
    if (Buffer.isBuffer(answer.body)) {
      response.end(answer.body);
      return;
    }
    const body = answer.body;
    body.on('error', () => response.destroy());
    body.on('aborted', () => response.destroy());
    response.on('close', () => body.destroy());
    body.pipe(response);
  }

  private dated(headers: readonly string[]): string[] {
    return [...without(headers, 'date'), 'Date', new Date(this.options.front.now()).toUTCString()];
  }
}

/** MiniStack's own switches would change state behind the front's back; what CloudFormation's handlers call back is needed. */
function refuseMiniStackAdmin(call: Call): Answer | undefined {
  if (!/^\/_(ministack|localstack)\//.test(call.path)) return undefined;
  if (call.path === '/_ministack/health' || /^\/_ministack\/cfn-(response|signal)\//.test(call.path)) return undefined;
  return errorAnswer(call, { status: 403, code: 'AccessDenied', message: 'the sandbox does not pass on requests to its emulator itself' });
}
