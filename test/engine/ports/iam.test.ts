import {
  GetAccessKeyLastUsedCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListPoliciesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
} from '@aws-sdk/client-iam';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createAws } from '../../../lib/aws/aws.js';
import { iamPath, TAGS } from '../../../lib/contract/index.js';
import { awsKeys, quarantinedUsers } from '../../../lib/engine/ports/iam.client.js';

const iam = mockClient(IAMClient);
afterAll(() => iam.restore());
afterEach(() => iam.reset());
const aws = () => createAws({ region: 'eu-west-1' });
const thrown = (name: string) => Object.assign(new Error('no'), { name });
const user = (UserName: string, team = 'payments') => ({
  ...{ UserName, Path: iamPath('upload', team), UserId: 'i', Arn: 'a', CreateDate: new Date(0) },
});
/** Users without keys, and nothing attached to them. */
const answer = (...Users: Array<ReturnType<typeof user>>) => {
  iam.on(ListUsersCommand).resolves({ Users });
  iam.on(ListPoliciesCommand).resolves({ Policies: [] });
  iam.on(ListUserTagsCommand).resolves({ Tags: [{ Key: TAGS.bucket, Value: 'packages' }] });
  iam.on(ListAccessKeysCommand).resolves({ AccessKeyMetadata: [] });
  iam.on(ListGroupsForUserCommand).resolves({ Groups: [] });
  iam.on(ListAttachedUserPoliciesCommand).resolves({ AttachedPolicies: [] });
};

test('what is attached to a user without keys is looked up, where one may, and of no other', async () => {
  answer(user('bare'), user('unseen'), user('keyed'));
  iam.on(ListAccessKeysCommand, { UserName: 'keyed' }).resolves({ AccessKeyMetadata: [{ AccessKeyId: 'AKIA', Status: 'Active' }] });
  iam.on(GetAccessKeyLastUsedCommand).resolves({});
  iam.on(ListAttachedUserPoliciesCommand).resolves({ AttachedPolicies: [{ PolicyName: 'Extra' }] });
  iam.on(ListAttachedUserPoliciesCommand, { UserName: 'unseen' }).rejects(thrown('AccessDenied'));
  const users = await awsKeys(aws()).users(['payments']);
  expect(users.map(({ name, attached }) => [name, attached])).toEqual([
    ['bare', ['policy Extra']],
    ['unseen', undefined],
    ['keyed', undefined],
  ]);
});

test('of keys whose last use is known well enough IAM is not asked', async () => {
  answer(user('keyed'));
  iam
    .on(ListAccessKeysCommand)
    .resolves({ AccessKeyMetadata: ['AKIAKNOWN', 'AKIANEW'].map((AccessKeyId) => ({ AccessKeyId, Status: 'Active' })) });
  iam.on(GetAccessKeyLastUsedCommand).resolves({ AccessKeyLastUsed: { LastUsedDate: new Date(60_000), ServiceName: 's3', Region: 'r' } });
  const uses = new Map([['AKIAKNOWN', { lastUsedAt: '2026-03-01T12:00:00.000Z', lastUsedService: 's3' }]]);
  const [keyed] = await awsKeys(aws()).users(['payments'], { uses });
  expect(keyed?.keys.map(({ lastUsedAt }) => lastUsedAt)).toEqual(['2026-03-01T12:00:00.000Z', '1970-01-01T00:01:00.000Z']);
  expect(iam.commandCalls(GetAccessKeyLastUsedCommand).map(({ args }) => args[0].input.AccessKeyId)).toEqual(['AKIANEW']);
});

test('that AWS is busy while quarantined users are looked for is no mistake of the kit; who may not look goes on', async () => {
  iam.on(ListPoliciesCommand).rejectsOnce(thrown('Throttling'));
  await expect(quarantinedUsers(aws())).rejects.toMatchObject({ code: 'aws-throttled' });
  iam.on(ListPoliciesCommand).rejects(thrown('AccessDenied'));
  expect(await quarantinedUsers(aws())).toEqual(new Set());
});

const calls = () => [iam.commandCalls(ListUsersCommand).length, iam.commandCalls(ListPoliciesCommand).length];

test('teams that are looked at together share the lists; a later look has users of its own time', async () => {
  const client = aws();
  answer(user('first', 'one'), user('second', 'two'));
  const look = () =>
    Promise.all(['one', 'two', 'three'].map(async (team) => (await awsKeys(client).users([team])).map(({ name }) => name)));
  expect(await look()).toEqual([['first'], ['second'], []]);
  expect(calls()).toEqual([1, 1]);
  await look();
  expect(calls()).toEqual([2, 1]);
});

test('a list that failed is asked for again', async () => {
  const client = aws();
  answer();
  iam.on(ListUsersCommand).rejectsOnce(new Error('no')).resolves({ Users: [] });
  await expect(awsKeys(client).users(['one'])).rejects.toThrow();
  expect(await awsKeys(client).users(['one'])).toEqual([]);
});
