import { errorAnswer } from '../front/answer.js';
import type { Rule } from '../front/rule.js';
import { regionTakesSigv2 } from '../regions.js';

/** S3 refuses Signature Version 2 in regions launched since 2014, and on new buckets everywhere. */
export const sigv2Refused: Rule = {
  name: 'sigv2-refused',
  source:
    'S3 user guide, "Authenticating requests (AWS signature version 2)"; AWS News Blog, "Amazon S3 update: SigV2 deprecation period extended and modified" (buckets created after 24 June 2020)',
  applies: (call) => call.service === 's3' && call.signature.version === 2,
  async handle(call, front, next) {
    const refused = errorAnswer(call, {
      status: 400,
      code: 'InvalidRequest',
      message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    });
    const endpoint = call.hostRegion === 'global' ? 'us-east-1' : call.hostRegion;
    if (endpoint !== undefined && !regionTakesSigv2(endpoint)) return refused;
    const bucket = call.bucket === undefined ? undefined : await front.knowledge.bucket(call.bucket);
    if (call.bucket === undefined || bucket === undefined) return next();
    if (!regionTakesSigv2(bucket.region)) return refused;
    const { buckets, regions, default: otherwise } = front.settings.sigv2;
    return (buckets[call.bucket] ?? regions[bucket.region] ?? otherwise) === 'accept' ? next() : refused;
  },
};
