import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand, type IAMClient } from '@aws-sdk/client-iam';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Aws } from '../lib/aws/aws.js';
import { partitionOf } from '../lib/config/regions.js';
import { IAM_ROOT_PATH, MANAGED_BY, TAGS, type KeyPair } from '../lib/contract/index.js';
import { registerSecret } from '../lib/io/redaction.js';
import { tagsOf } from './fleet.plan.js';
import { tagSetOf } from './ground.client.js';
import type { Run } from './run.js';

/** What the probes ask with: the run's ground with an object in it, two users with a key each, an app. */
export interface ProbeGround {
  readonly run: Run;
  readonly aws: Aws;
  readonly s3: S3Client;
  readonly iam: IAMClient;
  readonly secrets: SecretsManagerClient;
  readonly bucket: string;
  readonly app: string;
  readonly users: { readonly wide: string; readonly narrow: string };
  /** May do everything in the bucket. */
  readonly wide: KeyPair;
  /** May get and put objects, without an ACL, and list under `narrow/`. */
  readonly narrow: KeyPair;
  /** Another key of the wide user, made when first asked for. */
  second(): Promise<KeyPair>;
  /** A secret without a value. @returns its name. */
  secret(name: string): Promise<string>;
  /** A stack with a user that has a key and a bucket that has an object, deleted: the last status of each. */
  stackGone(): Promise<ReadonlyMap<string, string>>;
}

export async function newKey(iam: IAMClient, UserName: string): Promise<KeyPair> {
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  registerSecret(AccessKey?.SecretAccessKey);
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

export async function probeGround(run: Run): Promise<ProbeGround> {
  const { names, place, heroku, id } = run;
  // Once: an answer is an answer.
  const aws = run.aws(place.region).once();
  const [s3, iam, secrets] = await Promise.all([aws.s3(), aws.iam(), aws.secrets()]);
  const Tags = tagSetOf(tagsOf(id));
  await s3.send(new PutObjectCommand({ Bucket: names.ground, Key: 'there', Body: 'x' }));
  const arn = `arn:${partitionOf(place.region)}:s3:::${names.ground}`;
  const user = async (name: string, Statement: readonly object[]): Promise<KeyPair> => {
    await iam.send(new CreateUserCommand({ UserName: name, Path: IAM_ROOT_PATH, Tags }));
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'probe', PolicyDocument }));
    return newKey(iam, name);
  };
  const users = { wide: `${names.probe}-wide`, narrow: `${names.probe}-narrow` };
  const wide = await user(users.wide, [{ Effect: 'Allow', Action: 's3:*', Resource: [arn, `${arn}/*`] }]);
  const narrow = await user(users.narrow, [
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: `${arn}/*` },
    { Effect: 'Allow', Action: 's3:ListBucket', Resource: arn, Condition: { StringLike: { 's3:prefix': 'narrow/*' } } },
  ]);
  const app = names.app('probe');
  await heroku.createApp({ name: app, ...(place.herokuTeam === undefined ? {} : { team: place.herokuTeam }) });
  await heroku.patchConfigVars(app, { ONE: '1' });
  let second: Promise<KeyPair> | undefined;
  let gone: Promise<ReadonlyMap<string, string>> | undefined;
  return {
    run,
    aws,
    s3,
    iam,
    secrets,
    bucket: names.ground,
    app,
    users,
    wide,
    narrow,
    second: () => (second ??= newKey(iam, users.wide)),
    async secret(name) {
      const Name = `halcyon/${names.mark}probe/${name}`;
      await secrets.send(new CreateSecretCommand({ Name, Tags }));
      return Name;
    },
    stackGone: () => (gone ??= stackGone(run, s3, iam)),
  };
}

async function stackGone({ id, names, place, aws, host }: Run, s3: S3Client, iam: IAMClient): Promise<ReadonlyMap<string, string>> {
  const client = await aws(place.region).cloudformation();
  const StackName = names.probe;
  const [BucketName, UserName] = [`${names.probe}-${place.account}-${place.region}`, `${names.probe}-stack`];
  const Resources = {
    User: { Type: 'AWS::IAM::User', Properties: { UserName, Path: IAM_ROOT_PATH } },
    Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Delete', Properties: { BucketName } },
  };
  const Tags = tagSetOf({ ...tagsOf(id), [TAGS.managedBy]: MANAGED_BY });
  const create = { StackName, TemplateBody: JSON.stringify({ Resources }), Capabilities: ['CAPABILITY_NAMED_IAM' as const], Tags };
  await client.send(new CreateStackCommand(create));
  const waiting = { client, maxWaitTime: 300, minDelay: 1, maxDelay: 5, abortSignal: host.signal };
  await waitUntilStackCreateComplete(waiting, { StackName });
  await newKey(iam, UserName);
  await s3.send(new PutObjectCommand({ Bucket: BucketName, Key: 'there', Body: 'x' }));
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(waiting, { StackName }).catch(() => undefined);
  const last = new Map<string, string>();
  for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: Stacks?.[0]?.StackId }))
    for (const { LogicalResourceId = '', ResourceStatus = '' } of StackEvents)
      if (!last.has(LogicalResourceId)) last.set(LogicalResourceId, ResourceStatus);
  return last;
}
