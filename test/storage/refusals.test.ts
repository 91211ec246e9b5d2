import { describe, expect, test } from 'vitest';
import { classifyRefusal, type RefusalContext, type RefusalKind, type Refused } from '../../lib/storage/refusals.js';

const context: RefusalContext = {
  bucket: 'acme',
  endpoint: 's3.eu-west-1.amazonaws.com',
  region: 'eu-west-1',
  signing: 4,
  acl: 'private',
  keyId: 'AKIAEXAMPLE',
  team: 'payments',
};
const answer = (status: number, code?: string, message?: string, more: object = {}): Refused => ({
  operation: 'download',
  status,
  error: { code, message, ...more },
});
const none = (code: string): Refused => ({ operation: 'download', failure: { code, message: 'it failed' } });
const upload = (refused: Refused): Refused => ({ ...refused, operation: 'upload' });

const UNKNOWN_KEY = answer(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
const arn = 'User: arn:aws:iam::111122223333:user/halcyon/x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::acme/k"';

const TABLE: Array<[what: string, outcome: Refused, kind: RefusalKind, message: RegExp, fix: RegExp, context?: Partial<RefusalContext>]> = [
  [
    'SigV2 refused',
    answer(400, 'InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'),
    'sigv2-refused',
    /^bucket acme takes Signature Version 4 only, and the request was signed with version 2$/,
    /signing: \{ version: 4 \}.*halcyon-kit up payments/,
    { signing: 2 },
  ],
  [
    'SigV2 on an object under a KMS key',
    answer(400, 'InvalidArgument', 'Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.'),
    'sigv2-refused',
    /takes Signature Version 4 only/,
    /version: 4/,
    { signing: 2 },
  ],
  [
    'ACL refused',
    upload(answer(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs')),
    'acl-refused',
    /^bucket acme does not allow ACLs, and uploads are sent with private$/,
    /acl: bucket-owner-full-control/,
  ],
  [
    'public ACL blocked',
    upload(
      answer(
        403,
        'AccessDenied',
        'User: x is not authorized to perform: s3:PutObject on resource: "y" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.',
      ),
    ),
    'acl-refused',
    /blocks public ACLs, and uploads are sent with public-read/,
    /BlockPublicAcls/,
    { acl: 'public-read' },
  ],
  [
    '301',
    answer(301, 'PermanentRedirect', 'x', { region: 'us-east-2' }),
    'wrong-endpoint',
    /is in us-east-2, not in eu-west-1/,
    /region: us-east-2/,
  ],
  ['307 without a region', answer(307, 'TemporaryRedirect'), 'wrong-endpoint', /is not served by s3.eu-west-1/, /remove "endpoint"/],
  ['a redirect without a body', answer(301), 'wrong-endpoint', /is not served by/, /halcyon-kit sync payments/],
  [
    '400 for another region',
    answer(
      400,
      'AuthorizationHeaderMalformed',
      "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'eu-central-1'",
    ),
    'wrong-endpoint',
    /is in eu-central-1, not in eu-west-1/,
    /region: eu-central-1/,
  ],
  [
    '400 of a late region',
    answer(400, 'IllegalLocationConstraintException', 'The me-south-1 location constraint is incompatible', { region: 'me-south-1' }),
    'wrong-endpoint',
    /is in me-south-1/,
    /region: me-south-1/,
  ],
  ['no such host', none('ENOTFOUND'), 'wrong-endpoint', /there is no host s3.eu-west-1.amazonaws.com/, /"endpoint"/],
  ['an unknown key', UNKNOWN_KEY, 'key-unknown', /AWS does not know key AKIAEXAMPLE/, /halcyon-kit up payments/],
  ['a deleted key', UNKNOWN_KEY, 'key-unknown', /does not know/, /halcyon-kit up/, { keyStatus: 'absent' }],
  ['an inactive key', UNKNOWN_KEY, 'key-inactive', /key AKIAEXAMPLE is inactive/, /halcyon-kit sync payments/, { keyStatus: 'Inactive' }],
  ['a new key', UNKNOWN_KEY, 'key-not-yet-known', /active in IAM, but S3 does not know it yet/, /wait/, { keyStatus: 'Active' }],
  [
    'a wrong secret',
    answer(403, 'SignatureDoesNotMatch', 'x'),
    'secret-wrong',
    /secret does not belong to key AKIAEXAMPLE/,
    /sync payments/,
  ],
  [
    'no policy',
    answer(403, 'AccessDenied', `${arn} because no identity-based policy allows the s3:GetObject action`),
    'policy-denies',
    /^policy denies s3:GetObject \(no identity-based policy allows it\)$/,
    /halcyon-kit up payments/,
  ],
  [
    'an explicit deny of the bucket',
    answer(403, 'AccessDenied', `${arn} with an explicit deny in a resource-based policy`),
    'policy-denies',
    /^policy denies s3:GetObject \(an explicit deny in a resource-based policy\)$/,
    /look at the bucket policy;/,
  ],
  [
    'an explicit deny where SigV2 is used',
    answer(403, 'AccessDenied', `${arn} with an explicit deny in a resource-based policy`),
    'policy-denies',
    /resource-based/,
    /may deny Signature Version 2/,
    { signing: 2 },
  ],
  ['a bare 403', answer(403, 'AccessDenied', 'Access Denied'), 'policy-denies', /^policy denies s3:GetObject$/, /halcyon-kit up payments/],
  [
    'the KMS key',
    answer(
      403,
      'AccessDenied',
      'User: x is not authorized to perform: kms:Decrypt on resource: y because no identity-based policy allows the kms:Decrypt action',
    ),
    'kms-denies',
    /KMS key refuses: 403 AccessDenied/,
    /kmsKeyArn/,
  ],
  ['a disabled KMS key', answer(400, 'KMS.DisabledException', 'x is disabled'), 'kms-denies', /KMS.DisabledException/, /enabled/],
  [
    'no bucket',
    answer(404, 'NoSuchBucket', 'The specified bucket does not exist'),
    'bucket-gone',
    /bucket acme does not exist/,
    /halcyon-kit up payments/,
  ],
  ['clock skew', { ...answer(403, 'RequestTimeTooSkewed'), clockAheadMs: -3_600_000 }, 'clock-skew', /off by 60 minutes/, /NTP/],
  ['a certificate nobody signed', none('SELF_SIGNED_CERT_IN_CHAIN'), 'tls', /SELF_SIGNED_CERT_IN_CHAIN/, /AWS_CA_BUNDLE/],
  ['a certificate for another name', none('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls', /TLS to s3.eu-west-1/, /certificate/],
  ['an expired certificate', none('CERT_HAS_EXPIRED'), 'tls', /CERT_HAS_EXPIRED/, /certificate/],
  ['no TLS at all', none('EPROTO'), 'tls', /EPROTO/, /certificate/],
  ['nobody there', none('ECONNREFUSED'), 'endpoint-unreachable', /cannot be reached/, /network/],
  ['a reset', none('ECONNRESET'), 'endpoint-unreachable', /ECONNRESET/, /network/],
  ['slow down', answer(503, 'SlowDown', 'Please reduce your request rate.'), 'throttled', /slow down/, /wait/],
  ['429', answer(429), 'throttled', /429/, /wait/],
  ['500', answer(500, 'InternalError', 'x'), 'server-error', /500 InternalError/, /try again/],
  ['something else', answer(405, 'MethodNotAllowed', 'x'), 'refused', /405 MethodNotAllowed: x/, /region eu-west-1, signature version 4/],
];

test.each(TABLE)('%s', (_, outcome, kind, message, fix, more = {}) => {
  const refusal = classifyRefusal(outcome, { ...context, ...more });
  expect(refusal).toMatchObject({ kind, message: expect.stringMatching(message) as string, fix: expect.stringMatching(fix) as string });
  expect(refusal!.looksLike).toMatch(/^"(Down|Up)loading s3:\/\/acme\/…\.\.\. \d{3} \([a-z ]+\)"/);
});

test('every refusal has a test', () => {
  const tested = new Set(TABLE.map(([, , kind]) => kind));
  const all: Record<RefusalKind, true> = {
    'sigv2-refused': true,
    'acl-refused': true,
    'wrong-endpoint': true,
    'endpoint-unreachable': true,
    tls: true,
    'key-unknown': true,
    'key-inactive': true,
    'key-not-yet-known': true,
    'secret-wrong': true,
    'policy-denies': true,
    'kms-denies': true,
    'bucket-gone': true,
    'clock-skew': true,
    throttled: true,
    'server-error': true,
    refused: true,
  };
  expect([...tested].sort()).toEqual(Object.keys(all).sort());
});

describe('no refusal', () => {
  test.each([
    ['done', { operation: 'upload', status: 200 }],
    ['deleted', { operation: 'delete', status: 204 }],
    ['a cache miss', answer(404, 'NoSuchKey', 'The specified key does not exist.')],
  ] as Array<[string, Refused]>)('%s', (_, outcome) => expect(classifyRefusal(outcome, context)).toBeUndefined());
});

describe('what a build log shows', () => {
  const shown = (outcome: Refused) => classifyRefusal(outcome, context)?.looksLike;
  test.each([
    [
      answer(403),
      '"Downloading s3://acme/…... 403 (forbidden)", then the build goes on as if nothing were stored, up to "Deploying buildpack only"',
    ],
    [
      answer(301),
      '"Downloading s3://acme/…... 301 (moved permanently)", "Retrying in 2 seconds (1/5)..." four times, then "Incorrect HALCYON_S3_ENDPOINT", and the build fails',
    ],
    [upload(answer(400)), '"Uploading s3://acme/…... 400 (bad request)", "Retrying in 2 seconds (1/5)..." four times, and the build fails'],
    [
      none('ECONNREFUSED'),
      '"Downloading s3://acme/…... 000 (unknown)", "Retrying in 2 seconds (1/5)..." four times, then the build goes on as if nothing were stored, up to "Deploying buildpack only"',
    ],
    [
      { ...answer(403), operation: 'list' as const },
      '"Listing s3://acme/…... 403 (forbidden)", then the build goes on without what is stored',
    ],
    [
      { ...answer(403), operation: 'delete' as const },
      '"Deleting s3://acme/…... 403 (forbidden)", then the build goes on; old archives stay',
    ],
  ])('%j', (outcome, line) => expect(shown(outcome)).toBe(line));
});
