import type { Aws } from '../aws/aws.js';
import { awsError, isMissing } from '../aws/errors.js';
import { resourcesIn } from '../aws/stack.js';
import { TAGS } from '../contract/index.js';
import { isKitError } from '../errors.js';
import { changeStack } from './change-stack.client.js';
import { deleteStack, requireOwnStack } from './stack.client.js';
import { deployedTemplate, type Template, type TemplateResource } from './template.client.js';

/** What an app's builds may still depend on when it leaves its stack. */
export const PRINCIPAL_TYPES: readonly string[] = ['AWS::IAM::User', 'AWS::SecretsManager::Secret'];
export const BUCKET_TYPES: readonly string[] = ['AWS::S3::Bucket'];
const KEPT_TYPES: readonly string[] = [...PRINCIPAL_TYPES, ...BUCKET_TYPES];

const isRetained = ({ DeletionPolicy = '' }: TemplateResource): boolean => DeletionPolicy.startsWith('Retain');

/** The template with all that is of `types`, and in `there`, retained; undefined where it is already. Pure. @internal */
export function retaining(template: Template, types: readonly string[], there: (logicalId: string) => boolean): Template | undefined {
  let changed = false;
  const resources = Object.entries(template.Resources ?? {}).map(([id, resource]): [string, TemplateResource] => {
    if (!types.includes(resource.Type) || isRetained(resource) || !there(id)) return [id, resource];
    changed = true;
    // CloudFormation takes a changed policy only together with another change to the resource.
    const tags = (resource.Properties?.Tags ?? []) as ReadonlyArray<{ Key: string; Value: string }>;
    const Tags = [...tags.filter(({ Key }) => Key !== TAGS.retained), { Key: TAGS.retained, Value: 'true' }];
    return [id, { ...resource, DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', Properties: { ...resource.Properties, Tags } }];
  });
  return changed ? { ...template, Resources: Object.fromEntries(resources) } : undefined;
}

/**
 * See to it that a stack, as it is deployed, keeps what is of `types` when it leaves it or goes: stacks of the kit's first version would
 * take users along that builds hold keys of. What was deleted by hand is passed over, since CloudFormation could not change it.
 * @throws KitError `deploy-failed` with CloudFormation's reason: then the stack is as it was.
 */
export async function retainIn(aws: Aws, stack: string, types: readonly string[], signal?: AbortSignal): Promise<void> {
  if (types.length === 0) return;
  const doing = `keep what is in stack ${stack}`;
  try {
    const template = await deployedTemplate(aws, stack);
    if (retaining(template, types, () => true) === undefined) return;
    const there = new Set<string>();
    for (const [id, { type, name }] of await resourcesIn(aws, stack, types)) if (await exists(aws, type, name)) there.add(id);
    const changed = retaining(template, types, (id) => there.has(id));
    if (changed === undefined) return;
    await changeStack(aws, stack, { template: changed, doing }, { signal });
  } catch (error) {
    if (isKitError(error)) throw error;
    throw awsError(error, doing);
  }
}

/**
 * Let go of the bucket of a stack, which stays, as does all else that is in the stack: the stack is to have another, or none. The bucket's
 * policy goes; what it forbids to the kit's users their own policies do not allow, either.
 * @throws KitError `deploy-failed` with CloudFormation's reason: then the stack is as it was.
 */
export async function releaseBucket(aws: Aws, stack: string, signal?: AbortSignal): Promise<void> {
  await retainIn(aws, stack, BUCKET_TYPES, signal);
  const doing = `let go of the bucket of stack ${stack}`;
  try {
    const buckets = await resourcesIn(aws, stack, BUCKET_TYPES);
    // Another stack of the same deployment has taken it over.
    if (buckets.size === 0) return;
    const rest = withoutBuckets(await deployedTemplate(aws, stack), new Map([...buckets].map(([id, { name }]) => [id, name])));
    // CloudFormation takes no stack with nothing in it.
    if (Object.keys(rest.Resources ?? {}).length === 0) await deleteStack(aws, stack, signal);
    else await changeStack(aws, stack, { template: rest, doing }, { signal });
  } catch (error) {
    if (isKitError(error)) throw error;
    throw awsError(error, doing);
  }
}

/** The template without the buckets of `names` (by logical id), and with their names where it refers to them. Pure. @internal */
export function withoutBuckets(template: Template, names: ReadonlyMap<string, string>): Template {
  const gone = ([id, { Type }]: [string, TemplateResource]) => names.has(id) || Type === 'AWS::S3::BucketPolicy';
  const Resources = Object.fromEntries(Object.entries(template.Resources ?? {}).filter((entry) => !gone(entry)));
  const named = (_key: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: readonly string[] };
    if (Ref !== undefined && names.has(Ref)) return names.get(Ref);
    const owner = attribute?.[1] === 'Arn' ? names.get(attribute[0] ?? '') : undefined;
    return owner === undefined ? value : { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${owner}` };
  };
  return JSON.parse(JSON.stringify({ ...template, Resources, Outputs: undefined }), named) as Template;
}

/**
 * Delete a stack, and keep what is in it.
 * @param types - of resources that stay, whatever its template says; default: whatever builds may still depend on.
 * @throws KitError as {@link retainIn} and {@link deleteStack} do.
 */
export async function releaseStack(aws: Aws, stack: string, types = KEPT_TYPES, signal?: AbortSignal): Promise<void> {
  const { exists } = await requireOwnStack(aws, stack);
  if (exists) await retainIn(aws, stack, types, signal);
  await deleteStack(aws, stack, signal);
}

async function exists(aws: Aws, type: string, id: string): Promise<boolean> {
  try {
    if (type === 'AWS::IAM::User') {
      const { GetUserCommand } = await import('@aws-sdk/client-iam');
      await (await aws.iam()).send(new GetUserCommand({ UserName: id }));
    } else if (type === 'AWS::SecretsManager::Secret') {
      const { DescribeSecretCommand } = await import('@aws-sdk/client-secrets-manager');
      const { DeletedDate } = await (await aws.secrets()).send(new DescribeSecretCommand({ SecretId: id }));
      return DeletedDate === undefined;
    }
    return true;
  } catch (error) {
    if (isMissing(error, 'user or key') || isMissing(error, 'secret')) return false;
    throw awsError(error, `look for ${id}`);
  }
}
