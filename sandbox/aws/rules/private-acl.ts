import { errorAnswer } from '../front/answer.js';
import type { Rule } from '../front/rule.js';

/** BucketOwnerEnforced refuses every ACL but `bucket-owner-full-control`. For `private` reports conflict, hence a setting. */
export const privateAcl: Rule = {
  name: 'private-acl',
  source:
    'S3 user guide, "Controlling ownership of objects": ACL requests other than bucket-owner-full-control fail with AccessControlListNotSupported',
  applies: (call, front) =>
    front.settings.refusePrivateAcl &&
    call.service === 's3' &&
    ['PutObject', 'CopyObject', 'CreateMultipartUpload'].includes(call.operation) &&
    call.request.headers['x-amz-acl'] === 'private',
  async handle(call, front, next) {
    const bucket = await front.knowledge.bucket(call.bucket as string);
    if (bucket?.ownership !== 'BucketOwnerEnforced') return next();
    return errorAnswer(call, { status: 400, code: 'AccessControlListNotSupported', message: 'The bucket does not allow ACLs' });
  },
};
