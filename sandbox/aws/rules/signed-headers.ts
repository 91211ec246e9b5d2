import { errorAnswer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Rule } from '../front/rule.js';

/**
 * A SigV4 signature covers the host and, to S3, every `x-amz-` header that is sent; it names what it covers in order.
 * MiniStack recomputes the signature over whatever `SignedHeaders` lists, in whatever order.
 */
export const signedHeaders: Rule = {
  name: 'signed-headers',
  source:
    'IAM user guide, "Create a signed AWS API request": SignedHeaders is sorted, and includes host and any x-amz-* header; S3 API reference, "Signature calculations for the Authorization header", and error responses: AccessDenied with HeadersNotSigned',
  applies: (call) => call.signature.version === 4 && call.signature.accessKeyId !== undefined,
  async handle(call, front, next) {
    const names = signedNames(call);
    const unsigned = unsignedNames(call, names);
    const isSorted = names.every((name, index) => index === 0 || (names[index - 1] as string) < name);
    if (isSorted && unsigned.length === 0) return next();
    if ((await front.knowledge.principal(call.signature.accessKeyId as string)) === undefined) return next(); // an unknown key comes first
    if (unsigned.length > 0) {
      return errorAnswer(call, {
        status: 403,
        code: 'AccessDenied',
        message: 'There were headers present in the request which were not signed',
        details: { HeadersNotSigned: unsigned.join(', ') },
      });
    }
    // The service sorts them itself, so what it computes differs from what it was given.
    const isJson = call.request.headers['x-amz-target'] !== undefined;
    return errorAnswer(call, {
      status: isJson ? 400 : 403,
      code: isJson ? 'InvalidSignatureException' : 'SignatureDoesNotMatch',
      message:
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    });
  },
};

function signedNames(call: Call): string[] {
  const list = call.signature.presigned
    ? call.query.get('X-Amz-SignedHeaders')
    : /SignedHeaders=([^,\s]+)/.exec(call.request.headers.authorization ?? '')?.[1];
  return (list ?? '').split(';').filter((name) => name !== '');
}

/** Other services are not known to insist. */
function unsignedNames(call: Call, names: readonly string[]): string[] {
  if (call.service !== 's3') return [];
  const sent = Object.keys(call.request.headers).filter((name) => name.startsWith('x-amz-'));
  return ['host', ...sent].filter((name) => !names.includes(name)).sort();
}
