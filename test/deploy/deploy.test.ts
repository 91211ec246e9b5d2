import { fullDiff } from '@aws-cdk/cloudformation-diff';
import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test } from 'vitest';
import { createDeployer } from '../../lib/deploy/deploy.client.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { buildApp } from '../../lib/stacks/app.js';
import { exampleConfig } from '../support/config.js';

const cloudformation = mockClient(CloudFormationClient);

test("what a stack brings, and what an edit changes, is told as the CDK's own comparison tells it", async () => {
  const config = exampleConfig();
  const { template } = buildApp(config).synth().getStackByName('halcyon-payments') as { template: Record<string, object> };
  const former = JSON.parse(JSON.stringify(template).replaceAll('s3:PutObject"', 's3:PutObjectTagging"')) as typeof template;
  const deployer = await createDeployer({ config, io: silentIo, network: networkOf() });
  const none = Object.assign(new Error('Stack with id halcyon-payments does not exist'), { name: 'ValidationError' });
  const there = { Stacks: [{ StackName: 'halcyon-payments', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE' as const }] };
  cloudformation.on(DescribeStacksCommand).rejectsOnce(none).resolves(there);
  cloudformation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify(former) });
  for (const deployed of [{}, former]) {
    const [seen] = await deployer.diff(['halcyon-payments']);
    const { resources, iamChanges } = fullDiff({ ...deployed }, { ...template });
    const action = Object.keys(deployed).length === 0 ? 'create' : 'update';
    expect(seen?.changes).toEqual(Object.keys(resources.changes).map((logicalId) => expect.objectContaining({ logicalId, action })));
    expect(seen?.statements?.length).toBeGreaterThan(1);
    expect(seen?.statements?.map(({ action: change, actions, ...rest }) => [change, { ...rest, action: actions }])).toEqual([
      ...iamChanges.statements.removals.map((one) => ['remove', one.render()]),
      ...iamChanges.statements.additions.map((one) => ['add', one.render()]),
    ]);
  }
});
