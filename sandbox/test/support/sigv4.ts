import { createHash, createHmac } from 'node:crypto';
import type { Key } from './clients.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * Headers of Signature Version 4 for an S3 or S3 Control request without a query, by hand: SDKs never leave a header out or in disorder.
 * Source: IAM user guide, "Create a signed AWS API request".
 */
export function sigv4(
  key: Key,
  method: string,
  path: string,
  options: {
    headers?: Record<string, string>;
    unsigned?: Record<string, string>;
    order?: (names: string[]) => string[];
    body?: string;
  } = {},
): Record<string, string> {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = {
    host: 'localhost',
    'x-amz-content-sha256': sha256(options.body ?? ''),
    'x-amz-date': date,
    ...options.headers,
  };
  const names = (options.order ?? ((list) => list))(Object.keys(headers).sort());
  const canonical = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const request = [method, path, '', canonical, names.join(';'), headers['x-amz-content-sha256']].join('\n');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signingKey = scope.split('/').reduce<Buffer | string>((previous, part) => hmac(previous, part), `AWS4${key.secretAccessKey}`);
  const signature = hmac(signingKey, ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n')).toString('hex');
  return {
    ...headers,
    ...options.unsigned,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
