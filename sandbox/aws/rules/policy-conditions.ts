import { errorAnswer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Rule } from '../front/rule.js';
import { denies, parsePolicy, type RequestContext } from '../front/policy.js';

const KEYS = ['s3:signatureversion', 's3:tlsversion'];

/** `s3:signatureversion` and `s3:TlsVersion` in the Deny statements of a bucket policy. */
export const policyConditions: Rule = {
  name: 'policy-conditions',
  source: 'Service authorization reference, "Condition keys for Amazon S3": s3:signatureversion, s3:TlsVersion',
  applies: (call) => call.service === 's3' && call.bucket !== undefined,
  async handle(call, front, next) {
    const text = (await front.knowledge.bucket(call.bucket as string))?.policy;
    if (text === undefined || !KEYS.some((key) => text.toLowerCase().includes(key))) return next();
    const { accessKeyId } = call.signature;
    const principal = accessKeyId === undefined ? undefined : await front.knowledge.principal(accessKeyId);
    if (accessKeyId !== undefined && principal === undefined) return next(); // an unknown key is MiniStack's to refuse
    const context = requestContext(call, front.partition, principal);
    const denied = parsePolicy(text).some(
      (statement) => KEYS.some((key) => statement.conditionKeys.has(key)) && denies(statement, context),
    );
    if (!denied) return next();
    const who = principal === undefined ? '' : `User: ${principal} is `;
    return errorAnswer(call, {
      status: 403,
      code: 'AccessDenied',
      message: `${who}not authorized to perform: ${context.action} on resource: "${context.resource}" with an explicit deny in a resource-based policy`,
    });
  },
};

const ACTIONS: Readonly<Record<string, string>> = {
  HeadObject: 'GetObject',
  CopyObject: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  UploadPartCopy: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  ListParts: 'ListMultipartUploadParts',
  DeleteObjects: 'DeleteObject',
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListMultipartUploads: 'ListBucketMultipartUploads',
};

function requestContext(call: Call, partition: string, principal: string | undefined): RequestContext {
  const acl = call.request.headers['x-amz-acl'];
  const { version, presigned } = call.signature;
  const signed: Record<string, string> =
    version === 'none'
      ? {}
      : {
          's3:signatureversion': version === 2 ? 'AWS' : 'AWS4-HMAC-SHA256',
          's3:authtype': presigned ? 'REST-QUERY-STRING' : 'REST-HEADER',
        };
  const keyArn = call.key ?? (call.operation === 'DeleteObjects' ? '*' : undefined);
  return {
    action: `s3:${ACTIONS[call.operation] ?? call.operation}`,
    resource: `arn:${partition}:s3:::${call.bucket}${keyArn === undefined ? '' : `/${keyArn}`}`,
    principal,
    keys: {
      ...signed,
      ...(principal === undefined ? {} : { 'aws:principalarn': principal, 'aws:principalaccount': principal.split(':')[4] as string }),
      ...(typeof acl === 'string' ? { 's3:x-amz-acl': acl } : {}),
      ...(call.query.has('prefix') ? { 's3:prefix': call.query.get('prefix') as string } : {}),
      's3:tlsversion': call.tlsVersion,
      'aws:securetransport': 'true',
    },
  };
}
