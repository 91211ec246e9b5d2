import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { addKey, userWithKey } from '../support/accounts.js';
import { clients, failure, type Key } from '../support/clients.js';
import { changeStack, failures } from '../support/stacks.js';

/** What IAM decides about users: boundaries and paths. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
const Bucket = 'iam-bucket';
const document = (...statements: object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements.map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement })) });
const outcome = async (call: Promise<unknown>) => (await failure(call)).name;

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws(), startLocalAws({ bare: true })]);
  for (const on of [aws, bare]) {
    await clients(on).s3.send(new CreateBucketCommand({ Bucket }));
    await clients(on).s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' }));
  }
});
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

const get = (key: Key) => outcome(clients(aws, { key }).s3.send(new GetObjectCommand({ Bucket, Key: 'k' })));
const list = (key: Key) => outcome(clients(aws, { key }).s3.send(new ListObjectsV2Command({ Bucket })));

async function policy(on: LocalAws, PolicyName: string, ...statements: object[]): Promise<string> {
  const made = await clients(on).iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: document(...statements) }));
  return made.Policy?.Arn as string;
}
async function userMay(on: LocalAws, UserName: string, ...statements: object[]): Promise<Key> {
  await clients(on).iam.send(new CreateUserCommand({ UserName }));
  await clients(on).iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'may', PolicyDocument: document(...statements) }));
  return addKey(on, UserName);
}

describe('a permissions boundary', () => {
  test('limits what policies allow, from the moment it is set until it goes', async () => {
    const { iam } = clients(aws);
    const PermissionsBoundary = await policy(aws, 'only-get', { Action: 's3:GetObject' });
    const key = await userWithKey(aws, 'bounded', { actions: ['s3:*'] });
    expect([await get(key), await list(key)]).toEqual(['none', 'none']);
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary }));
    expect([await get(key), await list(key)]).toEqual(['none', 'AccessDenied']);
    expect((await iam.send(new GetUserCommand({ UserName: 'bounded' }))).User?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(
      PermissionsBoundary,
    );
    await iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' }));
    expect(await list(key)).toBe('none');
  });

  test('that a user is made with allows nothing by itself', async () => {
    const PermissionsBoundary = await policy(aws, 'get-alone', { Action: 's3:GetObject' });
    await clients(aws).iam.send(new CreateUserCommand({ UserName: 'born-bounded', PermissionsBoundary }));
    expect(await get(await addKey(aws, 'born-bounded'))).toBe('AccessDenied');
  });

  /** What AWS's guide advises for those who may make users: none without the boundary, and none let out of it. */
  const delegate = (boundary: string) => [
    {
      Action: ['iam:CreateUser', 'iam:PutUserPolicy', 'iam:DeleteUserPolicy', 'iam:PutUserPermissionsBoundary'],
      Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } },
    },
    { Action: ['cloudformation:*', 'iam:CreateAccessKey', 'iam:GetUser'] },
  ];
  const attempts = async (on: LocalAws) => {
    const PermissionsBoundary = await policy(on, 'limit', { Action: 's3:GetObject' });
    const wider = await policy(on, 'wider', { Action: '*' });
    const key = await userMay(on, 'delegate', ...delegate(PermissionsBoundary));
    const { iam } = clients(on, { key });
    const put = (UserName: string) =>
      outcome(iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: document({ Action: '*' }) })));
    await clients(on).iam.send(new CreateUserCommand({ UserName: 'free' }));
    return {
      'made with it': await outcome(iam.send(new CreateUserCommand({ UserName: 'made', PermissionsBoundary }))),
      'made without': await outcome(iam.send(new CreateUserCommand({ UserName: 'unbounded' }))),
      'made with another': await outcome(iam.send(new CreateUserCommand({ UserName: 'wide', PermissionsBoundary: wider }))),
      'a policy within it': await put('made'),
      'a policy for who has none': await put('free'),
      'another boundary': await outcome(iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'made', PermissionsBoundary: wider }))),
      'a policy taken away': await outcome(iam.send(new DeleteUserPolicyCommand({ UserName: 'made', PolicyName: 'p' }))),
      'let out of it': await outcome(iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'made' }))),
    };
  };

  test('may be the condition under which users are made and get policies', async () => {
    const refused = 'AccessDenied';
    expect(await attempts(aws)).toEqual({
      'made with it': 'none',
      'made without': refused,
      'made with another': refused,
      'a policy within it': 'none',
      'a policy for who has none': refused,
      'another boundary': refused,
      'a policy taken away': 'none',
      'let out of it': refused,
    });
  });

  test('and so for users that CloudFormation makes', async () => {
    const [PermissionsBoundary, key] = [`arn:aws:iam::${aws.account}:policy/limit`, await addKey(aws, 'delegate')];
    const user = (properties: object) => ({ User: { Type: 'AWS::IAM::User', Properties: properties } });
    const within = await changeStack(aws, { name: 'within', resources: user({ UserName: 'within', PermissionsBoundary }), key });
    expect(within?.StackStatus).toBe('CREATE_COMPLETE');
    const without = await changeStack(aws, { name: 'without', resources: user({ UserName: 'without' }), key });
    expect(without?.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect((await failures(aws, 'without'))[0]).toContain('is not authorized to perform: iam:CreateUser');
  });

  test('MiniStack alone does not know it as a condition', async () => {
    expect(await attempts(bare)).toMatchObject({ 'made with it': 'AccessDenied' });
  });
});

describe("a user's path", () => {
  const attempts = async (on: LocalAws) => {
    const key = await userMay(on, 'pathfinder', { Action: 'iam:*', Resource: 'arn:aws:iam::*:user/halcyon/*' });
    const { iam } = clients(on, { key });
    return [
      await outcome(iam.send(new CreateUserCommand({ UserName: 'inside', Path: '/halcyon/team/' }))),
      await outcome(iam.send(new CreateAccessKeyCommand({ UserName: 'inside' }))),
      await outcome(iam.send(new CreateUserCommand({ UserName: 'halcyon', Path: '/' }))),
      await outcome(iam.send(new CreateAccessKeyCommand({ UserName: 'pathfinder' }))),
    ];
  };
  test('is part of the ARN that policies name', async () => {
    expect(await attempts(aws)).toEqual(['none', 'none', 'AccessDenied', 'AccessDenied']);
  });
  test('MiniStack alone leaves it out', async () => expect((await attempts(bare))[0]).toBe('AccessDenied'));
});
