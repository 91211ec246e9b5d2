import { CfnParameter } from 'aws-cdk-lib/core';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { HalcyonBucket, type HalcyonBucketProps } from '../../lib/constructs/halcyon-bucket.js';
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
