import { errorCode, whole, withBody, type Answer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Rule } from '../front/rule.js';

/** IAM tells when, where and for what a key was used last. */
export const lastUsed: Rule = {
  name: 'last-used',
  source: 'IAM API reference, GetAccessKeyLastUsed and AccessKeyLastUsed (a refused request counts too, if it was authenticated)',
  applies: (call) => call.signature.accessKeyId !== undefined,
  async handle(call, front, next) {
    const answer = await next();
    const known = answer.status >= 400 && call.method !== 'HEAD' ? await whole(answer) : answer;
    if (wasAuthenticated(call, known)) {
      const region = call.bucket === undefined ? call.region : ((await front.knowledge.bucket(call.bucket))?.region ?? call.region);
      front.knowledge.uses.note(call.signature.accessKeyId as string, {
        at: front.now(),
        service: call.service,
        region: region ?? 'us-east-1',
      });
    }
    if (call.service !== 'iam' || call.operation !== 'GetAccessKeyLastUsed' || known.status !== 200) return known;
    const use = front.knowledge.uses.last(String(call.parameters.AccessKeyId), front.now() - front.settings.lastUsedLagMs);
    if (use === undefined) return known;
    const told =
      `<LastUsedDate>${new Date(use.at).toISOString().replace(/\.\d+Z/, 'Z')}</LastUsedDate>` +
      `<Region>${use.region}</Region><ServiceName>${use.service}</ServiceName>`;
    const text = (await whole(known)).body.toString('utf8');
    return withBody(known, text.replace(/(<AccessKeyLastUsed>).*(<\/AccessKeyLastUsed>)/s, `$1${told}$2`));
  },
};

const UNAUTHENTICATED =
  /^(InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|RequestTimeTooSkewed|IncompleteSignature|MissingAuthenticationToken|InvalidToken|ExpiredToken|RequestExpired|Auth.*|InvalidRequest)$/;

function wasAuthenticated(call: Call, answer: Answer): boolean {
  if (answer.cut !== undefined || answer.status >= 500) return false;
  if (answer.status < 400) return true;
  if (!Buffer.isBuffer(answer.body) || call.method === 'HEAD') return answer.status === 404;
  return !UNAUTHENTICATED.test(errorCode({ ...answer, body: answer.body }) ?? '');
}
