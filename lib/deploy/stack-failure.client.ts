import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import { foreign } from '../io/redaction.js';

/**
 * What a waiter of the SDK's ended with, in CloudFormation's words: its own are JSON, or a name that sounds like a broken network.
 * @param events - what stands in a failed event's status: `DELETE_FAILED`.
 */
export async function stackFailure(aws: Aws, stack: string, error: unknown, doing: string, events = /_FAILED$/): Promise<string> {
  const [client, { DescribeStackEventsCommand }] = await Promise.all([aws.cloudformation(), import('@aws-sdk/client-cloudformation')]);
  const { name = '', message = '' } = error as Error;
  if (name === 'TimeoutError' && /waiter/i.test(message))
    return `CloudFormation has not come to an end with it; see the events of stack ${stack}, and run again when it has`;
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: stack })).catch(() => ({ StackEvents: [] }));
  // The newest come first: those of this attempt end where it began.
  const began = StackEvents.findIndex(
    ({ LogicalResourceId, ResourceStatus = '' }) =>
      LogicalResourceId === stack && /^(DELETE|IMPORT|REVIEW|CREATE)_IN_PROGRESS$/.test(ResourceStatus),
  );
  const recent = began < 0 ? StackEvents : StackEvents.slice(0, began);
  // The first failure is the cause; those after it are its consequences.
  const failed = recent.findLast(
    ({ ResourceStatus = '', LogicalResourceId }) => events.test(ResourceStatus) && LogicalResourceId !== stack,
  );
  if (failed !== undefined) return foreign(`${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`);
  const said = recent.find(({ ResourceStatusReason }) => ResourceStatusReason !== undefined)?.ResourceStatusReason;
  if (said !== undefined && message.trimStart().startsWith('{')) return foreign(said);
  throw awsError(error, doing);
}
