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
import { afterEach, expect, test } from 'vitest';
import { createAws } from '../../../lib/aws/aws.js';
import { userPolicy } from '../../../lib/constructs/policies.js';
import { iamPath, TAGS } from '../../../lib/contract/index.js';
import { awsKeys, quarantinedUsers, reachTagsIn } from '../../../lib/engine/ports/iam.client.js';

const policyOf = (more: object) =>
  JSON.stringify(
    userPolicy({
      ...{ partition: 'aws', bucketName: 'packages', bucketAccount: '111122223333', access: 'upload', acl: 'public-read' },
      ...{ region: 'eu-west-1', ...more },
    }),
  );
const place = { [TAGS.bucket]: 'packages', [TAGS.region]: 'eu-west-1' };

test.each([
  ['of a whole bucket', {}, { ...place, [TAGS.acl]: 'public-read' }],
  ['of a prefix', { prefix: 'ours/too' }, { ...place, [TAGS.acl]: 'public-read', [TAGS.prefix]: 'ours/too' }],
  ['of who only reads', { access: 'read-only' }, place],
  ['in China', { partition: 'aws-cn', region: 'cn-north-1' }, { ...place, [TAGS.region]: 'cn-north-1', [TAGS.acl]: 'public-read' }],
])('a policy tells the reach that its user has: %s', (_what, more, expected) => {
  expect(reachTagsIn(policyOf(more))).toEqual(expected);
});

test('a policy of another kind tells none', () => {
  expect(reachTagsIn('{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}')).toEqual({});
});

const iam = mockClient(IAMClient);
afterEach(() => iam.reset());
const aws = () => createAws({ region: 'eu-west-1' });
const thrown = (name: string) => Object.assign(new Error('no'), { name });

test('what is attached to a user without keys is looked up, where one may, and of no other', async () => {
  const user = (UserName: string) => ({ UserName, Path: iamPath('upload', 'payments'), UserId: 'i', Arn: 'a', CreateDate: new Date(0) });
  iam.on(ListUsersCommand).resolves({ Users: [user('bare'), user('unseen'), user('keyed')] });
  iam.on(ListPoliciesCommand).resolves({ Policies: [] });
  iam.on(ListUserTagsCommand).resolves({ Tags: [{ Key: TAGS.bucket, Value: 'packages' }] });
  iam.on(ListAccessKeysCommand).resolves({ AccessKeyMetadata: [] });
  iam.on(ListAccessKeysCommand, { UserName: 'keyed' }).resolves({ AccessKeyMetadata: [{ AccessKeyId: 'AKIA', Status: 'Active' }] });
  iam.on(GetAccessKeyLastUsedCommand).resolves({});
  iam.on(ListGroupsForUserCommand).resolves({ Groups: [] });
  iam.on(ListAttachedUserPoliciesCommand).resolves({ AttachedPolicies: [{ PolicyName: 'Extra' }] });
  iam.on(ListAttachedUserPoliciesCommand, { UserName: 'unseen' }).rejects(thrown('AccessDenied'));
  const users = await awsKeys(aws()).users(['payments']);
  expect(users.map(({ name, attached }) => [name, attached])).toEqual([
    ['bare', ['policy Extra']],
    ['unseen', undefined],
    ['keyed', undefined],
  ]);
});

test('that AWS is busy while quarantined users are looked for is no mistake of the kit; who may not look goes on', async () => {
  iam.on(ListPoliciesCommand).rejectsOnce(thrown('Throttling'));
  await expect(quarantinedUsers(aws())).rejects.toMatchObject({ code: 'aws-throttled' });
  iam.on(ListPoliciesCommand).rejects(thrown('AccessDenied'));
  expect(await quarantinedUsers(aws())).toEqual(new Set());
});
