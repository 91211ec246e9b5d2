import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { errorAnswer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Rule } from '../front/rule.js';
import { unknownKey } from './new-key-delay.js';

/** The account's root has one key, whose signature counts like any other. MiniStack believes it unseen, and takes some other ids for root's too. */
export const rootKey: Rule = {
  name: 'root-key',
  source:
    'IAM user guide, "Signature Version 4 for API requests"; S3 API reference, error responses: InvalidAccessKeyId, SignatureDoesNotMatch',
  applies: (call, front) => isPretender(call) || call.signature.accessKeyId === front.upstream.rootKey.accessKeyId,
  async handle(call, front, next) {
    if (isPretender(call)) return unknownKey(call);
    if (signatureMatches(call, front.upstream.rootKey.secretAccessKey)) return next();
    const message =
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';
    const isJson = call.request.headers['x-amz-target'] !== undefined;
    const [status, code] = isJson ? [400, 'InvalidSignatureException'] : [403, 'SignatureDoesNotMatch'];
    return errorAnswer(call, { status, code, message });
  },
};

const isPretender = (call: Call): boolean => /^(test|\d{12})$/.test(call.signature.accessKeyId ?? '');

/** Whether a SigV4 header is signed with `secret`; true for what is signed otherwise, and for paths that services encode in ways of their own. */
function signatureMatches(call: Call, secret: string): boolean {
  const { headers } = call.request;
  const parts = /SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})/.exec(headers.authorization ?? '');
  const date = headers['x-amz-date'];
  if (call.signature.version !== 4 || call.signature.presigned) return true;
  if (parts === null || typeof date !== 'string' || (call.service !== 's3' && call.path !== '/')) return true;
  const [, signedHeaders, given] = parts as unknown as [string, string, string];
  const canonicalHeaders = signedHeaders.split(';').map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  );
  const payload = headers['x-amz-content-sha256'] ?? sha256(call.body ?? '');
  const request = [call.method, call.path, canonicalQuery(call.query), canonicalHeaders.join(''), signedHeaders, payload].join('\n');
  const scope = [date.slice(0, 8), call.region, call.signature.service, 'aws4_request'];
  const key = scope.reduce<Buffer | string>((previous, part) => hmac(previous, part ?? ''), `AWS4${secret}`);
  const wanted = hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(request)].join('\n'));
  return timingSafeEqual(wanted, Buffer.from(given, 'hex'));
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: Buffer | string, data: string): Buffer => createHmac('sha256', key).update(data).digest();

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
