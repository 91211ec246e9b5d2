import { errorAnswer } from '../front/answer.js';
import type { Rule } from '../front/rule.js';

const HEADER = 'x-amz-expected-bucket-owner';

/** A bucket that is not the account's that the request names; all buckets here are of one account. */
export const expectedOwner: Rule = {
  name: 'expected-owner',
  source: 'S3 user guide, "Verifying bucket ownership with bucket owner condition": 403 Access Denied where the owner is another',
  applies: (call, front) => call.service === 's3' && (call.request.headers[HEADER] ?? front.account) !== front.account,
  handle: (call) => Promise.resolve(errorAnswer(call, { status: 403, code: 'AccessDenied', message: 'Access Denied' })),
};
