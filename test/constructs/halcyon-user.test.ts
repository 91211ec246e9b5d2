import { CfnParameter, Tags } from 'aws-cdk-lib/core';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { HalcyonBucket, type HalcyonBucketAttributes } from '../../lib/constructs/halcyon-bucket.js';
import { HalcyonUser, type HalcyonUserProps } from '../../lib/constructs/halcyon-user.js';
import { MAX_USER_POLICY, policySize, userPolicy, type PolicyDocumentJson } from '../../lib/constructs/policies.js';
import { validateUserPolicy } from '../../lib/constructs/validation.js';
import { reachDigest } from '../../lib/contract/index.js';
import { testStack } from '../support/stack.js';

const PROPS = { team: 'payments', access: 'upload' } as const;
const BUCKET: HalcyonBucketAttributes = { bucketName: 'packages' };
type Props = Partial<Omit<HalcyonUserProps, 'bucket'>>;
const templateOf = (props: Props = {}, region = 'eu-west-1', attributes = BUCKET): Template => {
  const stack = testStack({ account: '111122223333', region });
  new HalcyonUser(stack, 'User', { ...PROPS, bucket: HalcyonBucket.fromName(stack, 'Packages', attributes), ...props });
  return Template.fromStack(stack);
};

describe('the user', () => {
  test('has its name, path and tags, and its policy inline', () => {
    templateOf().hasResource('AWS::IAM::User', {
      Properties: {
        UserName: Match.stringLikeRegexp('^halcyon\\.team\\.payments\\.upload\\.[0-9a-f]{6}$'),
        Path: '/halcyon/upload/payments/',
        Policies: [{ PolicyName: 'halcyon', PolicyDocument: Match.objectLike({ Version: '2012-10-17' }) }],
        Tags: Match.arrayWith([
          { Key: 'halcyon:access', Value: 'upload' },
          { Key: 'halcyon:team', Value: 'payments' },
        ]),
      },
    });
    templateOf().resourceCountIs('AWS::IAM::Policy', 0);
  });

  test('is known as what it is, whatever tags the stack around it has', () => {
    const stack = testStack({ account: '111122223333', region: 'eu-west-1' });
    new HalcyonUser(stack, 'User', { ...PROPS, bucket: HalcyonBucket.fromName(stack, 'Packages', BUCKET) });
    Tags.of(stack).add('halcyon:team', 'another');
    Tags.of(stack).add('cost', 'ours');
    for (const type of ['AWS::IAM::User', 'AWS::SecretsManager::Secret'])
      Template.fromStack(stack).hasResourceProperties(type, {
        Tags: Match.arrayWith([
          { Key: 'cost', Value: 'ours' },
          { Key: 'halcyon:team', Value: 'payments' },
        ]),
      });
  });

  test('of one app is named after it', () => {
    const template = templateOf({ app: 'payments-api', access: 'read-only' });
    template.hasResourceProperties('AWS::IAM::User', {
      UserName: Match.stringLikeRegexp('^halcyon\\.app\\.payments-api\\.read-only\\.[0-9a-f]{6}$'),
      Tags: Match.arrayWith([{ Key: 'halcyon:app', Value: 'payments-api' }]),
    });
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: Match.stringLikeRegexp('^halcyon/payments/payments-api/read-only/[0-9a-f]{6}$'),
    });
  });

  test.each([
    ['eu-west-1', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('in %s its policy speaks of partition %s', (region, partition) => {
    const [user] = Object.values(templateOf({}, region).findResources('AWS::IAM::User'));
    const text = JSON.stringify(user?.Properties.Policies);
    expect(text).toContain(`"arn:${partition}:s3:::packages/*"`);
    expect(text.match(/arn:[a-z-]+:/g)?.every((arn) => arn === `arn:${partition}:`)).toBe(true);
  });
});

describe('its bucket', () => {
  test('may be made by whoever has what the interface asks for', () => {
    const stack = testStack({ account: '111122223333', region: 'eu-west-1' });
    const named = HalcyonBucket.fromName(stack, 'Packages', { ...BUCKET, prefix: 'search' });
    const { node, bucket, prefix, acl } = named;
    const theirs = { node, bucket, prefix, acl } as HalcyonUserProps['bucket'];
    const [one, other] = [named, theirs].map((of, i) => new HalcyonUser(stack, `User${i}`, { ...PROPS, bucket: of }).principal);
    expect(other).toEqual(one);
  });

  test('of another account and region, and a prefix of it, is in its policy, name and tags', () => {
    const attributes = { ...BUCKET, account: '444455556666', region: 'eu-central-1', prefix: 'search', acl: 'private' } as const;
    const [user] = Object.values(templateOf({}, 'eu-west-1', attributes).findResources('AWS::IAM::User'));
    const reach = { account: '444455556666', region: 'eu-central-1', bucketName: 'packages', prefix: 'search', acl: 'private' } as const;
    expect(user?.Properties.UserName).toBe(`halcyon.team.payments.upload.${reachDigest(reach, 'upload')}`);
    expect(user?.Properties.Policies[0].PolicyDocument).toEqual(
      userPolicy({ ...reach, bucketAccount: reach.account, partition: 'aws', access: 'upload' }),
    );
    expect(user?.Properties.Tags).toEqual(
      expect.arrayContaining([
        { Key: 'halcyon:prefix', Value: 'search' },
        { Key: 'halcyon:region', Value: 'eu-central-1' },
        { Key: 'halcyon:acl', Value: 'private' },
      ]),
    );
  });

  test('of the same stack is there before it', () => {
    const stack = testStack({ account: '111122223333', region: 'eu-west-1' });
    new HalcyonUser(stack, 'User', { ...PROPS, bucket: new HalcyonBucket(stack, 'Packages', { acl: 'private' }) });
    const text = JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::User'));
    expect(text).toMatch(/"Ref":"PackagesBucket/);
    expect(text).toContain('"s3:x-amz-acl":"private"');
  });
});

describe('the secret', () => {
  test('is empty: the key comes later', () => {
    const template = templateOf();
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: Match.stringLikeRegexp('^halcyon/payments/upload/[0-9a-f]{6}$'),
      SecretString: Match.absent(),
      GenerateSecretString: Match.absent(),
    });
    template.resourceCountIs('AWS::IAM::AccessKey', 0);
  });

  test('outlives the user, which cannot go while it has keys', () => {
    const template = templateOf();
    const [secret] = Object.keys(template.findResources('AWS::SecretsManager::Secret'));
    template.hasResource('AWS::IAM::User', { DependsOn: [secret] });
  });
});

describe('refuses', () => {
  test.each<[Props, RegExp]>([
    [{ access: 'write' as never }, /`access` must be one of read-only, upload, append-only, got: "write"/],
    [{ team: 'pay ments' }, /`team` must be letters, digits/],
    [{ app: 'a/b' }, /`app` must be letters, digits/],
    [{ team: 't'.repeat(50) }, /its IAM user name is 77 characters, and IAM allows 64/],
  ])('%j', (props, message) => {
    expect(() => templateOf(props)).toThrow(message);
  });

  test('a policy that IAM would not take', () => {
    const policy = (arn: string): PolicyDocumentJson => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: [arn] }],
    });
    const room = MAX_USER_POLICY - policySize(policy(''));
    expect(() => validateUserPolicy('halcyon.team.payments.upload', policy('x'.repeat(room)))).not.toThrow();
    expect(() => validateUserPolicy('halcyon.team.payments.upload', policy('x'.repeat(room + 1)))).toThrow(
      'the policy of halcyon.team.payments.upload is 2049 characters, and IAM allows 2048 inline a user; use a shorter bucket name or prefix',
    );
  });

  test('nothing that only CloudFormation knows', () => {
    const stack = testStack();
    const parameter = (id: string) => new CfnParameter(stack, id).valueAsString;
    const bucket = HalcyonBucket.fromName(stack, 'Packages', {
      bucketName: parameter('Name'),
      account: parameter('Owner'),
      prefix: parameter('Prefix'),
    });
    new HalcyonUser(stack, 'User', { ...PROPS, bucket });
    expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::User'))).toContain('{"Ref":"Owner"}');
  });
});
