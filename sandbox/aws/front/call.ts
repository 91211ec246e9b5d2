import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { s3Operation, verbOf } from './s3-operation.js';
import { readSignature, type Signature } from './signature.js';
import { s3Host, s3Target } from './s3-target.js';

/** One request, understood as far as rules and the log need it. */
export interface Call {
  readonly request: IncomingMessage;
  readonly method: string;
  /** Path and query exactly as sent: they are signed. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly signature: Signature;
  /** Signing name: `s3`, `iam`, `sts`, `secretsmanager`, `cloudformation` … */
  readonly service: string;
  /** As in the API reference; `METHOD /path` where a service puts it in the path. */
  readonly operation: string;
  readonly region: string | undefined;
  readonly bucket?: string;
  readonly key?: string;
  /** Region that the host names; `global` for the host that names none; undefined for this machine's names. */
  readonly hostRegion?: string;
  /** What it is about: `bucket/key`, a user, a secret, a stack. */
  readonly resource?: string;
  /** Parameters of query and JSON protocols. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whole, where the service is not S3; S3 bodies are streamed. */
  readonly body?: Buffer;
  /** `1.2`, `1.3`. */
  readonly tlsVersion: string;
}

const MAX_BODY = 128 << 20;

export async function readCall(request: IncomingMessage): Promise<Call> {
  const url = request.url ?? '/';
  const cut = url.indexOf('?');
  const path = cut < 0 ? url : url.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1));
  const method = request.method ?? 'GET';
  const signature = readSignature(request.headers, query);
  const target = String(request.headers['x-amz-target'] ?? '');
  const isForm = String(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const isS3 = signature.service === 's3' || (signature.service === undefined && target === '' && !isForm && !query.has('Action'));
  const common = { request, method, url, path, query, signature, region: signature.region, tlsVersion: tlsVersion(request) };
  if (isS3 && path.startsWith('/v20180820/')) {
    // S3 Control: the account's own settings, which its header names.
    const operation = path === '/v20180820/configuration/publicAccessBlock' ? `${verbOf(method)}PublicAccessBlock` : `${method} ${path}`;
    return { ...common, service: 's3', operation, resource: request.headers['x-amz-account-id'] as string | undefined, parameters: {} };
  }
  if (isS3) {
    const { bucket, key } = s3Target(request.headers.host, path);
    const operation = s3Operation(method, bucket, key, query, request.headers['x-amz-copy-source'] !== undefined);
    const resource = bucket === undefined ? undefined : key === undefined ? bucket : `${bucket}/${key}`;
    return { ...common, service: 's3', operation, bucket, key, hostRegion: s3Host(request.headers.host)?.region, resource, parameters: {} };
  }
  const body = await readBody(request);
  const parameters = readParameters(body, isForm, target !== '', query);
  const operation =
    target !== ''
      ? target.slice(target.lastIndexOf('.') + 1)
      : typeof parameters.Action === 'string'
        ? parameters.Action
        : (/\/operation\/(\w+)$/.exec(path)?.[1] ?? `${method} ${path}`);
  const service = signature.service ?? (/^(AssumeRole|GetCaller|GetFederation)/.test(operation) ? 'sts' : 'unknown');
  return { ...common, service, operation, body, parameters, resource: resourceOf(parameters) };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error(`request body of more than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function readParameters(body: Buffer, isForm: boolean, isJson: boolean, query: URLSearchParams): Record<string, unknown> {
  if (isForm) return Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  if (isJson) {
    try {
      return (JSON.parse(body.toString('utf8')) as Record<string, unknown> | null) ?? {};
    } catch {
      return {}; // MiniStack will say so
    }
  }
  return Object.fromEntries(query);
}

/** Names only: values such as a secret's string never get into the log. */
const RESOURCE_PARAMETERS = [
  'SecretId',
  'UserName',
  'RoleName',
  'PolicyArn',
  'StackName',
  'AccessKeyId',
  'RoleArn',
  'FunctionName',
  'Name',
];

function resourceOf(parameters: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of RESOURCE_PARAMETERS) if (typeof parameters[name] === 'string') return parameters[name];
  return undefined;
}

const tlsVersion = (request: IncomingMessage): string => ((request.socket as TLSSocket).getProtocol?.() ?? 'TLSv1.3').replace('TLSv', '');
