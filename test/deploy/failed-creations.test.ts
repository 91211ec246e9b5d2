import { CloudFormationClient, ListStacksCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { buildApp } from '../../lib/stacks/app.js';
import { freeFailedCreations } from '../../lib/deploy/failed-creations.client.js';
import { exampleConfig } from '../support/config.js';

const cloudformation = mockClient(CloudFormationClient);
afterAll(() => cloudformation.restore());
beforeEach(() => {
  cloudformation.reset();
  cloudformation.on(UpdateTerminationProtectionCommand).resolves({});
});
const regions: string[] = [];
const free = (protect = true) =>
  freeFailedCreations(buildApp(exampleConfig(), { protect }), (region) => {
    regions.push(region);
    return createAws({ region });
  });
const answering = (...names: string[]) =>
  cloudformation.on(ListStacksCommand).resolves({
    StackSummaries: names.map((StackName) => ({ StackName, CreationTime: new Date(0), StackStatus: 'ROLLBACK_COMPLETE' })),
  });

describe('freeFailedCreations', () => {
  test('frees our own stacks that failed, and no others', async () => {
    answering('halcyon-payments', 'halcyon-search', 'somebody-elses');
    expect(await free()).toEqual(['halcyon-payments']);
    expect(cloudformation.commandCalls(UpdateTerminationProtectionCommand).map(({ args }) => args[0].input)).toEqual([
      { StackName: 'halcyon-payments', EnableTerminationProtection: false },
    ]);
    expect(cloudformation.commandCalls(ListStacksCommand)[0]?.args[0].input).toEqual({
      StackStatusFilter: ['ROLLBACK_COMPLETE'],
    });
  });

  test('asks once a region, and not at all where nothing is protected', async () => {
    answering();
    regions.length = 0;
    expect(await free()).toEqual([]);
    expect(regions.sort()).toEqual(['eu-west-1', 'us-east-1']);
    cloudformation.resetHistory();
    expect(await free(false)).toEqual([]);
    expect(cloudformation.calls()).toEqual([]);
  });

  test('reads the list to its end', async () => {
    const page = (StackName: string, NextToken?: string) => ({
      StackSummaries: [{ StackName, CreationTime: new Date(0), StackStatus: 'ROLLBACK_COMPLETE' as const }],
      NextToken,
    });
    cloudformation.on(ListStacksCommand).resolves(page('somebody-elses', 'more'));
    cloudformation.on(ListStacksCommand, { NextToken: 'more' }).resolves(page('halcyon-payments'));
    expect(await free()).toContain('halcyon-payments');
  });

  test('leaves stacks alone where the credentials are of another account than the deployment’s', async () => {
    answering('halcyon-payments');
    const sts = mockClient(STSClient);
    onTestFinished(() => sts.restore());
    sts.on(GetCallerIdentityCommand).resolves({ Account: '111122223333', Arn: 'arn' });
    const of = (account: string) => freeFailedCreations(buildApp(exampleConfig()), (region) => createAws({ region }), account);
    expect(await of('444455556666')).toEqual([]);
    expect(cloudformation.calls()).toEqual([]);
    expect(await of('111122223333')).toEqual(['halcyon-payments']);
  });

  test('leaves errors to the deployment', async () => {
    cloudformation.on(ListStacksCommand).rejects(new Error('AccessDenied'));
    expect(await free()).toEqual([]);
  });
});
