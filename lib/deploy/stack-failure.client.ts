import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import { foreign } from '../io/redaction.js';

/** Events of the attempt that is under way on a stack, or was last, the newest first: a hundred a page. What cannot be read is left out. */
export async function eventsOf(aws: Aws, stack: string, pages = Infinity): Promise<StackEvent[]> {
  const [client, { paginateDescribeStackEvents }] = await Promise.all([aws.cloudformation(), import('@aws-sdk/client-cloudformation')]);
  const recent: StackEvent[] = [];
  try {
    for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: stack })) {
      const first = StackEvents.findIndex(
        ({ LogicalResourceId, ResourceStatus = '' }) =>
          LogicalResourceId === stack && /^(DELETE|IMPORT|REVIEW|CREATE|UPDATE)_IN_PROGRESS$/.test(ResourceStatus),
      );
      recent.push(...StackEvents.slice(0, first < 0 ? undefined : first));
      if (first >= 0 || (pages -= 1) <= 0) break;
    }
  } catch {
    // What there is has to do.
  }
  return recent;
}

/**
 * What a waiter of the SDK's ended with, in CloudFormation's words: its own are JSON, or a name that sounds like a broken network.
 * @param events - what stands in a failed event's status: `DELETE_FAILED`.
 */
export async function stackFailure(aws: Aws, stack: string, error: unknown, doing: string, events = /_FAILED$/): Promise<string> {
  const { name = '', message = '' } = error as Error;
  if (name === 'TimeoutError' && /waiter/i.test(message))
    return `CloudFormation has not come to an end with it; see the events of stack ${stack}, and run again when it has`;
  const recent = await eventsOf(aws, stack);
  // The first failure is the cause; those after it are its consequences.
  const failed = recent.findLast(
    ({ ResourceStatus = '', LogicalResourceId }) => events.test(ResourceStatus) && LogicalResourceId !== stack,
  );
  if (failed !== undefined) return foreign(`${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`);
  const said = recent.find(({ ResourceStatusReason }) => ResourceStatusReason !== undefined)?.ResourceStatusReason;
  if (said !== undefined && /^\s*\{|^it is /.test(message)) return foreign(said);
  throw awsError(error, doing);
}
