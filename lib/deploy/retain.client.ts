import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import { resourcesIn } from '../aws/stack.js';
import { digestOf, TAGS } from '../contract/index.js';
import { isKitError } from '../errors.js';
import { changeStack } from './change-stack.client.js';
import { deleteStack, requireOwnStack } from './stack.client.js';
import { deployedTemplate, type Template, type TemplateResource } from './template.client.js';

const BUCKET = 'AWS::S3::Bucket';

const isRetained = ({ DeletionPolicy = '' }: TemplateResource): boolean => DeletionPolicy.startsWith('Retain');

/** The template with its buckets retained; undefined where they are already. Pure. @internal */
export function retaining(template: Template): Template | undefined {
  let changed = false;
  const resources = Object.entries(template.Resources ?? {}).map(([id, resource]): [string, TemplateResource] => {
    if (resource.Type !== BUCKET || isRetained(resource)) return [id, resource];
    changed = true;
    // CloudFormation takes a changed policy only together with another change to the resource.
    const tags = (resource.Properties?.Tags ?? []) as ReadonlyArray<{ Key: string; Value: string }>;
    const Tags = [...tags.filter(({ Key }) => Key !== TAGS.retained), { Key: TAGS.retained, Value: 'true' }];
    return [id, { ...resource, DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', Properties: { ...resource.Properties, Tags } }];
  });
  return changed ? { ...template, Resources: Object.fromEntries(resources) } : undefined;
}

/**
 * See to it that a stack, as it is deployed, keeps its bucket when that leaves it, or it goes (`retention.retain: false`).
 * @throws KitError `deploy-failed` with CloudFormation's reason: then the stack is as it was.
 */
async function retainBuckets(aws: Aws, stack: string, signal?: AbortSignal): Promise<void> {
  const doing = `keep what is in stack ${stack}`;
  try {
    const deployed = await deployedTemplate(aws, stack);
    const template = retaining(deployed);
    if (template !== undefined) await changeStack(aws, stack, { template, from: digestOf(deployed), doing }, { signal });
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
  await retainBuckets(aws, stack, signal);
  const doing = `let go of the bucket of stack ${stack}`;
  try {
    const buckets = await resourcesIn(aws, stack, [BUCKET]);
    // Another stack of the same deployment has taken it over.
    if (buckets.size === 0) return;
    const deployed = await deployedTemplate(aws, stack);
    const rest = withoutBuckets(deployed, new Map([...buckets].map(([id, { name }]) => [id, name])));
    // CloudFormation takes no stack with nothing in it.
    if (Object.keys(rest.Resources ?? {}).length === 0) await deleteStack(aws, stack, signal);
    else await changeStack(aws, stack, { template: rest, from: digestOf(deployed), doing }, { signal });
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
 * @param keep - also its bucket, whatever its template says.
 * @throws KitError `deploy-failed`, and as {@link deleteStack} does.
 */
export async function releaseStack(aws: Aws, stack: string, keep: boolean, signal?: AbortSignal): Promise<void> {
  const { exists } = await requireOwnStack(aws, stack);
  if (exists && keep) await retainBuckets(aws, stack, signal);
  await deleteStack(aws, stack, signal);
}
