import { paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import {
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListUserPoliciesCommand,
  paginateListUsers,
} from '@aws-sdk/client-iam';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { DeleteSecretCommand, paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import pMap from 'p-map';
import { deleteBucket, emptyBucket } from '../lib/aws/bucket.js';
import { isMissing } from '../lib/aws/errors.js';
import { IAM_ROOT_PATH } from '../lib/contract/index.js';
import { deleteStack } from '../lib/deploy/stack.client.js';
import { expiryOf, groundOf, isMadeFor, namesOf, runOfApp } from './fleet.plan.js';
import { isGoingOn } from './ground.client.js';
import type { Run } from './run.js';

/** What there is of a run, by name. */
export interface Things {
  readonly apps: readonly string[];
  readonly stacks: readonly string[];
  readonly users: readonly string[];
  readonly secrets: readonly string[];
  /** Its ground is not among them. */
  readonly buckets: readonly string[];
}

type Of = Pick<Run, 'aws' | 'heroku' | 'place' | 'names'>;

export async function thingsOf({ aws, heroku, place, names: { mark, ground } }: Of): Promise<Things> {
  const here = aws(place.region);
  const ours = (name = '') => name.includes(mark);
  const all = async <T>(pages: AsyncIterable<T>, names: (page: T) => Array<string | undefined> | undefined): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of pages) found.push(...(names(page) ?? []).filter((name): name is string => ours(name)));
    return found;
  };
  const [cloudformation, iam, secrets, s3] = await Promise.all([here.cloudformation(), here.iam(), here.secrets(), here.s3()]);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  return {
    apps: (await heroku.apps()).map(({ name }) => name).filter(ours),
    // Teams before the bucket that they share.
    stacks: (
      await all(paginateDescribeStacks({ client: cloudformation }, {}), (page) => page.Stacks?.map(({ StackName }) => StackName))
    ).sort((a, b) => Number(a.startsWith('halcyon-bucket-')) - Number(b.startsWith('halcyon-bucket-'))),
    users: await all(paginateListUsers({ client: iam }, { PathPrefix: IAM_ROOT_PATH }), (page) =>
      page.Users?.map(({ UserName }) => UserName),
    ),
    secrets: await all(paginateListSecrets({ client: secrets }, {}), (page) => page.SecretList?.map(({ Name }) => Name)),
    buckets: Buckets.map(({ Name = '' }) => Name).filter((name) => ours(name) && name !== ground),
  };
}

/** Remove all that there is of a run, its ground last, in whatever state it was left. @param ground - false: that stays. */
export async function scrub(of: Of, { ground = true } = {}): Promise<void> {
  const { aws, heroku, place, names } = of;
  const here = aws(place.region);
  const bucket = (name: string) => ({ name, account: place.account });
  const { apps, users, buckets, stacks } = await thingsOf(of);
  await pMap(apps, (app) => heroku.deleteApp(app), { concurrency: 3 });
  for (const user of users) await disarm(of, user);
  for (const name of buckets) await emptyBucket(here, bucket(name));
  for (const stack of stacks) await deleteStack(here, stack);
  // What no stack took with it.
  const left = await thingsOf(of);
  const [iam, secrets] = await Promise.all([here.iam(), here.secrets()]);
  for (const UserName of left.users) {
    await disarm(of, UserName, true);
    await iam.send(new DeleteUserCommand({ UserName }));
  }
  for (const SecretId of left.secrets) await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  for (const name of [...left.buckets, ...(ground ? [names.ground] : [])]) {
    await emptyBucket(here, bucket(name));
    await deleteBucket(here, bucket(name));
  }
}

/** A user without keys and managed policies, which CloudFormation could not delete. @param whole - without inline policies too. */
async function disarm({ aws, place }: Of, UserName: string, whole = false): Promise<void> {
  const iam = await aws(place.region).iam();
  try {
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId } of AccessKeyMetadata) await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    const { AttachedPolicies = [] } = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    for (const { PolicyArn } of AttachedPolicies) await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn }));
    const { PolicyNames = [] } = whole ? await iam.send(new ListUserPoliciesCommand({ UserName })) : {};
    for (const PolicyName of PolicyNames) await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName }));
  } catch (error) {
    if (!isMissing(error, 'user or key')) throw error;
  }
}

/**
 * Remove what earlier runs left: those whose process is gone, and apps past their time. What is under way, or kept, is let be.
 * @returns their ids.
 */
export async function sweep(run: Run): Promise<string[]> {
  const { aws, heroku, place, host } = run;
  const { Buckets = [] } = await (await aws(place.region).s3()).send(new ListBucketsCommand({}));
  const going = new Set<string>();
  const swept: string[] = [];
  for (const { Name = '', CreationDate = new Date(0) } of Buckets) {
    const found = groundOf(Name, place.account);
    if (found === undefined || !isMadeFor(found.id, CreationDate)) continue;
    if (await isGoingOn(aws(found.region), { name: Name, account: place.account }, found.id)) {
      going.add(found.id);
      continue;
    }
    host.io.info(`removing what run ${found.id} left behind in ${found.region}`);
    const there = { ...place, region: found.region };
    await scrub({ ...run, place: there, names: namesOf(found.id, there) });
    swept.push(found.id);
  }
  // Without a ground here they may be of a run in another account, which may go on until its time is over.
  for (const { name, createdAt } of await heroku.apps()) {
    const id = runOfApp(name);
    if (id === undefined || going.has(id) || !isMadeFor(id, new Date(createdAt)) || expiryOf(id).getTime() > Date.now()) continue;
    await heroku.deleteApp(name);
    host.io.info(`removed app ${name}, whose time was over`);
  }
  return swept;
}
