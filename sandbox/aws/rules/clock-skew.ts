import { errorAnswer, type Answer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Front, Rule } from '../front/rule.js';

const MINUTE = 60_000;
const S3_SKEW = 15 * MINUTE;

/** A request dated more than 15 minutes off is refused; MiniStack sees to that for SigV4 and the machine's own clock only. */
export const clockSkew: Rule = {
  name: 'clock-skew',
  source:
    'S3 API reference, error responses: RequestTimeTooSkewed; S3 user guide, "Signing and authenticating REST requests", time stamp requirement',
  applies: (call, front) =>
    (call.signature.version === 2 && !call.signature.presigned) || (front.settings.clockOffsetMs !== 0 && call.signature.version === 4),
  async handle(call, front, next) {
    const signedAt = signingTime(call);
    if (signedAt === undefined) {
      if (call.signature.version !== 2) return next();
      return errorAnswer(call, {
        status: 403,
        code: 'AccessDenied',
        message: 'AWS authentication requires a valid Date or x-amz-date header',
      });
    }
    const allowed = call.service === 's3' ? S3_SKEW : 5 * MINUTE;
    return Math.abs(front.now() - signedAt) > allowed ? tooSkewed(call, front, signedAt, allowed) : next();
  },
};

/** Undefined when there is none, or none that can be read. */
function signingTime(call: Call): number | undefined {
  const { headers } = call.request;
  const text = String(headers['x-amz-date'] ?? call.query.get('X-Amz-Date') ?? headers.date ?? '');
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const time = Date.parse(basic === null ? text : `${basic[1]}-${basic[2]}-${basic[3]}T${basic[4]}:${basic[5]}:${basic[6]}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const stamp = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');

function tooSkewed(call: Call, front: Front, signedAt: number, allowed: number): Answer {
  const now = front.now();
  if (call.service === 's3') {
    return errorAnswer(call, {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
      details: { RequestTime: stamp(signedAt), ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: String(allowed) },
    });
  }
  const minutes = allowed / MINUTE;
  const message =
    signedAt < now
      ? `Signature expired: ${stamp(signedAt)} is now earlier than ${stamp(now - allowed)} (${stamp(now)} - ${minutes} min.)`
      : `Signature not yet current: ${stamp(signedAt)} is still later than ${stamp(now + allowed)} (${stamp(now)} + ${minutes} min.)`;
  const isJson = call.request.headers['x-amz-target'] !== undefined;
  return errorAnswer(
    call,
    isJson ? { status: 400, code: 'InvalidSignatureException', message } : { status: 403, code: 'SignatureDoesNotMatch', message },
  );
}
