import { domainOf } from '../../../lib/config/regions.js';
import { errorAnswer } from '../front/answer.js';
import type { Rule } from '../front/rule.js';
import { s3Host } from '../front/s3-target.js';
import { isLateRegion, regionTakesSigv2 } from '../regions.js';

/**
 * A bucket is served by its region's endpoint alone. MiniStack sees to that by the region a SigV4 signature names;
 * this rule by the region the host names, which is all that SigV2 and unsigned requests tell.
 */
export const wrongEndpoint: Rule = {
  name: 'wrong-endpoint',
  source:
    'S3 user guide, "Request redirection" and "Virtual hosting of general purpose buckets"; S3 API reference, error responses: PermanentRedirect, TemporaryRedirect, IllegalLocationConstraintException',
  applies: (call) =>
    call.service === 's3' &&
    call.hostRegion !== undefined &&
    call.bucket !== undefined &&
    !['CreateBucket', 'GetBucketLocation'].includes(call.operation),
  async handle(call, front, next) {
    const name = call.bucket as string;
    const endpoint = call.hostRegion === 'global' ? 'us-east-1' : (call.hostRegion as string);
    // Such an endpoint says so before it looks for the bucket.
    if (call.signature.version === 2 && !regionTakesSigv2(endpoint)) return next();
    const home = (await front.knowledge.bucket(name))?.region;
    if (home === undefined || home === endpoint) return next();
    const hosted = s3Host(call.request.headers.host)?.bucket !== undefined;
    const right = `${hosted ? `${name}.` : ''}s3.${home}.${domainOf(home)}`;
    const details = { Endpoint: right, Bucket: name };
    const headers = { 'x-amz-bucket-region': home };
    if (call.hostRegion === 'global' && isLateRegion(home)) {
      const message = `The ${home} location constraint is incompatible for the region specific endpoint this request was sent to.`;
      return errorAnswer(call, { status: 400, code: 'IllegalLocationConstraintException', message, headers });
    }
    if (call.hostRegion === 'global' && hosted) {
      // What a new bucket's own name gets until DNS leads to its region.
      const message =
        'Please re-send this request to the specified temporary endpoint. Continue to use the original request endpoint for future requests.';
      return errorAnswer(call, {
        status: 307,
        code: 'TemporaryRedirect',
        message,
        details,
        headers: { ...headers, Location: `https://${right}${call.url}` },
      });
    }
    const message =
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.';
    return errorAnswer(call, { status: 301, code: 'PermanentRedirect', message, details, headers });
  },
};
