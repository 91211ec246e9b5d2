import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';

/** Lift termination protection, the last guard before a stack goes. No error where the stack is gone already. */
export async function liftTerminationProtection(aws: Aws, stack: string): Promise<void> {
  const { UpdateTerminationProtectionCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    await (
      await aws.cloudformation()
    ).send(new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: false }));
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return;
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
    if (/does not exist/.test((error as Error).message)) return { exists: false, outputs: {} };
    throw awsError(error, `read the state of stack ${stack}`);
  }
}
