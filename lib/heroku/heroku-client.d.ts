/** The part of heroku-client 3.1.4 that `wire.ts` builds on; @types/heroku-client does not describe it. */
declare module 'heroku-client/lib/request.js' {
  import type { Agent, ClientRequest, IncomingMessage } from 'node:http';

  export default class Request {
    constructor(options: {
      host: string;
      path: string;
      method: string;
      token: string;
      headers: Record<string, string>;
      body?: unknown;
      userAgent?: string;
    });
    agent: Agent;
    secure: boolean;
    readonly promise: Promise<unknown>;
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
    request(): Promise<unknown>;
    handleResponse(res: IncomingMessage): void;
    handleError(error: Error): void;
    writeBody(req: ClientRequest): void;
    setRequestTimeout(req: ClientRequest): void;
  }
}
