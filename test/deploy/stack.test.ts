import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { deployFailure } from '../../lib/deploy/deploy.client.js';
import { importBucket } from '../../lib/deploy/import.client.js';
import { deleteStack, requireOwnStack } from '../../lib/deploy/stack.client.js';
import { stackFailure } from '../../lib/deploy/stack-failure.client.js';

const cloudformation = mockClient(CloudFormationClient);
const aws = createAws({ region: 'eu-west-1' });
const Tags = [{ Key: 'halcyon:managed-by', Value: 'halcyon-kit' }];
const stack = (StackStatus: string, tags = Tags) => ({
  Stacks: [{ StackName: 'halcyon-team', CreationTime: new Date(0), StackStatus: StackStatus as 'CREATE_COMPLETE', Tags: tags }],
});
const none = Object.assign(new Error('Stack with id halcyon-team does not exist'), { name: 'ValidationError' });
const event = (LogicalResourceId: string, ResourceStatus: string, ResourceStatusReason?: string) => ({
  ...{ StackId: 'id', EventId: 'id', StackName: 'halcyon-team', Timestamp: new Date(0) },
  ...{ LogicalResourceId, ResourceStatus: ResourceStatus as 'DELETE_FAILED', ResourceStatusReason },
});
beforeEach(() => {
  cloudformation.reset();
  cloudformation.on(UpdateTerminationProtectionCommand).resolves({});
  cloudformation.on(DeleteStackCommand).resolves({});
});

describe('a stack', () => {
  test('that the kit did not make is left alone', async () => {
    cloudformation.on(DescribeStacksCommand).resolves(stack('CREATE_COMPLETE', []));
    await expect(requireOwnStack(aws, 'halcyon-team')).rejects.toMatchObject({ code: 'stack-not-ours' });
    await expect(deleteStack(aws, 'halcyon-team')).rejects.toMatchObject({ code: 'stack-not-ours' });
    expect(cloudformation.commandCalls(DeleteStackCommand)).toEqual([]);
    expect(cloudformation.commandCalls(UpdateTerminationProtectionCommand)).toEqual([]);
  });

  test('that an import has just made has no tags yet', async () => {
    cloudformation.on(DescribeStacksCommand).resolves(stack('IMPORT_COMPLETE', []));
    expect(await requireOwnStack(aws, 'halcyon-team')).toMatchObject({ exists: true, ours: true });
    cloudformation.on(DescribeStacksCommand).resolves(stack('IMPORT_COMPLETE', [{ Key: 'owner', Value: 'someone' }]));
    await expect(requireOwnStack(aws, 'halcyon-team')).rejects.toMatchObject({ code: 'stack-not-ours' });
  });

  test("that cannot be deleted says why in CloudFormation's words", async () => {
    cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('CREATE_COMPLETE')).resolves(stack('DELETE_FAILED'));
    cloudformation.on(DescribeStackEventsCommand).resolves({
      StackEvents: [
        event('halcyon-team', 'DELETE_FAILED', 'The following resource(s) failed to delete: [User].'),
        event('User', 'DELETE_FAILED', 'Cannot delete entity, must delete access keys first.'),
        event('halcyon-team', 'DELETE_IN_PROGRESS', 'User Initiated'),
        event('Older', 'DELETE_FAILED', 'of another attempt'),
      ],
    });
    await expect(deleteStack(aws, 'halcyon-team')).rejects.toMatchObject({
      code: 'stack-not-deleted',
      message: expect.stringMatching(
        /^CloudFormation could not delete stack halcyon-team: User: Cannot delete entity, must delete access keys first/,
      ),
    });
  });
});

test('the cause is the first failure of the attempt, however many events came after it', async () => {
  const after = Array.from({ length: 100 }, (_, index) => event(`User${index}`, 'UPDATE_FAILED', 'Resource update cancelled'));
  cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: after, NextToken: 'next' });
  cloudformation.on(DescribeStackEventsCommand, { NextToken: 'next' }).resolves({
    StackEvents: [
      event('Policy', 'CREATE_FAILED', 'the cause'),
      event('halcyon-team', 'UPDATE_IN_PROGRESS', 'User Initiated'),
      event('Older', 'CREATE_FAILED', 'of another attempt'),
    ],
    NextToken: 'never asked for',
  });
  expect(await stackFailure(aws, 'halcyon-team', new Error('{}'), 'update it')).toBe('Policy: the cause');
  expect(cloudformation.commandCalls(DescribeStackEventsCommand)).toHaveLength(2);
});

test.each([
  ['Policy: refused', ['Policy: refused', 'User: cancelled'], /^CloudFormation could not change s and rolled it back: Policy: refused;/],
  ['a change set that could not be made', [], /^CloudFormation could not change s: Template error;/],
])('what was never begun was not rolled back: %s', (_, reasons, message) => {
  expect(deployFailure(new Error('Template error'), 's', reasons)).toMatchObject({
    code: 'deploy-failed',
    message: expect.stringMatching(message),
  });
});

describe('taking a bucket back', () => {
  const target = { stack: 'halcyon-team', logicalId: 'Bucket', resource: { Type: 'AWS::S3::Bucket' }, bucket: 'b' };

  test('a change set that fails says why', async () => {
    cloudformation.on(DescribeStacksCommand).rejects(none);
    cloudformation.on(CreateChangeSetCommand).resolves({});
    cloudformation.on(DescribeChangeSetCommand).resolves({ Status: 'FAILED', StatusReason: 'Resource b is in another stack' });
    const failure = await importBucket(aws, target).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({
      code: 'bucket-import-failed',
      message: expect.stringContaining('halcyon-team: Resource b is in another stack; '),
    });
    expect((failure as Error).message).not.toContain('{');
  });

  test('a lost answer to its execution is looked up', async () => {
    cloudformation.on(DescribeStacksCommand).rejectsOnce(none).resolves(stack('IMPORT_COMPLETE'));
    cloudformation.on(CreateChangeSetCommand).resolves({});
    cloudformation
      .on(DescribeChangeSetCommand)
      .resolvesOnce({ Status: 'CREATE_COMPLETE' })
      .resolves({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'EXECUTE_IN_PROGRESS' });
    const refused = Object.assign(new Error('ChangeSet cannot be executed in its current execution status'), {
      name: 'InvalidChangeSetStatus',
    });
    cloudformation.on(ExecuteChangeSetCommand).rejects(refused);
    await importBucket(aws, target);
    cloudformation.on(DescribeStacksCommand).rejects(none);
    cloudformation.on(DescribeChangeSetCommand).resolves({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    await expect(importBucket(aws, target)).rejects.toMatchObject({
      code: 'bucket-import-failed',
      message: expect.stringContaining('cannot be executed'),
    });
  });
});
