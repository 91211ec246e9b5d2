import { Stack, type App } from 'aws-cdk-lib/core';
import { createAws, type Aws } from '../aws/aws.js';
import { identity } from '../aws/identity.js';

/**
 * Lift the termination protection of stacks whose first deployment failed. CloudFormation has rolled them back, so nothing is left in them;
 * CDK deletes such a stack before it tries again, and would be refused. Healthy stacks are never touched.
 *
 * Whatever goes wrong here is left for the deployment itself to report: it needs more rights than this does.
 *
 * @param account - that of the credentials that the deployment is for: with credentials of another, nothing is asked of CloudFormation, as
 * the `cdk` CLI does not pass its `--profile` on. Default: whatever `awsFor` is for.
 * @returns names of the stacks that were freed.
 */
export async function freeFailedCreations(
  app: App,
  awsFor: (region: string) => Aws = (region) => createAws({ region, maxAttempts: 2 }),
  account?: string,
): Promise<string[]> {
  const byRegion = new Map<string, Set<string>>();
  for (const stack of app.node.children) {
    if (!Stack.isStack(stack) || !stack.terminationProtection) continue;
    byRegion.set(stack.region, (byRegion.get(stack.region) ?? new Set()).add(stack.stackName));
  }
  const freed = await Promise.all([...byRegion].map(([region, names]) => freeIn(awsFor(region), names, account).catch(() => [])));
  return freed.flat();
}

async function freeIn(aws: Aws, names: ReadonlySet<string>, account: string | undefined): Promise<string[]> {
  if (account !== undefined && (await identity(aws)).account !== account) return [];
  const { paginateListStacks, UpdateTerminationProtectionCommand } = await import('@aws-sdk/client-cloudformation');
  const cloudformation = await aws.cloudformation();
  const failed: string[] = [];
  for await (const { StackSummaries = [] } of paginateListStacks({ client: cloudformation }, { StackStatusFilter: ['ROLLBACK_COMPLETE'] }))
    failed.push(...StackSummaries.map(({ StackName }) => StackName ?? '').filter((name) => names.has(name)));
  for (const StackName of failed) {
    await cloudformation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }));
  }
  return failed;
}
