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
import { deleteBucket } from '../lib/aws/bucket.js';
import { emptyBucket } from '../lib/smoke/objects.client.js';
import { isMissing } from '../lib/aws/errors.js';
import { IAM_ROOT_PATH } from '../lib/contract/index.js';
import { deleteStack } from '../lib/deploy/stack.client.js';
import { expiryOf, groundOf, isMadeFor, namesOf, regionBeside, runOfApp } from './fleet.plan.js';
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

export async function thingsOf(of: Of): Promise<Things> {
  const { aws, heroku, place, names } = of;
  const iam = await aws(place.region).iam();
  const regions = await Promise.all(regionsOf(of).map((region) => thingsIn(of, region)));
  return {
    apps: (await heroku.apps()).map(({ name }) => name).filter((name) => name.includes(names.mark)),
    stacks: regions.flatMap(({ stacks }) => stacks),
    users: await named(of, paginateListUsers({ client: iam }, { PathPrefix: IAM_ROOT_PATH }), (page) =>
      page.Users?.map(({ UserName }) => UserName),
    ),
    secrets: regions.flatMap(({ secrets }) => secrets),
    buckets: regions.flatMap(({ buckets }) => buckets),
  };
}

/** Where a run makes things. */
const regionsOf = ({ place: { region } }: Of): string[] => [region, regionBeside(region)];

/** Those with the run's mark, of all pages. */
async function named<T>(
  { names: { mark } }: Of,
  pages: AsyncIterable<T>,
  names: (page: T) => Array<string | undefined> | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for await (const page of pages) found.push(...(names(page) ?? []).filter((name): name is string => name?.includes(mark) === true));
  return found;
}

async function thingsIn(of: Of, region: string): Promise<Pick<Things, 'stacks' | 'secrets' | 'buckets'>> {
  const { aws, place, names } = of;
  const here = aws(region);
  const [cloudformation, secrets, s3] = await Promise.all([here.cloudformation(), here.secrets(), here.s3()]);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  // Their names tell; the one that an edit names is where the run is.
  const isHere = (name: string) => name.endsWith(`-${region}`) || (region === place.region && name === names.renamed);
  return {
    // Teams before the bucket that they share.
    stacks: (
      await named(of, paginateDescribeStacks({ client: cloudformation }, {}), (page) => page.Stacks?.map(({ StackName }) => StackName))
    ).sort((a, b) => Number(a.startsWith('halcyon-bucket-')) - Number(b.startsWith('halcyon-bucket-'))),
    secrets: await named(of, paginateListSecrets({ client: secrets }, {}), (page) => page.SecretList?.map(({ Name }) => Name)),
    buckets: Buckets.map(({ Name = '' }) => Name).filter((name) => name.includes(names.mark) && name !== names.ground && isHere(name)),
  };
}

/** Remove all that there is of a run, its ground last, in whatever state it was left. @param ground - false: that stays. */
export async function scrub(of: Of, { ground = true } = {}): Promise<void> {
  const { aws, heroku, place, names } = of;
  const bucket = (name: string) => ({ name, account: place.account });
  const { apps, users } = await thingsOf(of);
  await pMap(apps, (app) => heroku.deleteApp(app), { concurrency: 3 });
  for (const user of users) await disarm(of, user);
  for (const region of regionsOf(of)) {
    const { buckets, stacks } = await thingsIn(of, region);
    for (const name of buckets) await emptyBucket(aws(region), bucket(name));
    for (const stack of stacks) await deleteStack(aws(region), stack);
  }
  // What no stack took with it.
  const iam = await aws(place.region).iam();
  for (const UserName of (await thingsOf(of)).users) {
    await disarm(of, UserName, true);
    await iam.send(new DeleteUserCommand({ UserName }));
  }
  for (const region of regionsOf(of)) {
    const secrets = await aws(region).secrets();
    for (const SecretId of (await thingsIn(of, region)).secrets)
      await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  }
  await deleteBuckets(of);
  if (!ground) return;
  await emptyBucket(aws(place.region), bucket(names.ground));
  await deleteBucket(aws(place.region), bucket(names.ground));
}

/** All but the ground. */
export async function deleteBuckets(of: Of): Promise<void> {
  for (const region of regionsOf(of)) {
    for (const name of (await thingsIn(of, region)).buckets) {
      const bucket = { name, account: of.place.account };
      await emptyBucket(of.aws(region), bucket);
      await deleteBucket(of.aws(region), bucket);
    }
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
