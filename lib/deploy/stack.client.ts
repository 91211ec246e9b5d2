import type { Aws } from '../aws/aws.js';
import { awsError, isMissing } from '../aws/errors.js';
import { KitError } from '../errors.js';

/** Lift termination protection, the last guard before a stack goes. No error where the stack is gone already. */
async function liftTerminationProtection(aws: Aws, stack: string): Promise<void> {
  const { UpdateTerminationProtectionCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    await (
      await aws.cloudformation()
    ).send(new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: false }));
  } catch (error) {
    if (isMissing(error, 'stack')) return;
    throw awsError(error, `lift the termination protection of ${stack}`);
  }
}

export interface StackState {
  readonly exists: boolean;
  readonly status?: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export async function stackState(aws: Aws, stack: string): Promise<StackState> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    const answer = await (await aws.cloudformation()).send(new DescribeStacksCommand({ StackName: stack }));
    const found = answer.Stacks?.[0];
    const exists = found !== undefined && found.StackStatus !== 'DELETE_COMPLETE' && found.StackStatus !== 'REVIEW_IN_PROGRESS';
    return {
      exists,
      status: found?.StackStatus,
      outputs: Object.fromEntries((found?.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? ''])),
    };
  } catch (error) {
    if (isMissing(error, 'stack')) return { exists: false, outputs: {} };
    throw awsError(error, `read the state of stack ${stack}`);
  }
}

/**
 * Delete a stack and wait until it is gone. No error where it is gone already.
 * @throws KitError `stack-not-deleted` with CloudFormation's reason; running again tries again.
 */
export async function deleteStack(aws: Aws, stack: string, signal?: AbortSignal): Promise<void> {
  const { DeleteStackCommand, DescribeStackEventsCommand, waitUntilStackDeleteComplete } = await import('@aws-sdk/client-cloudformation');
  const client = await aws.cloudformation();
  await liftTerminationProtection(aws, stack);
  try {
    await client.send(new DeleteStackCommand({ StackName: stack }));
    await waitUntilStackDeleteComplete({ client, maxWaitTime: 1800, minDelay: 1, maxDelay: 5, abortSignal: signal }, { StackName: stack });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(await stackState(aws, stack)).exists) return;
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: stack })).catch(() => ({ StackEvents: [] }));
    const failed = StackEvents.find(
      ({ ResourceStatus, LogicalResourceId }) => ResourceStatus === 'DELETE_FAILED' && LogicalResourceId !== stack,
    );
    if (failed === undefined) throw awsError(error, `delete stack ${stack}`);
    throw new KitError(
      'stack-not-deleted',
      `CloudFormation could not delete ${failed.LogicalResourceId} of ${stack}: ${failed.ResourceStatusReason}; mend the cause and run again`,
      { cause: error },
    );
  }
}
