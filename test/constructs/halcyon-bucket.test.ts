import { CfnParameter } from 'aws-cdk-lib/core';
import { Role, ServicePrincipal, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { HalcyonBucket, type HalcyonBucketAttributes, type HalcyonBucketProps } from '../../lib/constructs/halcyon-bucket.js';
import { userPolicy } from '../../lib/constructs/policies.js';
import { testStack } from '../support/stack.js';

const templateOf = (props?: HalcyonBucketProps): Template => {
  const stack = testStack();
  new HalcyonBucket(stack, 'Storage', props);
  return Template.fromStack(stack);
};
const bucketHas = (props: HalcyonBucketProps | undefined, properties: Record<string, unknown>) =>
  templateOf(props).hasResourceProperties('AWS::S3::Bucket', properties);
const ALL_BLOCKED = { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true };
const ownership = (ObjectOwnership: string) => ({ OwnershipControls: { Rules: [{ ObjectOwnership }] } });

describe('by default', () => {
  test('no ACLs, nothing public, encrypted, unfinished uploads aborted', () => {
    bucketHas(undefined, {
      ...ownership('BucketOwnerEnforced'),
      PublicAccessBlockConfiguration: ALL_BLOCKED,
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      VersioningConfiguration: Match.absent(),
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } })]),
      },
    });
  });

  test('is kept, unless it was made by a deployment that failed', () => {
    templateOf().hasResource('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    templateOf({ retain: false }).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Retain' });
  });

  test.each([
    ['plain HTTP', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['TLS older than 1.2', { NumericLessThan: { 's3:TlsVersion': '1.2' } }],
    ['signature version 2', { StringEquals: { 's3:signatureversion': 'AWS' } }],
  ])('denies %s to everyone', (_what, Condition) => {
    templateOf().hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Principal: '*', Action: 's3:*', Condition })]) },
    });
  });
});

describe('props', () => {
  test('acl private enables ACLs, and stays private', () => {
    bucketHas({ acl: 'private' }, { ...ownership('BucketOwnerPreferred'), PublicAccessBlockConfiguration: ALL_BLOCKED });
  });

  test('acl public-read lets public ACLs in, and public policies never', () => {
    bucketHas(
      { acl: 'public-read', allowPublicRead: true },
      {
        ...ownership('BucketOwnerPreferred'),
        PublicAccessBlockConfiguration: { ...ALL_BLOCKED, BlockPublicAcls: false, IgnorePublicAcls: false },
      },
    );
  });

  test('formerAcls are let in as well, and what is public by them alone is not shown', () => {
    bucketHas({ formerAcls: ['private'] }, { ...ownership('BucketOwnerPreferred'), PublicAccessBlockConfiguration: ALL_BLOCKED });
    bucketHas(
      { acl: 'private', formerAcls: ['public-read'] },
      { ...ownership('BucketOwnerPreferred'), PublicAccessBlockConfiguration: { ...ALL_BLOCKED, BlockPublicAcls: false } },
    );
    bucketHas({ formerAcls: [] }, { ...ownership('BucketOwnerEnforced'), PublicAccessBlockConfiguration: ALL_BLOCKED });
  });

  test('kmsKeyArn encrypts with that key', () => {
    const kmsKeyArn = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    bucketHas(
      { kmsKeyArn },
      {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKeyArn } },
          ],
        },
      },
    );
  });

  test('expiry and noncurrent versions have rules of their own', () => {
    bucketHas(
      { expireAfterDays: 365, versioning: true, noncurrentDays: 14 },
      {
        VersioningConfiguration: { Status: 'Enabled' },
        LifecycleConfiguration: {
          Rules: [
            Match.objectLike({ Id: 'abort-unfinished-uploads' }),
            { Id: 'expire-archives', Status: 'Enabled', ExpirationInDays: 365 },
            {
              Id: 'expire-noncurrent-versions',
              Status: 'Enabled',
              ExpiredObjectDeleteMarker: true,
              NoncurrentVersionExpiration: { NoncurrentDays: 14 },
            },
          ],
        },
      },
    );
  });

  test('noncurrent versions expire without versioning, too: it may have been on before', () => {
    const expire = { Id: 'expire-noncurrent-versions', NoncurrentVersionExpiration: { NoncurrentDays: 30 } };
    bucketHas(
      {},
      { LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike(expire)]) }, VersioningConfiguration: Match.absent() },
    );
  });

  test('the bucket is there for more', () => {
    const stack = testStack();
    const { bucket } = new HalcyonBucket(stack, 'Storage');
    expect(stack.resolve(bucket.bucketName)).toHaveProperty('Ref');
  });
});

describe('refuses', () => {
  test.each<[HalcyonBucketProps, RegExp]>([
    [{ bucketName: 'No_Capitals' }, /`bucketName` is not a bucket name: .*"No_Capitals"/],
    [{ bucketName: 'ab' }, /`bucketName` is not a bucket name: .*3 to 63/],
    [{ acl: 'public-read' }, /set `allowPublicRead: true` if that is meant/],
    [{ acl: 'authenticated-read' as never }, /`acl` must be one of .*got: "authenticated-read"/],
    [{ kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:alias/halcyon' }, /`kmsKeyArn` must be the ARN of the key itself/],
    [{ kmsKeyArn: 'halcyon' }, /`kmsKeyArn` must be the ARN of a KMS key/],
    [{ expireAfterDays: 0 }, /`expireAfterDays` must be a whole number of days, at least 1, got: 0/],
    [{ noncurrentDays: 1.5 }, /`noncurrentDays` must be a whole number of days, at least 1, got: 1.5/],
  ])('%j', (props, message) => {
    expect(() => templateOf(props)).toThrow(message);
  });

  test('nothing that only CloudFormation knows', () => {
    const stack = testStack();
    const name = new CfnParameter(stack, 'Name').valueAsString;
    new HalcyonBucket(stack, 'Storage', { bucketName: name, kmsKeyArn: new CfnParameter(stack, 'KeyArn').valueAsString });
    Template.fromStack(stack).hasResourceProperties('AWS::S3::Bucket', { BucketName: { Ref: 'Name' } });
  });
});

const ENV = { account: '111122223333', region: 'eu-west-1' };
const OTHER = '444455556666';

describe('fromName', () => {
  test('makes nothing, and is of the stack’s account and region unless it says otherwise', () => {
    const stack = testStack(ENV);
    const near = HalcyonBucket.fromName(stack, 'Near', { bucketName: 'packages' });
    const far = HalcyonBucket.fromName(stack, 'Far', {
      bucketName: 'packages',
      account: OTHER,
      region: 'us-east-1',
      prefix: 'p',
      acl: 'private',
    });
    expect([near.bucket.env, near.prefix, near.acl]).toEqual([ENV, undefined, 'bucket-owner-full-control']);
    expect([far.bucket.env, far.prefix, far.acl]).toEqual([{ account: OTHER, region: 'us-east-1' }, 'p', 'private']);
    expect(Template.fromStack(stack).toJSON()).not.toHaveProperty('Resources');
  });

  test.each<[Partial<HalcyonBucketAttributes>, RegExp]>([
    [{ bucketName: 'A' }, /`bucketName` is not a bucket name/],
    [{ account: '1234' }, /`account` must be an AWS account id of 12 digits/],
    [{ acl: 'bucket-owner-read' as never }, /`acl` must be one of/],
    [{ prefix: '/packages/' }, /`prefix` must not begin or end with a slash/],
    [{ prefix: 'a b' }, /`prefix` must be letters, digits/],
    [{ prefix: '.halcyon-kit/x' }, /`prefix` must not be under ".halcyon-kit"/],
  ])('refuses %j', (attributes, message) => {
    expect(() => HalcyonBucket.fromName(testStack(), 'Packages', { bucketName: 'packages', ...attributes })).toThrow(message);
  });
});

describe('grants', () => {
  /** The statements of a role's policy, each list of one as IAM also takes it. */
  const granted = (attributes: Partial<HalcyonBucketAttributes>, grant: 'grantRead' | 'grantUpload') => {
    const stack = testStack(ENV);
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('codebuild.amazonaws.com') });
    expect(HalcyonBucket.fromName(stack, 'Packages', { bucketName: 'packages', ...attributes })[grant](role).success).toBe(true);
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    return policy?.Properties.PolicyDocument.Statement as Record<string, unknown>[];
  };
  const plain = (statements: readonly object[]) =>
    statements
      .map((statement) =>
        Object.fromEntries(
          Object.entries(statement).map(([name, value]) => [name, Array.isArray(value) && value.length === 1 ? value[0] : value]),
        ),
      )
      .map((statement) => JSON.stringify(statement, Object.keys(statement).sort()))
      .sort();

  test.each([
    ['grantRead', 'read-only', undefined],
    ['grantUpload', 'upload', undefined],
    ['grantUpload', 'upload', 'search'],
  ] as const)('%s gives a role what a user of access %s has (prefix: %s), and denies it nothing elsewhere', (grant, access, prefix) => {
    const { Statement } = userPolicy({
      ...{ partition: 'aws', bucketName: 'packages', bucketAccount: OTHER, region: 'us-east-1' },
      ...{ access, prefix, acl: 'private' },
    });
    const here = Statement.filter(({ Resource }) => !Resource.includes('*'));
    const statements = granted({ account: OTHER, region: 'us-east-1', prefix, acl: 'private' }, grant);
    expect(plain(statements)).toEqual(plain(here));
    expect(statements.map(({ Condition }) => Condition).filter(Boolean)).toEqual(
      expect.arrayContaining(here.map(({ Condition }) => Condition).filter(Boolean)),
    );
  });

  test('a role of another account is let in by the bucket’s own policy as well, which says nothing of KMS', () => {
    const stack = testStack(ENV);
    const far: IGrantable = Role.fromRoleArn(stack, 'Role', `arn:aws:iam::${OTHER}:role/builder`);
    new HalcyonBucket(stack, 'Storage').grantRead(far);
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::S3::BucketPolicy'));
    const allowed = policy?.Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
    expect(allowed.map(({ Action, Principal }: Record<string, unknown>) => [Action, Principal])).toEqual([
      ['s3:GetObject', { AWS: `arn:aws:iam::${OTHER}:role/builder` }],
      ['s3:ListBucket', { AWS: `arn:aws:iam::${OTHER}:role/builder` }],
    ]);
  });
});

describe('metrics', () => {
  test.each([
    ['metricBucketSizeBytes', 'BucketSizeBytes', 'StandardStorage'],
    ['metricNumberOfObjects', 'NumberOfObjects', 'AllStorageTypes'],
  ] as const)('%s can be alarmed on', (helper, MetricName, StorageType) => {
    const stack = testStack(ENV);
    const metric = HalcyonBucket.fromName(stack, 'Packages', { bucketName: 'packages' })[helper]();
    new Alarm(stack, 'Alarm', { metric, threshold: 1, evaluationPeriods: 1 });
    Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
      ...{ Namespace: 'AWS/S3', MetricName, Statistic: 'Average', Period: 86_400 },
      Dimensions: [
        { Name: 'BucketName', Value: 'packages' },
        { Name: 'StorageType', Value: StorageType },
      ],
    });
  });

  test('are of the bucket’s own region, and give way to props', () => {
    const stack = testStack(ENV);
    const far = HalcyonBucket.fromName(stack, 'Packages', { bucketName: 'packages', region: 'us-east-1' });
    expect(far.metricBucketSizeBytes({ label: 'packages', statistic: 'Maximum' })).toMatchObject({
      ...{ region: 'us-east-1', label: 'packages', statistic: 'Maximum' },
    });
  });
});
