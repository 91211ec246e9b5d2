import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import type { Hands } from '../../lib/deploy/deploy.client.js';
import { prepareStack } from '../../lib/deploy/prepare.client.js';
import type { StackChanges, StackTarget } from '../../lib/deploy/stacks.plan.js';
import { silentIo } from '../../lib/io/io-host.js';

const cloudformation = mockClient(CloudFormationClient);
const s3 = mockClient(S3Client);
afterAll(() => {
  cloudformation.restore();
  s3.restore();
});
const none = Object.assign(new Error('Stack does not exist'), { name: 'ValidationError' });
const noBucket = Object.assign(new Error('NotFound'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } });

beforeEach(() => {
  for (const mock of [cloudformation, s3]) mock.reset();
  cloudformation.on(DescribeStacksCommand).rejects(none);
});

const creates = { logicalId: 'Bucket', type: 'AWS::S3::Bucket', action: 'create', properties: [], digest: '' } as const;
const STACK: StackChanges = { stack: 'halcyon-payments', changes: [creates] };
const TARGET = { name: STACK.stack, region: 'eu-west-1', bucket: { name: 'packages', account: '111122223333' } } as StackTarget;
const with_ = (alone: () => Promise<never>) => ({
  ...{
    aws: createAws({ region: 'eu-west-1' }),
    io: silentIo,
    signal: new AbortController().signal,
    hands: { alone, changing: (_: string, work: () => unknown) => work() } as Hands,
  },
  deployer: { bucketResource: () => ({ logicalId: 'Bucket', resource: { Type: 'AWS::S3::Bucket' } }) },
});
const LOOKS = expect.not.arrayContaining([expect.not.stringMatching(/^(Describe|Head|Get|List)/)]);
/** Which requests had been sent when it was first waited for; none if it never was. */
async function sentBefore(target: StackTarget) {
  const reached = new Error('it is waited for');
  let sent: string[] | undefined;
  const alone = () => {
    sent = [...cloudformation.calls(), ...s3.calls()].map(({ args: [command] }) => command.constructor.name);
    return Promise.reject(reached);
  };
  const ended = await prepareStack(STACK, target, with_(alone)).catch((error: unknown) => error);
  return { sent, ended: ended === reached ? 'waited' : ended };
}

test('before a bucket is taken from another stack, or a stack goes, no stack is under way', async () => {
  s3.on(HeadBucketCommand).resolves({});
  const looked = { sent: LOOKS, ended: 'waited' };
  expect(await sentBefore(TARGET)).toEqual(looked);
  s3.on(HeadBucketCommand).rejects(noBucket);
  expect(await sentBefore({ ...TARGET, was: 'halcyon-former' })).toEqual(looked);
});

test('a stack that concerns no other waits for none, and is as it was', async () => {
  s3.on(HeadBucketCommand).rejects(noBucket);
  expect(await sentBefore(TARGET)).toEqual({ sent: undefined, ended: undefined });
});
