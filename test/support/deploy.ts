import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStackCommand, DescribeStackEventsCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import { CreateAccessKeyCommand } from '@aws-sdk/client-iam';
import type { KitConfig } from '../../lib/config/index.js';
import { userName, type PrincipalId } from '../../lib/contract/index.js';
import { buildApp } from '../../lib/stacks/app.js';
import type { LocalAws } from '../../sandbox/aws/index.js';
import { clients, type Key } from '../../sandbox/test/support/clients.js';

/** The templates of a configuration, by stack name, in deployment order. */
function templates(config: KitConfig): Array<{ name: string; region: string; body: string }> {
  const outdir = mkdtempSync(join(tmpdir(), 'halcyon-synth-'));
  try {
    return buildApp(config, { outdir })
      .synth()
      .stacks.map((stack) => ({
        name: stack.stackName,
        region: stack.environment.region,
        body: readFileSync(stack.templateFullPath, 'utf8'),
      }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Deploy every stack of `config` through CloudFormation, and nothing else. */
export async function deployAll(aws: LocalAws, config: KitConfig): Promise<void> {
  for (const { name, region, body } of templates(config)) {
    const { cloudformation } = clients(aws, { region });
    await cloudformation.send(new CreateStackCommand({ StackName: name, TemplateBody: body, Capabilities: ['CAPABILITY_NAMED_IAM'] }));
    const done = await waitUntilStackCreateComplete(
      { client: cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      { StackName: name },
    ).catch(async () => {
      const { StackEvents } = await cloudformation.send(new DescribeStackEventsCommand({ StackName: name }));
      throw new Error(`${name}: ${JSON.stringify(StackEvents?.map((event) => event.ResourceStatusReason).filter(Boolean))}`);
    });
    if (done.state !== 'SUCCESS') throw new Error(`${name}: ${done.state}`);
  }
}

/** A key of a principal that is deployed. */
export async function keyOf(aws: LocalAws, principal: PrincipalId): Promise<Key> {
  const { AccessKey } = await clients(aws).iam.send(new CreateAccessKeyCommand({ UserName: userName(principal) }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}
