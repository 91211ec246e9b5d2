import type { Aws } from './aws.js';
import { isMissing } from './errors.js';

/** What a stack has of some types, by logical id; nothing where there is no such stack. */
export async function resourcesIn(
  aws: Aws,
  StackName: string,
  types: readonly string[],
): Promise<Map<string, { readonly type: string; readonly name: string }>> {
  const { paginateListStackResources } = await import('@aws-sdk/client-cloudformation');
  const found = new Map<string, { type: string; name: string }>();
  try {
    // Page by page: a team of many users has more resources than one answer holds.
    for await (const page of paginateListStackResources({ client: await aws.cloudformation() }, { StackName }))
      for (const {
        LogicalResourceId = '',
        ResourceType: type = '',
        PhysicalResourceId: name,
        ResourceStatus = '',
      } of page.StackResourceSummaries ?? [])
        if (types.includes(type) && name && !['DELETE_COMPLETE', 'DELETE_SKIPPED'].includes(ResourceStatus))
          found.set(LogicalResourceId, { type, name });
  } catch (error) {
    if (!isMissing(error, 'stack')) throw error;
  }
  return found;
}
