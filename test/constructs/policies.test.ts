import { describe, expect, test } from 'vitest';
import { bucketPolicy, MAX_USER_POLICY, policySize, userPolicy, type UserPolicyOptions } from '../../lib/constructs/policies.js';
import { ACCESSES } from '../../lib/contract/index.js';

const options: UserPolicyOptions = {
  partition: 'aws',
  bucketName: 'packages',
  bucketAccount: '111122223333',
  prefix: 'search',
  access: 'read-only',
  acl: 'bucket-owner-full-control',
  region: 'eu-west-1',
};
const actions = (over: Partial<UserPolicyOptions>) =>
  userPolicy({ ...options, ...over })
    .Statement.filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action = [] }) => Action);

describe('userPolicy', () => {
  test.each([
    ['read-only', ['s3:GetObject', 's3:ListBucket', 'kms:Decrypt']],
    ['append-only', ['s3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:PutObjectAcl', 'kms:Decrypt', 'kms:GenerateDataKey']],
    [
      'upload',
      ['s3:GetObject', 's3:DeleteObject', 's3:ListBucket', 's3:PutObject', 's3:PutObjectAcl', 'kms:Decrypt', 'kms:GenerateDataKey'],
    ],
  ] as const)('%s: these actions and no others', (access, expected) => {
    expect(actions({ access })).toEqual(expected);
  });

  test('confines objects and listings to the prefix, and all to the account', () => {
    const { Statement } = userPolicy({ ...options, access: 'upload' });
    expect(Statement.filter(({ Effect }) => Effect === 'Allow').slice(0, -1)).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:DeleteObject'],
        Resource: ['arn:aws:s3:::packages/search/*'],
        Condition: { StringEquals: { 'aws:ResourceAccount': '111122223333' } },
      },
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: ['arn:aws:s3:::packages'],
        Condition: { StringEquals: { 'aws:ResourceAccount': '111122223333' }, StringLike: { 's3:prefix': 'search/*' } },
      },
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectAcl'],
        Resource: ['arn:aws:s3:::packages/search/*'],
        Condition: { StringEquals: { 'aws:ResourceAccount': '111122223333', 's3:x-amz-acl': 'bucket-owner-full-control' } },
      },
    ]);
  });

  test('a whole bucket: the kit’s own objects are kept from writers', () => {
    const denied = (access: UserPolicyOptions['access']) =>
      userPolicy({ ...options, access, prefix: undefined }).Statement.filter(
        ({ Effect, Condition }) => Effect === 'Deny' && Condition === undefined,
      );
    expect(denied('upload')).toEqual([
      { Effect: 'Deny', Action: ['s3:Put*', 's3:Delete*'], Resource: ['arn:aws:s3:::packages/.halcyon-kit/*'] },
    ]);
    expect(denied('read-only')).toEqual([]);
  });

  test.each(ACCESSES)('%s: no plain HTTP and no old TLS, also where the bucket has no policy of ours', (access) => {
    for (const prefix of [undefined, 'search'])
      expect(
        userPolicy({ ...options, access, prefix }).Statement.filter(({ Effect, Resource }) => Effect === 'Deny' && Resource[0] === '*'),
      ).toEqual([
        { Effect: 'Deny', Action: ['s3:*'], Resource: ['*'], Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        { Effect: 'Deny', Action: ['s3:*'], Resource: ['*'], Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } },
      ]);
  });

  test.each([
    ['read-only', ['kms:Decrypt']],
    ['append-only', ['kms:Decrypt', 'kms:GenerateDataKey']],
    ['upload', ['kms:Decrypt', 'kms:GenerateDataKey']],
  ] as const)('%s uses whatever KMS key the bucket has, through S3 and for its objects only', (access, expected) => {
    expect(userPolicy({ ...options, access, prefix: 'payments' }).Statement.at(-1)).toEqual({
      Effect: 'Allow',
      Action: expected,
      Resource: ['arn:aws:kms:eu-west-1:*:key/*'],
      Condition: {
        StringLike: {
          'kms:ViaService': 's3.eu-west-1.amazonaws.*',
          'kms:EncryptionContext:aws:s3:arn': ['arn:aws:s3:::packages', 'arn:aws:s3:::packages/payments/*'],
        },
      },
    });
  });

  test('stays within a user’s inline policies with the longest bucket name, and the longest prefix', () => {
    for (const access of ACCESSES)
      for (const prefix of [undefined, 'p'.repeat(128)]) {
        const policy = userPolicy({ ...options, partition: 'aws-us-gov', bucketName: 'b'.repeat(63), prefix, access });
        expect(policySize(policy), access).toBeLessThanOrEqual(MAX_USER_POLICY);
      }
  });
});

describe('bucketPolicy', () => {
  const sids = (signing: 2 | 4) => bucketPolicy({ partition: 'aws', bucketName: 'packages', signing }).Statement.map(({ Sid }) => Sid);

  test('only denies', () => {
    const { Statement } = bucketPolicy({ partition: 'aws', bucketName: 'packages', signing: 4 });
    expect(new Set(Statement.map(({ Effect }) => Effect))).toEqual(new Set(['Deny']));
  });

  test('refuses signature version 2 where the buildpack signs with 4', () => {
    expect(sids(4)).toContain('DenySigV2');
    expect(sids(2)).not.toContain('DenySigV2');
  });

  test.each(['aws', 'aws-cn', 'aws-us-gov'])('names principals by pattern in %s', (partition) => {
    const { Statement } = bucketPolicy({ partition, bucketName: 'packages', signing: 4 });
    const pattern = (sid: string) => Statement.find(({ Sid }) => Sid === sid)?.Condition?.ArnLike?.['aws:PrincipalArn'];
    expect(pattern('DenyReadOnlyWrites')).toBe(`arn:${partition}:iam::*:user/halcyon/read-only/*`);
    expect(pattern('DenyAppendOnlyDeletes')).toBe(`arn:${partition}:iam::*:user/halcyon/append-only/*`);
    expect(pattern('DenyKitObjectWrites')).toBe(`arn:${partition}:iam::*:user/halcyon/*`);
    expect(JSON.stringify(Statement)).not.toContain(partition === 'aws' ? 'arn:aws-' : 'arn:aws:');
  });

  test('is far below S3’s limit', () => {
    const policy = bucketPolicy({ partition: 'aws-us-gov', bucketName: 'b'.repeat(63), signing: 4 });
    expect(JSON.stringify(policy).length).toBeLessThan((20 * 1024) / 4);
  });
});
