import type { Aws } from '../aws/aws.js';
import { bucketExists, requireOwnBucket } from '../aws/bucket.js';
import { inStep, type IoHost } from '../io/io-host.js';
import type { Deployer } from './deploy.client.js';
import { importBucket } from './import.client.js';
import { deleteStack } from './stack.client.js';
import type { StackChanges, StackTarget } from './stacks.plan.js';

/**
 * What must come before a deployment. CloudFormation takes no change to a stack whose deletion failed half way: it goes first, and what it
 * retains stays. A stack that would create a bucket which is there already takes it back in: it was kept when an earlier stack went.
 * @throws KitError `bucket-name-taken` where the bucket belongs to someone else, `bucket-not-ours` where the kit did not make it.
 */
export async function prepareStack(
  { stack, changes, failed }: StackChanges,
  { region, bucket }: StackTarget,
  { aws, deployer, io, signal }: { aws: Aws; deployer: Pick<Deployer, 'bucketResource'>; io: IoHost; signal: AbortSignal },
): Promise<void> {
  if (failed === 'DELETE_FAILED') await inStep(io, `completing the deletion of ${stack}`, () => deleteStack(aws, stack, signal));
  const anew = failed === 'ROLLBACK_COMPLETE' || failed === 'DELETE_FAILED';
  const creates = anew || changes.some(({ type, action }) => type === 'AWS::S3::Bucket' && action === 'create');
  const found = creates ? deployer.bucketResource(stack) : undefined;
  if (bucket === undefined || found === undefined || !(await bucketExists(aws, bucket))) return;
  await requireOwnBucket(aws, { ...bucket, region, stack });
  await inStep(io, `taking bucket ${bucket.name} back into ${stack}`, () =>
    importBucket(aws, { stack, bucket: bucket.name, ...found }, signal),
  );
}
