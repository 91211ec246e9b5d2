import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  type Stack,
  type Tag,
} from '@aws-sdk/client-cloudformation';
import type { LocalAws } from '../../aws/index.js';
import { clients, type Key } from './clients.js';

export interface StackRequest {
  readonly name: string;
  /** Of resources by logical id; none at deletion. */
  readonly resources?: Readonly<Record<string, object>>;
  readonly tags?: Tag[];
  /** Who asks; root unless said. */
  readonly key?: Key;
}

/** Make, change or (without resources) delete a stack, and see how it ends. A deleted stack is undefined. */
export async function changeStack(aws: LocalAws, request: StackRequest): Promise<Stack | undefined> {
  const { name: StackName, resources, tags: Tags, key } = request;
  const { cloudformation } = clients(aws, { key });
  const before = await stackNamed(aws, StackName);
  if (resources === undefined) await cloudformation.send(new DeleteStackCommand({ StackName }));
  else {
    const change = {
      StackName,
      Tags,
      TemplateBody: JSON.stringify({ Resources: resources }),
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
    };
    await cloudformation.send(before === undefined ? new CreateStackCommand(change) : new UpdateStackCommand(change));
  }
  for (;;) {
    const stack = await stackNamed(aws, StackName);
    if (stack?.StackStatus?.endsWith('_IN_PROGRESS') !== true) return stack;
    await sleep(20);
  }
}

export async function stackNamed(aws: LocalAws, StackName: string): Promise<Stack | undefined> {
  const { Stacks = [] } = await clients(aws).cloudformation.send(new DescribeStacksCommand({}));
  return Stacks.find((stack) => stack.StackName === StackName);
}

/** Why resources failed, oldest first: `LogicalId STATUS: reason`. */
export async function failures(aws: LocalAws, StackName: string): Promise<string[]> {
  const { StackEvents = [] } = await clients(aws).cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.filter(
    ({ ResourceStatus, ResourceType }) => ResourceStatus?.endsWith('_FAILED') && ResourceType !== 'AWS::CloudFormation::Stack',
  )
    .map((event) => `${event.LogicalResourceId} ${event.ResourceStatus}: ${event.ResourceStatusReason}`)
    .reverse();
}
