import { createHash } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import { ownedBy } from '../aws/bucket.js';
import { awsError, isMissing } from '../aws/errors.js';
import { identity } from '../aws/identity.js';
import { domainOf } from '../config/regions.js';
import { TEMPLATES_STACK, templatesBucketName } from '../contract/index.js';
import { KitError } from '../errors.js';

/** A resource of a template, as CloudFormation takes it. */
export interface TemplateResource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties?: Record<string, unknown>;
}

export interface Template {
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
}

/** Bytes of a template that CloudFormation takes in a request (its quota "Template body size in a request"). */
const INLINE_BYTES = 51_200;

/** The template that a stack was deployed with. */
export async function deployedTemplate(aws: Aws, stack: string): Promise<Template> {
  const { GetTemplateCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' });
  const { TemplateBody = '{}' } = await (await aws.cloudformation()).send(command);
  return (await import('yaml')).parse(TemplateBody) as Template;
}

/** A template, changed, as a request takes it: one that is too large goes the way that it came, by the kit's bucket for such. */
export async function asRequest(aws: Aws, template: Template): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  const body = JSON.stringify(template);
  if (Buffer.byteLength(body) <= INLINE_BYTES) return { TemplateBody: body };
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const { account } = await identity(aws);
  const name = templatesBucketName(account, aws.region);
  const Key = `${createHash('sha256').update(body).digest('hex')}.json`;
  try {
    await (await aws.s3()).send(new PutObjectCommand({ ...ownedBy({ name, account }), Key, Body: body }));
  } catch (error) {
    if (isMissing(error, 'bucket')) throw templatesGone(name, aws.region, error);
    throw awsError(error, `put a template of ${body.length} bytes into bucket ${name}`);
  }
  return { TemplateURL: `https://s3.${aws.region}.${domainOf(aws.region)}/${name}/${Key}` };
}

/** CloudFormation does not notice that a bucket of its is gone, so a deployment does not make it anew. */
const templatesGone = (bucket: string, region: string, cause: unknown): KitError =>
  new KitError(
    'bucket-missing',
    `bucket ${bucket}, by which large templates reach CloudFormation, is gone; delete its stack (aws cloudformation delete-stack --stack-name ${TEMPLATES_STACK} --region ${region}), and run again, which makes both anew`,
    { cause },
  );
