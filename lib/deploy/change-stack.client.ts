import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import type { Step } from '../io/io-host.js';
import { isKitError, KitError } from '../errors.js';
import { foreign } from '../io/redaction.js';
import { eventsOf, stackFailure } from './stack-failure.client.js';
import { deleteStack, stackState, type StackState } from './stack.client.js';
import { asRequest, type Template } from './template.client.js';

export interface StackChange {
  readonly template: Template;
  /** Default: as they are. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether termination protection is on. Default: as it is. */
  readonly protect?: boolean;
  /** As errors say it. Default: change the stack. */
  readonly doing?: string;
}

const POLL = 1000;
/** Nothing is in it, or what CloudFormation takes no change of. */
const NEVER_MADE = /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|REVIEW_IN_PROGRESS)$/;

/**
 * Make a stack, or change it, and wait until it is done; what is under way on it ends first. One whose creation failed is made anew, and a rollback that
 * failed is taken up again first.
 * @returns it, as it is then, and what CloudFormation could not delete on the way.
 * @throws KitError as {@link awsError} says, and `deploy-failed` with CloudFormation's own reason: then the stack is as it was.
 */
export async function changeStack(
  aws: Aws,
  stack: string,
  { template, tags, protect, doing = `change ${stack}` }: StackChange,
  { step, signal }: { readonly step?: Step; readonly signal?: AbortSignal } = {},
): Promise<StackState & { readonly left: readonly string[] }> {
  const [client, sdk] = await Promise.all([aws.cloudformation(), import('@aws-sdk/client-cloudformation')]);
  const settled = async (): Promise<StackState> => {
    for (;;) {
      const state = await stackState(aws, stack);
      if (!/_IN_PROGRESS$/.test(state.status ?? '') || state.status === 'REVIEW_IN_PROGRESS') return state;
      const [newest] = await eventsOf(aws, stack, 1);
      if (newest !== undefined) step?.update(`${newest.LogicalResourceId} ${newest.ResourceStatus}`);
      await sleep(POLL, undefined, { signal });
    }
  };
  let began = false;
  try {
    let before = await settled();
    if (before.status === 'UPDATE_ROLLBACK_FAILED') {
      // CloudFormation does nothing else with such a stack, and what kept its rollback from an end may be mended by now.
      await client.send(new sdk.ContinueUpdateRollbackCommand({ StackName: stack }));
      before = await settled();
      if (before.status === 'UPDATE_ROLLBACK_FAILED') throw await rollbackFailure(aws, stack);
    }
    const anew = NEVER_MADE.test(before.status ?? '');
    if (anew) await deleteStack(aws, stack, signal);
    const request = {
      StackName: stack,
      ...(await asRequest(aws, template)),
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
      // A repetition of the request is told from another.
      ClientRequestToken: randomUUID(),
      ...(tags === undefined ? {} : { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
    };
    if (before.exists && !anew) {
      if (protect !== undefined && protect !== before.protected)
        await client.send(new sdk.UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: protect }));
      await client.send(new sdk.UpdateStackCommand(request));
    } else await client.send(new sdk.CreateStackCommand({ ...request, EnableTerminationProtection: protect }));
    began = true;
    const after = await settled();
    if (after.status !== 'CREATE_COMPLETE' && after.status !== 'UPDATE_COMPLETE') throw new Error(`it is ${after.status ?? 'gone'} now`);
    const left =
      anew || !before.exists ? [] : (await eventsOf(aws, stack)).filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_FAILED');
    return {
      ...after,
      left: left.map((one) => `${one.LogicalResourceId} (${one.PhysicalResourceId || one.ResourceType}): ${one.ResourceStatusReason}`),
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (isKitError(error)) throw error;
    if (/No updates are to be performed/.test((error as Error).message)) return { ...(await stackState(aws, stack)), left: [] };
    throw deployFailure(error, doing, began ? await stackFailure(aws, stack, error, doing) : undefined);
  }
}

async function rollbackFailure(aws: Aws, stack: string): Promise<KitError> {
  const last = (await eventsOf(aws, stack)).find((one) => /_FAILED$/.test(one.ResourceStatus ?? '') && one.LogicalResourceId !== stack);
  return deployFailure(new Error(foreign(`${last?.LogicalResourceId}: ${last?.ResourceStatusReason}`)), `end the rollback of ${stack}`);
}

/** @param reason - of the resource that failed first; none where it never came to that: the template was refused, say. @internal */
export function deployFailure(error: unknown, doing: string, reason?: string): KitError {
  const known = awsError(error, doing);
  if (reason === undefined && known.code !== 'aws-failed') return known;
  const rolledBack = reason === undefined ? '' : ' and rolled it back';
  return new KitError(
    'deploy-failed',
    `CloudFormation could not ${doing}${rolledBack}: ${reason ?? (error as Error).message}; mend the cause and run the same command again`,
    { cause: error },
  );
}
