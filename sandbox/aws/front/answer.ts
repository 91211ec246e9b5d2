import type { IncomingMessage } from 'node:http';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Call } from './call.js';
import { readBody } from './call.js';

/** What goes back to the client. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn, as on the wire. */
  readonly headers: readonly string[];
  /** A stream until somebody has to look inside: see {@link whole}. */
  readonly body: Buffer | IncomingMessage;
  /** Error code, for the log. */
  readonly reason?: string;
  /** Nothing goes back: the connection is reset, or closed after `holdMs`. */
  readonly cut?: 'reset' | 'close';
  readonly holdMs?: number;
}

export interface WholeAnswer extends Answer {
  readonly body: Buffer;
}

/** The same answer with its body read. */
export async function whole(answer: Answer): Promise<WholeAnswer> {
  if (Buffer.isBuffer(answer.body)) return answer as WholeAnswer;
  return { ...answer, body: await readBody(answer.body) };
}

/** The same answer with another body. */
export function withBody(answer: Answer, text: string): WholeAnswer {
  const body = Buffer.from(text);
  return {
    ...answer,
    body,
    headers: [...without(answer.headers, 'content-length', 'transfer-encoding'), 'Content-Length', String(body.length)],
  };
}

export function without(headers: readonly string[], ...names: string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.includes(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

export interface ErrorOptions {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** More elements of an S3 error. */
  readonly details?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_SERVICES = new Set([
  'secretsmanager',
  'states',
  'kms',
  'ssm',
  'logs',
  'events',
  'dynamodb',
  'lambda',
  'scheduler',
  'monitoring',
]);

/** An error as the service's protocol writes it: XML for S3 and query services, JSON for the others. */
export function errorAnswer(call: Pick<Call, 'service' | 'method' | 'path' | 'signature' | 'request'>, error: ErrorOptions): WholeAnswer {
  const requestId = randomUUID();
  const extra = Object.entries(error.headers ?? {}).flat();
  const finish = (type: string, text: string, ids: string[]): WholeAnswer => {
    const body = Buffer.from(text);
    const headers = [
      ...ids,
      ...extra,
      'Content-Type',
      type,
      'Content-Length',
      String(call.method === 'HEAD' ? 0 : body.length),
      'Date',
      new Date().toUTCString(),
    ];
    return { status: error.status, headers, body: call.method === 'HEAD' ? Buffer.alloc(0) : body, reason: error.code };
  };
  if (call.service === 's3') {
    const id = requestId.replaceAll('-', '').slice(0, 16).toUpperCase();
    const hostId = randomBytes(32).toString('base64');
    const details = Object.entries({ ...error.details, RequestId: id, HostId: hostId });
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element('Code', error.code)}${element('Message', error.message)}${details
      .map(([name, value]) => element(name, value))
      .join('')}</Error>`;
    return finish('application/xml', text, ['x-amz-request-id', id, 'x-amz-id-2', hostId]);
  }
  const target = call.request.headers['x-amz-target'];
  if (target !== undefined || JSON_SERVICES.has(call.service)) {
    const version = /json-1\.(\d)/.exec(String(call.request.headers['content-type'] ?? ''))?.[1] ?? '1';
    return finish(
      `application/x-amz-json-1.${version}`,
      JSON.stringify({ __type: error.code, message: error.message, Message: error.message }),
      ['x-amzn-RequestId', requestId, 'x-amzn-ErrorType', error.code],
    );
  }
  const side = error.status >= 500 ? 'Receiver' : 'Sender';
  const text = `<ErrorResponse xmlns="${namespace(call.service)}"><Error><Type>${side}</Type>${element('Code', error.code)}${element(
    'Message',
    error.message,
  )}</Error>${element('RequestId', requestId)}</ErrorResponse>`;
  return finish('text/xml', text, ['x-amzn-RequestId', requestId]);
}

const NAMESPACES: Readonly<Record<string, string>> = {
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
  cloudformation: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
};
const namespace = (service: string): string => NAMESPACES[service] ?? 'http://webservices.amazon.com/AWSFault/2005-15-09';

const element = (name: string, value: string): string => `<${name}>${escapeXml(value)}</${name}>`;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Text of the first `name` element, entities decoded; undefined when there is none. */
export function xmlText(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1];
  return text
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

/** The error code an answer carries, in any of the three protocols. */
export function errorCode(answer: WholeAnswer): string | undefined {
  const text = answer.body.toString('utf8');
  const json = /"(?:__type|code|Code)"\s*:\s*"(?:[^"]*#)?([^"]+)"/.exec(text)?.[1];
  return xmlText(text, 'Code') ?? json;
}
