import type { Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import { isKitError, KitError } from '../errors.js';
import { stackFailure } from './stack-failure.client.js';
import { deleteStack, requireOwnStack, stackState } from './stack.client.js';
import { asRequest, deployedTemplate, type Template, type TemplateResource } from './template.client.js';

/** What names of change sets begin with that the kit leaves behind when it is killed. */
export const IMPORT_CHANGE_SET = 'halcyon-kit-import-';

export interface BucketImport {
  readonly stack: string;
  readonly logicalId: string;
  readonly resource: TemplateResource;
  readonly bucket: string;
}

/**
 * Take a retained bucket back into a stack by an import change set; the stack is made where it is gone. The rest of the template follows with an ordinary deployment, as an
 * import may bring nothing else (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html).
 * @throws KitError `bucket-import-failed` with CloudFormation's reason.
 */
export async function importBucket(aws: Aws, target: BucketImport, signal?: AbortSignal): Promise<void> {
  const [cfn, cloudformation] = await Promise.all([aws.cloudformation(), import('@aws-sdk/client-cloudformation')]);
  const {
    CreateChangeSetCommand,
    DescribeChangeSetCommand,
    ExecuteChangeSetCommand,
    waitUntilChangeSetCreateComplete,
    waitUntilStackImportComplete,
  } = cloudformation;
  const wait = { client: cfn, maxWaitTime: 600, minDelay: 1, maxDelay: 5, abortSignal: signal };
  try {
    let state = await requireOwnStack(aws, target.stack);
    if (state.status === 'ROLLBACK_COMPLETE') {
      // What a failed creation leaves behind holds nothing and takes nothing in.
      await deleteStack(aws, target.stack, signal);
      state = { ...state, exists: false };
    }
    const before: Template = state.exists ? await deployedTemplate(aws, target.stack) : {};
    // An import changes nothing of the bucket: without tags here the deployment that follows finds them new, and sets them.
    const { Tags: _, ...Properties } = target.resource.Properties ?? {};
    const resource = { ...target.resource, Properties };
    const template = { ...before, Resources: { ...before.Resources, [target.logicalId]: resource } };
    const name = { StackName: target.stack, ChangeSetName: `${IMPORT_CHANGE_SET}${Date.now()}` };
    await cfn.send(
      new CreateChangeSetCommand({
        ...name,
        ChangeSetType: 'IMPORT',
        ...(await asRequest(aws, template)),
        ResourcesToImport: [
          { ResourceType: target.resource.Type, LogicalResourceId: target.logicalId, ResourceIdentifier: { BucketName: target.bucket } },
        ],
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    );
    await waitUntilChangeSetCreateComplete(wait, name).catch(async (error: unknown) => {
      const { StatusReason } = await cfn.send(new DescribeChangeSetCommand(name)).catch(() => ({ StatusReason: undefined }));
      throw StatusReason === undefined ? error : refused(target, StatusReason, error);
    });
    await cfn.send(new ExecuteChangeSetCommand(name)).catch(async (error: unknown) => {
      // Its answer may have been lost, and its repetition refused because of that.
      const { ExecutionStatus = '' } = await cfn.send(new DescribeChangeSetCommand(name)).catch(() => ({ ExecutionStatus: 'gone' }));
      const began = ['EXECUTE_IN_PROGRESS', 'EXECUTE_COMPLETE'].includes(ExecutionStatus);
      // What was carried out to its end is no longer listed.
      if (!began && !(ExecutionStatus === 'gone' && /^IMPORT_/.test((await stackState(aws, target.stack)).status ?? ''))) throw error;
    });
    await waitUntilStackImportComplete(wait, { StackName: target.stack });
  } catch (error) {
    signal?.throwIfAborted();
    if (isKitError(error)) throw error;
    const doing = `take bucket ${target.bucket} back into ${target.stack}`;
    const known = awsError(error, doing);
    const waited = (error as Error).name === 'TimeoutError' || known.code === 'aws-failed';
    if (!waited) throw known;
    const reason = await stackFailure(aws, target.stack, error, doing).catch(() => known.message);
    throw refused(target, reason, error);
  }
}

const refused = ({ bucket, stack }: BucketImport, reason: string, cause: unknown): KitError =>
  new KitError(
    'bucket-import-failed',
    `CloudFormation could not take bucket ${bucket} back into ${stack}: ${reason}; the bucket is untouched: see the events of stack ${stack}, mend the cause and run again`,
    { cause },
  );
