import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { StackEvent } from '@aws-sdk/client-cloudformation';
import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import { digestOf } from '../contract/index.js';
import type { Step } from '../io/io-host.js';
import { isKitError, KitError } from '../errors.js';
import { foreign } from '../io/redaction.js';
import { eventsOf, stackFailure } from './stack-failure.client.js';
import { IMPORT_CHANGE_SET } from './import.client.js';
import { deleteStack, requireOwnStack, stackState, type StackState } from './stack.client.js';
import { asRequest, deployedTemplate, type Template } from './template.client.js';

export interface StackChange {
  readonly template: Template;
  /** Digest of the template that this was planned from, which must still be that, or the wanted one. Default: it may be any. */
  readonly from?: string;
  /** Default: as they are; nothing is made without any, only what is there is changed. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether termination protection is on. Default: as it is. */
  readonly protect?: boolean;
  /** As errors say it. Default: change the stack. */
  readonly doing?: string;
}

export const stateChanged = (stack: string): KitError =>
  new KitError('state-changed', `stack ${stack} was changed meanwhile; run the same command again, which plans anew`);

const POLL = 1000;
/** As many looks in a row may fail, each of several attempts. */
const UNSEEN = 20;
/** Nothing is in it, or what CloudFormation takes no change of. */
const NEVER_MADE = /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|REVIEW_IN_PROGRESS)$/;

/**
 * Make a stack, or change it, and wait until it is done; what is under way on it ends first. One whose creation failed is made anew, and a
 * rollback that failed is taken up again first.
 * @returns it, as it is then, and what CloudFormation could not delete on the way.
 * @throws KitError as {@link awsError} says, `stack-not-ours`, `state-changed`, and `deploy-failed` with CloudFormation's own reason.
 */
export async function changeStack(
  aws: Aws,
  stack: string,
  { template, from, tags, protect, doing = `change ${stack}` }: StackChange,
  { step, signal }: { readonly step?: Step; readonly signal?: AbortSignal } = {},
): Promise<StackState & { readonly left: readonly string[] }> {
  const [client, sdk] = await Promise.all([aws.cloudformation(), import('@aws-sdk/client-cloudformation')]);
  // A repetition of a request is told from another.
  const of = () => ({ StackName: stack, ClientRequestToken: randomUUID() });
  const settled = async (): Promise<StackState> => {
    for (let unseen = 0; ;) {
      const state = await stackState(aws, stack).catch((error: unknown) => {
        // CloudFormation goes on, whatever becomes of a look at it.
        if (!began || !isKitError(error, 'aws-throttled', 'aws-unreachable') || (unseen += 1) > UNSEEN) throw error;
      });
      if (state !== undefined) {
        unseen = 0;
        if (!/_IN_PROGRESS$/.test(state.status ?? '') || state.status === 'REVIEW_IN_PROGRESS') return state;
        const [newest] = await eventsOf(aws, stack, 1);
        if (newest !== undefined) step?.update(`${newest.LogicalResourceId} ${newest.ResourceStatus}`);
      }
      await sleep(POLL, undefined, { signal });
    }
  };
  let began = false;
  try {
    let before = await settled();
    // Another may have made it while it was waited for.
    if (before.exists && !before.ours) await requireOwnStack(aws, stack);
    if (from !== undefined) {
      const now = before.exists ? await deployedTemplate(aws, stack) : {};
      if (digestOf(now) !== from && !isDeepStrictEqual(now, template)) throw stateChanged(stack);
    }
    if (before.status === 'UPDATE_FAILED' || before.status === 'CREATE_FAILED') {
      // Left as it was when it failed, by `cdk deploy --no-rollback`, say.
      await client.send(new sdk.RollbackStackCommand(of()));
      before = await settled();
    }
    if (before.status === 'UPDATE_ROLLBACK_FAILED') {
      // CloudFormation does nothing else with such a stack, and what kept its rollback from an end may be mended by now.
      await client.send(new sdk.ContinueUpdateRollbackCommand(of()));
      before = await settled();
      if (before.status === 'UPDATE_ROLLBACK_FAILED') throw await rollbackFailure(aws, stack);
    }
    const anew = NEVER_MADE.test(before.status ?? '');
    // Who changes what is there makes nothing.
    if (tags === undefined && (anew || !before.exists))
      throw new KitError(
        'state-changed',
        `stack ${stack} is ${before.status ?? 'gone'} by now; run the same command again, which looks anew`,
      );
    if (before.status === 'REVIEW_IN_PROGRESS') await refuseReview(aws, stack);
    if (anew) await deleteStack(aws, stack, signal);
    const request = {
      ...of(),
      ...(await asRequest(aws, template)),
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
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
    const events = anew || !before.exists ? [] : await eventsOf(aws, stack);
    const left = events.filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_FAILED');
    // Each is tried several times.
    const last = new Map(left.reverse().map((one) => [one.LogicalResourceId, one]));
    const inWords = (one: StackEvent) =>
      foreign(`${one.LogicalResourceId} (${one.PhysicalResourceId || one.ResourceType}): ${one.ResourceStatusReason}`);
    return { ...after, left: [...last.values()].map(inWords) };
  } catch (error) {
    signal?.throwIfAborted();
    if (isKitError(error)) throw error;
    if (/No updates are to be performed/.test((error as Error).message)) return { ...(await stackState(aws, stack)), left: [] };
    throw deployFailure(error, doing, began ? await stackFailure(aws, stack, error, doing) : undefined);
  }
}

/** Somebody may want what waits there; what an import of the kit left goes. @throws KitError `deploy-failed`. */
async function refuseReview(aws: Aws, stack: string): Promise<void> {
  const { ListChangeSetsCommand } = await import('@aws-sdk/client-cloudformation');
  const { Summaries = [] } = await (await aws.cloudformation()).send(new ListChangeSetsCommand({ StackName: stack }));
  const other = Summaries.find(({ ChangeSetName = '' }) => !ChangeSetName.startsWith(IMPORT_CHANGE_SET));
  if (other === undefined) return;
  throw new KitError(
    'deploy-failed',
    `stack ${stack} waits for the review of change set ${other.ChangeSetName}; execute it, or delete the stack, and run the same command again`,
  );
}

async function rollbackFailure(aws: Aws, stack: string): Promise<KitError> {
  const last = (await eventsOf(aws, stack)).find((one) => /_FAILED$/.test(one.ResourceStatus ?? '') && one.LogicalResourceId !== stack);
  const why = last === undefined ? `see the events of stack ${stack}` : foreign(`${last.LogicalResourceId}: ${last.ResourceStatusReason}`);
  return deployFailure(new Error(why), `end the rollback of ${stack}`);
}

/** @param reason - of the resource that failed first; none where it never came to that: the template was refused, say. @internal */
export function deployFailure(error: unknown, doing: string, reason?: string): KitError {
  const known = awsError(error, doing);
  if (reason === undefined && known.code !== 'aws-failed') return known;
  const rolledBack = reason !== undefined && /ROLLBACK_COMPLETE/.test((error as Error).message) ? ' and rolled it back' : '';
  return new KitError(
    'deploy-failed',
    `CloudFormation could not ${doing}${rolledBack}: ${reason ?? (error as Error).message}; mend the cause and run the same command again`,
    { cause: error },
  );
}
