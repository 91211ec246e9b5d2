import { setTimeout as sleep } from 'node:timers/promises';
import { CreateChangeSetCommand, ExecuteChangeSetCommand, waitUntilChangeSetCreateComplete } from '@aws-sdk/client-cloudformation';
import { CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { addKey } from '../support/accounts.js';
import { clients, failure, type Key } from '../support/clients.js';
import { changeStack, failures, stackNamed, type StackRequest } from '../support/stacks.js';

/** CloudFormation acts with its caller's permissions. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
let serial = 0;

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws(), startLocalAws({ bare: true })]);
});
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource?: string;
  readonly Condition?: object;
}

/** A user with these permissions beside all of CloudFormation. */
async function operator(on: LocalAws, ...statements: Statement[]): Promise<Key> {
  const UserName = `operator-${++serial}`;
  await clients(on).iam.send(new CreateUserCommand({ UserName }));
  const all = [{ Action: 'cloudformation:*' }, ...statements].map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: all });
  await clients(on).iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'operator', PolicyDocument }));
  return addKey(on, UserName);
}

const BUCKET = ['s3:CreateBucket', 's3:ListBucket'];
const USER = ['iam:CreateUser', 'iam:GetUser'];
const bucket = (BucketName: string, properties: object = {}) => ({ Type: 'AWS::S3::Bucket', Properties: { BucketName, ...properties } });
const user = (UserName: string, properties: object = {}) => ({
  Type: 'AWS::IAM::User',
  Properties: { UserName, Path: '/halcyon/', ...properties },
});
const bucketPolicy = (Bucket: string) => ({ Type: 'AWS::S3::BucketPolicy', Properties: { Bucket, PolicyDocument: {} } });
const secret = (Name: string) => ({ Type: 'AWS::SecretsManager::Secret', Properties: { Name } });
const Tags = [{ Key: 'team', Value: 'payments' }];
const inline = (Action: string) => ({
  Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] } }],
});

const status = async (request: StackRequest) => (await changeStack(aws, request))?.StackStatus ?? 'gone';
const refusal = (action: string, resource: string) =>
  `is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action (Service: `;

describe('what is missing fails the stack by name and rolls it back', () => {
  const arn = (rest: string) => `arn:aws:iam::111122223333:user/halcyon/${rest}`;
  test.each([
    ['a bucket', ['s3:ListBucket'], bucket('b-create'), 's3:CreateBucket', '"arn:aws:s3:::b-create"'],
    ['its tags', [...BUCKET, 's3:PutBucketTagging'], bucket('b-tags', { Tags }), 's3:TagResource', '"arn:aws:s3:::b-tags"'],
    [
      'its ownership',
      BUCKET,
      bucket('b-owner', { OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }),
      's3:PutBucketOwnershipControls',
      '"arn:aws:s3:::b-owner"',
    ],
    ['a bucket policy', ['s3:GetBucketPolicy'], bucketPolicy('b'), 's3:PutBucketPolicy', '"arn:aws:s3:::b"'],
    ['a user', ['iam:GetUser'], user('u-create'), 'iam:CreateUser', arn('u-create')],
    ["a user's policy", USER, user('u-policy', inline('s3:GetObject')), 'iam:PutUserPolicy', arn('u-policy')],
    ["a user's tags", USER, user('u-tags', { Tags }), 'iam:TagUser', arn('u-tags')],
    [
      'a secret',
      ['secretsmanager:DescribeSecret'],
      secret('halcyon/s'),
      'secretsmanager:CreateSecret',
      'arn:aws:secretsmanager:us-east-1:111122223333:secret:halcyon/s-AbCdEf',
    ],
  ])('%s', async (_what, Action, resource, missing, named) => {
    const name = `missing-${++serial}`;
    expect(await status({ name, resources: { Thing: resource }, key: await operator(aws, { Action }) })).toBe('ROLLBACK_COMPLETE');
    const [reason, ...others] = await failures(aws, name);
    expect(others).toEqual([]);
    expect(reason).toMatch(/^Thing CREATE_FAILED: Resource handler returned message: "User: arn:aws:iam::111122223333:user\/operator-\d+ /);
    expect(reason).toContain(refusal(missing, named));
    expect(reason).toMatch(/HandlerErrorCode: AccessDenied\)$/);
  });

  test('and MiniStack alone makes what its caller could not', async () => {
    const key = await operator(bare);
    const resources = { B: bucket('any-bucket', { Tags }) };
    expect((await changeStack(bare, { name: 'any', resources, key }))?.StackStatus).toBe('CREATE_COMPLETE');
    expect((await failure(clients(bare, { key }).s3.send(new HeadBucketCommand({ Bucket: 'any-bucket' })))).status).toBe(403);
  });
});

describe('what suffices', () => {
  test('is what the properties that are there need', async () => {
    const key = await operator(
      aws,
      { Action: BUCKET, Resource: 'arn:aws:s3:::plain-*' },
      { Action: 'iam:*', Resource: '*:user/halcyon/*' },
    );
    const resources = { B: bucket('plain-bucket'), U: user('plain-user', { ...inline('s3:GetObject'), Tags }) };
    expect(await status({ name: 'plain', resources, key })).toBe('CREATE_COMPLETE');
  });

  test('a path, a tag and a calling service may be conditions', async () => {
    const key = await operator(
      aws,
      { Action: 'iam:GetUser' },
      { Action: 'iam:TagUser', Condition: { StringEquals: { 'aws:RequestTag/team': 'payments' } } },
      { Action: 'iam:CreateUser', Condition: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' } } },
    );
    expect(await status({ name: 'tag-right', resources: { U: user('tag-right', { Tags }) }, key })).toBe('CREATE_COMPLETE');
    const wrong = { Tags: [{ Key: 'team', Value: 'search' }] };
    expect(await status({ name: 'tag-wrong', resources: { U: user('tag-wrong', wrong) }, key })).toBe('ROLLBACK_COMPLETE');
  });

  test('a denial of a policy counts', async () => {
    const key = await operator(aws, { Action: 's3:*' }, { Effect: 'Deny', Action: 's3:CreateBucket' });
    expect(await status({ name: 'denied', resources: { B: bucket('denied') }, key })).toBe('ROLLBACK_COMPLETE');
    expect((await failures(aws, 'denied'))[0]).toContain('with an explicit deny in an identity-based policy');
  });
});

describe('later', () => {
  test('an update needs what it changes; what is missing takes it back', async () => {
    const key = await operator(aws, { Action: [...BUCKET, 's3:PutBucketTagging', 's3:TagResource'] });
    const name = 'later';
    expect(await status({ name, resources: { B: bucket('later', { Tags }) }, key })).toBe('CREATE_COMPLETE');
    const more = [...Tags, { Key: 'env', Value: 'test' }];
    expect(await status({ name, resources: { B: bucket('later', { Tags: more }) }, key })).toBe('UPDATE_COMPLETE');
    expect(await status({ name, resources: { B: bucket('later', { Tags }) }, key })).toMatch(/^UPDATE_ROLLBACK/);
    expect((await failures(aws, name))[0]).toContain(refusal('s3:UntagResource', '"arn:aws:s3:::later"'));
  });

  test('a deletion needs all that its handler asks about', async () => {
    const key = await operator(aws, { Action: ['iam:CreateUser', 'iam:DeleteUser', 'iam:GetUser', 'iam:List*'] });
    expect(await status({ name: 'gone', resources: { U: user('gone') }, key })).toBe('CREATE_COMPLETE');
    expect(await status({ name: 'gone', key })).toBe('DELETE_FAILED');
    expect((await failures(aws, 'gone'))[0]).toContain('is not authorized to perform: iam:DeleteLoginProfile');
    expect(await status({ name: 'gone' }), 'root may').toBe('gone');
  });

  test('an import reads all of a bucket', async () => {
    const { s3, cloudformation } = clients(aws);
    await s3.send(new CreateBucketCommand({ Bucket: 'imported' }));
    const key = await operator(aws, {
      Action: ['s3:GetBucket*', 's3:GetLifecycleConfiguration', 's3:GetAccelerateConfiguration', 's3:ListBucket'],
    });
    const change = { StackName: 'imported', ChangeSetName: 'import' };
    const TemplateBody = JSON.stringify({ Resources: { B: { ...bucket('imported'), DeletionPolicy: 'Retain' } } });
    await cloudformation.send(
      new CreateChangeSetCommand({
        ...change,
        TemplateBody,
        ChangeSetType: 'IMPORT',
        ResourcesToImport: [{ ResourceType: 'AWS::S3::Bucket', LogicalResourceId: 'B', ResourceIdentifier: { BucketName: 'imported' } }],
      }),
    );
    await waitUntilChangeSetCreateComplete({ client: cloudformation, maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.2 }, change);
    await clients(aws, { key }).cloudformation.send(new ExecuteChangeSetCommand(change));
    while ((await stackNamed(aws, 'imported'))?.StackStatus?.endsWith('_IN_PROGRESS')) await sleep(20);
    expect((await failures(aws, 'imported'))[0]).toContain(refusal('s3:GetAnalyticsConfiguration', '"arn:aws:s3:::imported"'));
  });
});
