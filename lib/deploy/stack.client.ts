import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { awsError, isMissing } from '../aws/errors.js';
import { deploymentOf, MANAGED_BY, TAGS } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import { stackFailure } from './stack-failure.client.js';

/** Lift termination protection, the last guard before a stack goes. No error where the stack is gone already. */
async function liftTerminationProtection(aws: Aws, stack: string): Promise<void> {
  const [client, { UpdateTerminationProtectionCommand }] = await Promise.all([
    aws.cloudformation(),
    import('@aws-sdk/client-cloudformation'),
  ]);
  try {
    await client.send(new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: false }));
  } catch (error) {
    if (isMissing(error, 'stack')) return;
    throw awsError(error, `lift the termination protection of ${stack}`);
  }
}

export interface StackState {
  readonly exists: boolean;
  readonly status?: string;
  /** When it was last made or changed. */
  readonly changedAt?: Date;
  /** Its termination protection is on. */
  readonly protected?: boolean;
  /** Its tags say that the kit made it; or it has none yet, as an import makes a stack without: the deployment that follows brings them. */
  readonly ours: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export async function stackState(aws: Aws, stack: string): Promise<StackState> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    const answer = await (await aws.cloudformation()).send(new DescribeStacksCommand({ StackName: stack }));
    const found = answer.Stacks?.[0];
    const { Tags = [], StackStatus = '' } = found ?? {};
    return {
      exists: found !== undefined && isThere(found.StackStatus),
      status: found?.StackStatus,
      changedAt: found?.LastUpdatedTime ?? found?.CreationTime,
      protected: found?.EnableTerminationProtection === true,
      ours:
        Tags.some(({ Key, Value }) => Key === TAGS.managedBy && Value === MANAGED_BY) ||
        (Tags.length === 0 && /^IMPORT_/.test(StackStatus)),
      outputs: Object.fromEntries((found?.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? ''])),
      tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    };
  } catch (error) {
    if (isMissing(error, 'stack')) return { exists: false, ours: false, outputs: {}, tags: {} };
    throw awsError(error, `read the state of stack ${stack}`);
  }
}

/** What a list tells of a stack. */
export type ListedStack = Pick<StackState, 'exists' | 'status' | 'changedAt'>;

/** The stacks of a region that may be the kit's, by name. */
async function listStacks(aws: Aws): Promise<ReadonlyMap<string, ListedStack>> {
  const { paginateListStacks } = await import('@aws-sdk/client-cloudformation');
  const found = new Map<string, ListedStack>();
  try {
    for await (const { StackSummaries = [] } of paginateListStacks({ client: await aws.cloudformation() }, {}))
      for (const { StackName = '', StackStatus: status = '', LastUpdatedTime, CreationTime } of StackSummaries)
        if (StackName.startsWith('halcyon-') && status !== 'DELETE_COMPLETE')
          found.set(StackName, { exists: isThere(status), status, changedAt: LastUpdatedTime ?? CreationTime });
  } catch (error) {
    throw awsError(error, `list the stacks in ${aws.region} (cloudformation:ListStacks)`);
  }
  return found;
}

export const stackNames = async (aws: Aws): Promise<string[]> => [...(await listStacks(aws)).keys()].sort();

/** A list is pages long where an account has other stacks, and deleted ones for ninety days: so few are asked for one by one. */
const FEW = 5;

/** Who may look at the kit's own stacks alone asks for each. */
const unlessDenied = <T>(listed: Promise<T>): Promise<T | undefined> =>
  listed.catch((error: unknown) => {
    if (!isKitError(error, 'aws-denied')) throw error;
    return undefined;
  });

/** Where they are many, one list a region in place of a request each. @returns what is known of one of them. */
export async function stackStates(
  awsIn: (region: string) => Aws,
  stacks: ReadonlyArray<{ readonly name: string; readonly region: string }>,
): Promise<(name: string, region: string) => ListedStack> {
  const inRegion = async (region: string): Promise<ReadonlyMap<string, ListedStack>> => {
    const names = stacks.filter((one) => one.region === region).map(({ name }) => name);
    const listed = names.length > FEW ? await unlessDenied(listStacks(awsIn(region))) : undefined;
    return (
      listed ?? new Map(await pMap(names, async (name) => [name, await stackState(awsIn(region), name)] as const, { concurrency: FEW }))
    );
  };
  const regions = [...new Set(stacks.map(({ region }) => region))];
  const states = new Map(await Promise.all(regions.map(async (region) => [region, await inRegion(region)] as const)));
  return (name, region) => states.get(region)?.get(name) ?? { exists: false };
}

const isThere = (status: string | undefined): boolean => status !== 'DELETE_COMPLETE' && status !== 'REVIEW_IN_PROGRESS';

/**
 * Nothing is changed or deleted that the kit did not make. A stack that is not there passes.
 * @param deployment - nor what it made for another file. Default: any.
 * @throws KitError `stack-not-ours`.
 */
export async function requireOwnStack(aws: Aws, stack: string, deployment?: string): Promise<StackState> {
  const state = await stackState(aws, stack);
  const other = deployment !== undefined && deploymentOf(state.tags) !== deployment && Object.keys(state.tags).length > 0;
  if (state.exists && state.ours && other)
    throw new KitError(
      'stack-not-ours',
      `stack ${stack} is of deployment ${deploymentOf(state.tags)}, not of ${deployment}, so it is left alone; give your team or bucket another name, or, if it is the file's "deployment" that changed, deploy it once with "cdk deploy ${stack}", which tags it`,
    );
  if (!state.exists || state.ours) return state;
  throw new KitError(
    'stack-not-ours',
    `stack ${stack} does not carry the tag ${TAGS.managedBy}=${MANAGED_BY}, so it is left alone; give your team or bucket another name, or, if the kit made it, deploy it once with "cdk deploy ${stack}", which tags it`,
  );
}

/**
 * Delete a stack and wait until it is gone. No error where it is gone already.
 * @throws KitError `stack-not-ours`; `stack-not-deleted` with CloudFormation's reason; running again tries again.
 */
export async function deleteStack(aws: Aws, stack: string, signal?: AbortSignal): Promise<void> {
  const { DeleteStackCommand, waitUntilStackDeleteComplete } = await import('@aws-sdk/client-cloudformation');
  const client = await aws.cloudformation();
  await requireOwnStack(aws, stack);
  await liftTerminationProtection(aws, stack);
  try {
    await client.send(new DeleteStackCommand({ StackName: stack }));
    await waitUntilStackDeleteComplete({ client, maxWaitTime: 1800, minDelay: 1, maxDelay: 5, abortSignal: signal }, { StackName: stack });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(await stackState(aws, stack)).exists) return;
    const reason = await stackFailure(aws, stack, error, `delete stack ${stack}`, /^DELETE_FAILED$/);
    throw new KitError('stack-not-deleted', `CloudFormation could not delete stack ${stack}: ${reason}; mend the cause and run again`, {
      cause: error,
    });
  }
}
