import {
  CloudFormationClient,
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  ListStacksCommand,
  RollbackStackCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { digestOf } from '../../lib/contract/index.js';
import { changeStack, deployFailure } from '../../lib/deploy/change-stack.client.js';
import { importBucket } from '../../lib/deploy/import.client.js';
import { deleteStack, requireOwnStack, stackStates } from '../../lib/deploy/stack.client.js';
import { stackFailure } from '../../lib/deploy/stack-failure.client.js';

const cloudformation = mockClient(CloudFormationClient);
afterAll(() => cloudformation.restore());
const aws = createAws({ region: 'eu-west-1' });
const Tags = [{ Key: 'halcyon:managed-by', Value: 'halcyon-kit' }];
const stack = (StackStatus: string, tags = Tags) => ({
  Stacks: [{ StackName: 'halcyon-team', CreationTime: new Date(0), StackStatus: StackStatus as 'CREATE_COMPLETE', Tags: tags }],
});
/** What a stack's status is at each look, and from the last on. */
const goesThrough = (...statuses: string[]) => {
  const looks = cloudformation.on(DescribeStacksCommand);
  statuses
    .slice(0, -1)
    .reduce((before, status) => before.resolvesOnce(stack(status)), looks)
    .resolves(stack(statuses.at(-1) ?? ''));
};
const none = Object.assign(new Error('Stack with id halcyon-team does not exist'), { name: 'ValidationError' });
const event = (LogicalResourceId: string, ResourceStatus: string, ResourceStatusReason?: string) => ({
  ...{ StackId: 'id', EventId: 'id', StackName: 'halcyon-team', Timestamp: new Date(0) },
  ...{ LogicalResourceId, ResourceStatus: ResourceStatus as 'DELETE_FAILED', ResourceStatusReason },
});
beforeEach(() => {
  cloudformation.reset();
  cloudformation.on(UpdateTerminationProtectionCommand).resolves({});
  cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
  for (const command of [DeleteStackCommand, CreateStackCommand, UpdateStackCommand, ContinueUpdateRollbackCommand, RollbackStackCommand])
    cloudformation.on(command).resolves({});
});

test('of many stacks one list a region tells; a few are asked for by name', async () => {
  const changedAt = new Date('2026-11-29T12:00:00Z');
  const listed = (name: string, StackStatus: string) => ({
    StackName: name,
    StackStatus: StackStatus as 'CREATE_COMPLETE',
    CreationTime: changedAt,
  });
  cloudformation.on(ListStacksCommand).resolves({
    StackSummaries: [
      listed('halcyon-1', 'CREATE_COMPLETE'),
      listed('halcyon-2', 'DELETE_COMPLETE'),
      listed('halcyon-3', 'REVIEW_IN_PROGRESS'),
      { ...listed('halcyon-4', 'UPDATE_ROLLBACK_COMPLETE'), LastUpdatedTime: new Date(changedAt.getTime() + 1000) },
    ],
  });
  cloudformation.on(DescribeStacksCommand).resolves(stack('CREATE_COMPLETE'));
  const named = (region: string, many: number) => Array.from({ length: many }, (_, n) => ({ name: `halcyon-${n}`, region }));
  const stateOf = await stackStates((region) => aws.in(region), [...named('eu-west-1', 6), ...named('us-east-1', 2)]);
  expect([0, 1, 2, 3, 4].map((n) => stateOf(`halcyon-${n}`, 'eu-west-1'))).toEqual([
    { exists: false },
    { exists: true, status: 'CREATE_COMPLETE', changedAt },
    { exists: false },
    { exists: false, status: 'REVIEW_IN_PROGRESS', changedAt },
    { exists: true, status: 'UPDATE_ROLLBACK_COMPLETE', changedAt: new Date(changedAt.getTime() + 1000) },
  ]);
  expect(stateOf('halcyon-1', 'us-east-1')).toMatchObject({ exists: true, changedAt: new Date(0) });
  expect(
    [ListStacksCommand, DescribeStacksCommand].map((command) => cloudformation.commandCalls(command as typeof ListStacksCommand).length),
  ).toEqual([1, 2]);
});

test('who may list no stacks asks for each', async () => {
  cloudformation.on(ListStacksCommand).rejects(Object.assign(new Error('not authorized'), { name: 'AccessDenied' }));
  cloudformation.on(DescribeStacksCommand).resolves(stack('CREATE_COMPLETE'));
  const names = Array.from({ length: 8 }, (_, n) => ({ name: `halcyon-${n}`, region: 'eu-west-1' }));
  const stateOf = await stackStates((region) => aws.in(region), names);
  expect(names.every(({ name, region }) => stateOf(name, region).exists)).toBe(true);
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
  ['it is UPDATE_ROLLBACK_COMPLETE now', 'Policy: refused', /^CloudFormation could not change s and rolled it back: Policy: refused;/],
  ['it is UPDATE_ROLLBACK_FAILED now', 'Policy: refused', /^CloudFormation could not change s: Policy: refused;/],
  ['Template error', undefined, /^CloudFormation could not change s: Template error;/],
])('what was not rolled back is not said to be: %s', (error, reason, message) => {
  expect(deployFailure(new Error(error), 'change s', reason)).toMatchObject({
    code: 'deploy-failed',
    message: expect.stringMatching(message),
  });
});

describe('changing a stack', () => {
  const change = { template: { Resources: {} }, tags: { a: 'b' }, protect: true };

  test('makes one that is not there, protected from its first moment', async () => {
    cloudformation.on(DescribeStacksCommand).rejectsOnce(none).resolves(stack('CREATE_COMPLETE'));
    expect(await changeStack(aws, 'halcyon-team', change)).toMatchObject({ status: 'CREATE_COMPLETE', left: [] });
    expect(cloudformation.commandCalls(CreateStackCommand)[0]?.args[0].input).toMatchObject({
      ...{ StackName: 'halcyon-team', TemplateBody: '{"Resources":{}}', EnableTerminationProtection: true },
      ...{ Tags: [{ Key: 'a', Value: 'b' }], Capabilities: ['CAPABILITY_NAMED_IAM'], ClientRequestToken: expect.any(String) },
    });
  });

  test('takes up a rollback that failed, and changes the stack then', async () => {
    goesThrough('UPDATE_ROLLBACK_FAILED', 'UPDATE_ROLLBACK_COMPLETE', 'UPDATE_COMPLETE');
    expect(await changeStack(aws, 'halcyon-team', { template: {} })).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(cloudformation.commandCalls(ContinueUpdateRollbackCommand)).toHaveLength(1);
    expect(cloudformation.commandCalls(UpdateStackCommand)).toHaveLength(1);
  });

  test('says what a rollback fails of that fails again, and asks for no change', async () => {
    cloudformation.on(DescribeStacksCommand).resolves(stack('UPDATE_ROLLBACK_FAILED'));
    cloudformation.on(DescribeStackEventsCommand).resolves({
      StackEvents: [
        event('halcyon-team', 'UPDATE_ROLLBACK_FAILED', 'The following resource(s) failed to update: [User].'),
        event('User', 'UPDATE_FAILED', 'The user with name u cannot be found'),
        event('Policy', 'CREATE_FAILED', 'what the update before failed of'),
        event('halcyon-team', 'UPDATE_IN_PROGRESS', 'User Initiated'),
      ],
    });
    await expect(changeStack(aws, 'halcyon-team', { template: {} })).rejects.toMatchObject({
      code: 'deploy-failed',
      message: expect.stringMatching(
        /^CloudFormation could not end the rollback of halcyon-team: User: The user with name u cannot be found;/,
      ),
    });
    expect(cloudformation.commandCalls(UpdateStackCommand)).toEqual([]);
  });

  test('rolls back first what was left as it was when it failed', async () => {
    goesThrough('UPDATE_FAILED', 'UPDATE_ROLLBACK_COMPLETE', 'UPDATE_COMPLETE');
    await changeStack(aws, 'halcyon-team', { template: {} });
    const order = cloudformation.calls().map(({ args }) => args[0].constructor.name);
    expect(order.indexOf('RollbackStackCommand')).toBeGreaterThan(-1);
    expect(order.indexOf('RollbackStackCommand')).toBeLessThan(order.indexOf('UpdateStackCommand'));
  });

  test.each([
    ['ROLLBACK_COMPLETE', stack('ROLLBACK_COMPLETE')],
    ['gone', undefined],
  ])('makes none where one that was there was to be changed, and is %s', async (status, found) => {
    if (found === undefined) cloudformation.on(DescribeStacksCommand).rejects(none);
    else cloudformation.on(DescribeStacksCommand).resolves(found);
    await expect(changeStack(aws, 'halcyon-team', { template: {} })).rejects.toMatchObject({
      ...{ code: 'state-changed', message: expect.stringContaining(`stack halcyon-team is ${status} by now`) },
    });
    for (const command of [DeleteStackCommand, CreateStackCommand]) expect(cloudformation.commandCalls(command)).toEqual([]);
  });

  test('leaves alone one that another made while it was waited for', async () => {
    cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('CREATE_IN_PROGRESS', [])).resolves(stack('CREATE_COMPLETE', []));
    await expect(changeStack(aws, 'halcyon-team', change)).rejects.toMatchObject({ code: 'stack-not-ours' });
    expect(cloudformation.commandCalls(UpdateStackCommand)).toEqual([]);
  });

  test.each([
    ['what it was planned from', '{}', 'UPDATE_COMPLETE'],
    ['what it is to be', '{"Resources":{}}', 'UPDATE_COMPLETE'],
    ['something else', '{"Resources":{"Theirs":{}}}', 'state-changed'],
    ['nothing', undefined, 'state-changed'],
  ])('goes on after another’s deployment where that left %s, and only there', async (_, TemplateBody, end) => {
    const from = digestOf(TemplateBody === undefined ? { Resources: { Planned: {} } } : {});
    goesThrough('UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE');
    if (TemplateBody === undefined) cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('DELETE_IN_PROGRESS')).rejects(none);
    cloudformation.on(GetTemplateCommand).resolves({ TemplateBody });
    const changed = changeStack(aws, 'halcyon-team', { ...change, from });
    if (end === 'state-changed') await expect(changed).rejects.toMatchObject({ code: end });
    else expect(await changed).toMatchObject({ status: end });
    expect(cloudformation.commandCalls(UpdateStackCommand)).toHaveLength(end === 'state-changed' ? 0 : 1);
    expect(cloudformation.commandCalls(CreateStackCommand)).toEqual([]);
  });

  test("leaves alone somebody's change set that waits for review", async () => {
    cloudformation.on(DescribeStacksCommand).resolves(stack('REVIEW_IN_PROGRESS'));
    const names = ['halcyon-kit-import-1', 'theirs'];
    cloudformation.on(ListChangeSetsCommand).resolves({ Summaries: names.map((ChangeSetName) => ({ ChangeSetName })) });
    const message = expect.stringContaining('waits for the review of change set theirs');
    await expect(changeStack(aws, 'halcyon-team', change)).rejects.toMatchObject({ code: 'deploy-failed', message });
    expect(cloudformation.commandCalls(DeleteStackCommand)).toEqual([]);
  });

  test('is not given up for a look that fails, once it has begun', async () => {
    const busy = Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
    cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('CREATE_COMPLETE')).rejectsOnce(busy).resolves(stack('UPDATE_COMPLETE'));
    expect(await changeStack(aws, 'halcyon-team', { template: {} })).toMatchObject({ status: 'UPDATE_COMPLETE' });
    cloudformation.on(DescribeStacksCommand).rejects(busy);
    await expect(changeStack(aws, 'halcyon-team', { template: {} })).rejects.toMatchObject({ code: 'aws-throttled' });
  });

  test('stopped, it leaves CloudFormation to go on', async () => {
    const controller = new AbortController();
    cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('CREATE_COMPLETE')).resolves(stack('UPDATE_IN_PROGRESS'));
    cloudformation.on(DescribeStackEventsCommand).callsFake(() => (controller.abort(new Error('stopped')), { StackEvents: [] }));
    await expect(changeStack(aws, 'halcyon-team', { template: {} }, { signal: controller.signal })).rejects.toThrow('stopped');
  });

  test.each(['ROLLBACK_COMPLETE', 'REVIEW_IN_PROGRESS'])('makes one anew that was never made: %s', async (status) => {
    cloudformation
      .on(DescribeStacksCommand)
      .resolvesOnce(stack(status))
      .resolvesOnce(stack(status))
      .rejectsOnce(none)
      .resolves(stack('CREATE_COMPLETE'));
    cloudformation.on(ListChangeSetsCommand).resolves({ Summaries: [{ ChangeSetName: 'halcyon-kit-import-1' }] });
    await changeStack(aws, 'halcyon-team', change);
    expect(cloudformation.commandCalls(DeleteStackCommand)).toHaveLength(1);
    expect(cloudformation.commandCalls(CreateStackCommand)).toHaveLength(1);
  });

  test('waits for what is under way, and for its own end; what could not be deleted is told', async () => {
    goesThrough('UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_COMPLETE');
    cloudformation.on(DescribeStackEventsCommand).resolves({
      StackEvents: [
        event('Policy', 'DELETE_FAILED', 'in use'),
        event('Policy', 'DELETE_FAILED', 'tried before'),
        event('halcyon-team', 'UPDATE_IN_PROGRESS'),
        event('Old', 'DELETE_FAILED'),
      ],
    });
    const said: string[] = [];
    const step = { update: (detail: string) => void said.push(detail), done() {}, fail() {} };
    const { left } = await changeStack(aws, 'halcyon-team', change, { step });
    expect(left).toEqual(['Policy (undefined): in use']);
    expect(said).toEqual(['Policy DELETE_FAILED', 'Policy DELETE_FAILED']);
    const order = cloudformation.calls().map(({ args }) => args[0].constructor.name);
    expect(order.indexOf('UpdateTerminationProtectionCommand')).toBeLessThan(order.indexOf('UpdateStackCommand'));
    expect(order.indexOf('UpdateStackCommand')).toBe(4);
  });

  test('that changes nothing is done; one that is rolled back says why', async () => {
    cloudformation.on(DescribeStacksCommand).resolves(stack('UPDATE_COMPLETE'));
    const nothing = Object.assign(new Error('No updates are to be performed.'), { name: 'ValidationError' });
    cloudformation.on(UpdateStackCommand).rejectsOnce(nothing).resolves({});
    expect(await changeStack(aws, 'halcyon-team', { template: {} })).toMatchObject({ status: 'UPDATE_COMPLETE', left: [] });
    expect(cloudformation.commandCalls(UpdateTerminationProtectionCommand)).toEqual([]);
    cloudformation.on(DescribeStacksCommand).resolvesOnce(stack('UPDATE_COMPLETE')).resolves(stack('UPDATE_ROLLBACK_COMPLETE'));
    cloudformation.on(DescribeStackEventsCommand).resolves({
      StackEvents: [event('Policy', 'UPDATE_FAILED', 'refused'), event('halcyon-team', 'UPDATE_IN_PROGRESS')],
    });
    await expect(changeStack(aws, 'halcyon-team', { template: {} })).rejects.toMatchObject({
      code: 'deploy-failed',
      message: expect.stringMatching(/^CloudFormation could not change halcyon-team and rolled it back: Policy: refused; mend/),
    });
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
