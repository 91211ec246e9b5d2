import {
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListPoliciesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
} from '@aws-sdk/client-iam';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createAws } from '../../../lib/aws/aws.js';
import { iamPath, TAGS } from '../../../lib/contract/index.js';
import { awsKeys } from '../../../lib/engine/ports/iam.client.js';

const iam = mockClient(IAMClient);
beforeEach(() => {
  iam.reset();
  const user = (team: string) => ({
    UserName: `halcyon-upload-${team}`,
    Path: iamPath('upload', team),
    UserId: 'u',
    Arn: 'a',
    CreateDate: new Date(0),
  });
  iam.on(ListUsersCommand).resolves({ Users: ['one', 'two'].map(user), IsTruncated: false });
  iam.on(ListPoliciesCommand).resolves({ Policies: [], IsTruncated: false });
  iam.on(ListAccessKeysCommand).resolves({ AccessKeyMetadata: [] });
  iam.on(ListAttachedUserPoliciesCommand).resolves({ AttachedPolicies: [], IsTruncated: false });
  iam.on(ListGroupsForUserCommand).resolves({ Groups: [], IsTruncated: false });
  iam.on(ListUserTagsCommand).resolves({ Tags: [{ Key: TAGS.bucket, Value: 'b' }], IsTruncated: false });
});
const calls = () => [iam.commandCalls(ListUsersCommand).length, iam.commandCalls(ListPoliciesCommand).length];

test('teams that are looked at together share the lists; a later look has users of its own time', async () => {
  const aws = createAws({ region: 'eu-west-1' });
  const look = () => Promise.all(['one', 'two', 'three'].map(async (team) => (await awsKeys(aws).users([team])).map(({ name }) => name)));
  expect(await look()).toEqual([['halcyon-upload-one'], ['halcyon-upload-two'], []]);
  expect(calls()).toEqual([1, 1]);
  await look();
  expect(calls()).toEqual([2, 1]);
});

test('a list that failed is asked for again', async () => {
  const aws = createAws({ region: 'eu-west-1' });
  iam.on(ListUsersCommand).rejectsOnce(new Error('no')).resolves({ Users: [], IsTruncated: false });
  await expect(awsKeys(aws).users(['one'])).rejects.toThrow();
  expect(await awsKeys(aws).users(['one'])).toEqual([]);
});
