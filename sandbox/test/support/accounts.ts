import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateUserCommand } from '@aws-sdk/client-iam';
import type { LocalAws } from '../../aws/index.js';
import { clients, type Key } from './clients.js';

/** A user who may do `actions` on everything, and a key. Made without the front where `direct`. */
export async function userWithKey(aws: LocalAws, name: string, options: { actions?: string[]; direct?: boolean } = {}): Promise<Key> {
  const { iam } = clients(aws, { direct: options.direct });
  await iam.send(new CreateUserCommand({ UserName: name }));
  if (options.actions !== undefined) {
    const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: options.actions, Resource: '*' }] };
    const policy = await iam.send(new CreatePolicyCommand({ PolicyName: name, PolicyDocument: JSON.stringify(document) }));
    await iam.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn: policy.Policy?.Arn as string }));
  }
  return addKey(aws, name, options.direct);
}

export async function addKey(aws: LocalAws, user: string, direct?: boolean): Promise<Key> {
  const { AccessKey } = await clients(aws, { direct }).iam.send(new CreateAccessKeyCommand({ UserName: user }));
  return { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
}
