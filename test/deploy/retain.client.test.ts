import { expect, test } from 'vitest';
import { withoutBuckets } from '../../lib/deploy/retain.client.js';

test('a bucket is let go with its policy; what speaks of it goes on doing so, by its name', () => {
  const policy = { Resource: [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, { 'Fn::Join': ['', [{ Ref: 'Bucket' }, '/*']] }, { Ref: 'Other' }] };
  const template = {
    Resources: {
      Bucket: { Type: 'AWS::S3::Bucket' },
      BucketPolicy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Bucket' } } },
      User: { Type: 'AWS::IAM::User', Properties: { policy } },
    },
    Outputs: { Name: { Value: { Ref: 'Bucket' } } },
  };
  expect(withoutBuckets(template, new Map([['Bucket', 'packages']]))).toEqual({
    Resources: {
      User: {
        Type: 'AWS::IAM::User',
        Properties: {
          policy: {
            Resource: [{ 'Fn::Sub': 'arn:${AWS::Partition}:s3:::packages' }, { 'Fn::Join': ['', ['packages', '/*']] }, { Ref: 'Other' }],
          },
        },
      },
    },
  });
});
