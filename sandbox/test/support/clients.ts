import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { createHmac } from 'node:crypto';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LocalAws } from '../../aws/index.js';

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const rootKey = (aws: LocalAws): Key => ({
  accessKeyId: aws.env.AWS_ACCESS_KEY_ID as string,
  secretAccessKey: aws.env.AWS_SECRET_ACCESS_KEY as string,
});

const agents = new WeakMap<LocalAws, Agent>();

/** Connections are kept: a handshake costs more than most requests. */
function agentOf(aws: LocalAws): Agent {
  const agent = agents.get(aws) ?? new Agent({ ca: readFileSync(aws.caFile), keepAlive: true });
  agents.set(aws, agent);
  return agent;
}

/** SDK clients that never retry, through the front or (`direct`) straight to MiniStack. */
export function clients(aws: LocalAws, options: { key?: Key; direct?: boolean; region?: string; maxAttempts?: number } = {}) {
  const config = {
    region: options.region ?? aws.region,
    endpoint: options.direct ? aws.upstreamUrl : aws.url,
    credentials: options.key ?? rootKey(aws),
    maxAttempts: options.maxAttempts ?? 1,
    requestHandler: new NodeHttpHandler({ httpsAgent: agentOf(aws) }),
  };
  return {
    s3: new S3Client({ ...config, forcePathStyle: true, followRegionRedirects: false }),
    iam: new IAMClient(config),
    sts: new STSClient(config),
    secrets: new SecretsManagerClient(config),
    cloudformation: new CloudFormationClient(config),
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** One HTTPS request, as given. */
export function send(
  aws: LocalAws,
  options: {
    direct?: boolean;
    method?: string;
    path: string;
    headers?: Record<string, string>;
    body?: string | Buffer;
    maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: new URL(options.direct ? aws.upstreamUrl : aws.url).port,
        agent: agentOf(aws),
        method: options.method ?? 'GET',
        path: options.path,
        headers: options.headers,
        maxVersion: options.maxVersion,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') }),
        );
        answer.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(options.body);
  });
}

/** Headers of Signature Version 2 for a path-style request, as Halcyon makes them. Source: S3 user guide, "Signing and authenticating REST requests". */
export function sigv2(
  key: Key,
  method: string,
  resource: string,
  options: { date?: Date; acl?: string; md5?: string } = {},
): Record<string, string> {
  const date = (options.date ?? new Date()).toUTCString();
  const acl = options.acl === undefined ? '' : `x-amz-acl:${options.acl}\n`;
  const text = `${method}\n${options.md5 ?? ''}\n\n${date}\n${acl}${resource}`;
  const signature = createHmac('sha1', key.secretAccessKey).update(text).digest('base64');
  return {
    Date: date,
    Authorization: `AWS ${key.accessKeyId}:${signature}`,
    ...(options.acl === undefined ? {} : { 'x-amz-acl': options.acl }),
    ...(options.md5 === undefined ? {} : { 'Content-MD5': options.md5 }),
  };
}

/** What a call that must fail failed with. */
export async function failure(call: Promise<unknown>): Promise<{ name: string; message: string; status?: number }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  return { name: 'none', message: 'it succeeded' };
}
