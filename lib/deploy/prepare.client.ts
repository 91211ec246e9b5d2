import type { Aws } from '../aws/aws.js';
import { bucketExists, isInStack, requireOwnBucket } from '../aws/bucket.js';
import { isOf } from '../contract/index.js';
import { inStep, type IoHost } from '../io/io-host.js';
import type { Deployer, Hands } from './deploy.client.js';
import { importBucket } from './import.client.js';
import { deleteStack, requireOwnStack, stackNames, stackState } from './stack.client.js';
import { releaseBucket, releaseStack } from './retain.client.js';
import type { StackChanges, StackTarget } from './stacks.plan.js';

interface Preparing {
  readonly aws: Aws;
  readonly deployer: Pick<Deployer, 'bucketResource'>;
  readonly io: IoHost;
  readonly signal: AbortSignal;
  readonly hands: Hands;
}

/**
 * What must come before a deployment. CloudFormation takes no change to a stack whose deletion failed half way: it goes first, and what it
 * retains stays. A stack that would create a bucket which is there already takes it back in: it was kept when an earlier stack went, or is
 * still in another, which lets go of it first.
 * @throws KitError `stack-not-ours`, `bucket-name-taken` where the bucket belongs to someone else, `bucket-not-ours` where the kit did not make it.
 */
export async function prepareStack(
  { stack, changes, failed }: StackChanges,
  { region, bucket, deployment, was }: StackTarget,
  { aws, deployer, io, signal, hands: { alone, changing } }: Preparing,
): Promise<void> {
  await requireOwnStack(aws, stack, deployment);
  const anew = failed === 'ROLLBACK_COMPLETE' || failed === 'ROLLBACK_FAILED' || failed === 'DELETE_FAILED';
  const creates = anew || changes.some(({ type, action }) => type === 'AWS::S3::Bucket' && action === 'create');
  const replaces = !anew && changes.some(({ type, action }) => type === 'AWS::S3::Bucket' && action === 'replace');
  const found = creates || replaces ? deployer.bucketResource(stack) : undefined;
  const there = bucket !== undefined && found !== undefined && (await bucketExists(aws, bucket));
  // Other stacks may be changed now.
  if (was !== undefined || there) await alone();
  const change = (one: string, doing: string, work: () => Promise<unknown>) => inStep(io, doing, () => changing(one, work));
  const letGo = (other: string) =>
    change(other, `letting go of the bucket of ${other}, which stays`, () => releaseBucket(aws, other, signal));
  const former = await formerStack(aws, { was, deployment });
  if (former !== undefined)
    await change(former, `deleting stack ${former}, whose users and bucket stay`, () => releaseStack(aws, former, true, signal));
  const completes = failed === 'DELETE_FAILED' || failed === 'ROLLBACK_FAILED';
  if (completes) await change(stack, `completing the deletion of ${stack}`, () => deleteStack(aws, stack, signal));
  // A deletion that was completed may have taken it along.
  if (!there || !(await bucketExists(aws, bucket))) return;
  await requireOwnBucket(aws, { ...bucket, region, stack, deployment });
  // A bucket is in one stack at most: of the team by another name, or of whoever the file before gave it to.
  for (const holder of await stackNames(aws)) {
    if (holder === stack || !(await isInStack(aws, { name: bucket.name, stack: holder }))) continue;
    await requireOwnStack(aws, holder, deployment);
    await letGo(holder);
  }
  if (replaces) await letGo(stack);
  await change(stack, `taking bucket ${bucket.name} back into ${stack}`, () =>
    importBucket(aws, { stack, bucket: bucket.name, ...found }, signal),
  );
}

/** The stack under a name that its team gave up, if it is there. That name may have come to be another file's, which is let be. */
export async function formerStack(aws: Aws, { was, deployment }: Pick<StackTarget, 'was' | 'deployment'>): Promise<string | undefined> {
  if (was === undefined) return undefined;
  const { exists, tags } = await stackState(aws, was);
  return exists && isOf(deployment ?? '', tags) ? was : undefined;
}
