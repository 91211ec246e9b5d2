import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectIdentifier } from '@aws-sdk/client-s3';
import { defaultBucketName, MANAGED_BY, TAGS } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { Aws } from './aws.js';
import { awsError, bucketRegion, httpStatus, isDenied, isMissing } from './errors.js';
import { resourcesIn } from './stack.js';

/** A bucket, and the account that it must be in. */
export interface BucketName {
  readonly name: string;
  readonly account: string;
}

/** What every request to S3 says of its bucket: one that has come to be another account's is refused, not written to or believed. */
export const ownedBy = ({ name, account }: BucketName) => ({ Bucket: name, ExpectedBucketOwner: account });

export interface Whereabouts {
  readonly state: 'present' | 'gone' | 'forbidden' | 'elsewhere';
  /** Where it is instead, if S3 says so. */
  readonly region?: string;
}

/** Where a bucket is, seen from the region and account that it should be in. Throws what S3 says of neither, as the SDK does. */
export async function whereabouts(aws: Aws, bucket: BucketName): Promise<Whereabouts> {
  const { HeadBucketCommand } = await import('@aws-sdk/client-s3');
  const in_ = (region: string | undefined): Whereabouts => ({ state: 'elsewhere', ...(region === undefined ? {} : { region }) });
  try {
    const answer = await (await aws.s3()).send(new HeadBucketCommand(ownedBy(bucket)));
    return answer.BucketRegion === undefined || answer.BucketRegion === aws.region ? { state: 'present' } : in_(answer.BucketRegion);
  } catch (error) {
    const region = bucketRegion(error);
    switch (httpStatus(error)) {
      case 404:
        return { state: 'gone' };
      case 403:
        return { state: 'forbidden' };
      case 301:
      case 307:
        return in_(region);
      case 400:
        if (region !== undefined && region !== aws.region) return in_(region);
    }
    throw error;
  }
}

/**
 * Whether the bucket is there, and in this account.
 * @throws KitError `bucket-name-taken` where another account has the name, `bucket-elsewhere` where it is in another region.
 */
export async function bucketExists(aws: Aws, bucket: BucketName): Promise<boolean> {
  const { state, region } = await whereabouts(aws, bucket).catch((error: unknown) => {
    throw awsError(error, `look for bucket ${bucket.name}`);
  });
  if (state === 'forbidden')
    throw new KitError(
      'bucket-name-taken',
      `bucket ${bucket.name} exists, but you may not use it: choose another with "name:" in the file, or, if it is of account ${bucket.account}, let your operator policy cover it (docs/operator-policy.md)`,
    );
  if (state === 'elsewhere')
    throw new KitError(
      'bucket-elsewhere',
      `bucket ${bucket.name} is not in ${aws.region}${region === undefined ? '' : ` but in ${region}`}; correct "region" in the file`,
    );
  return state === 'present';
}

/** A bucket as the file has it: `owner` is the team or the shared bucket's name, `stack` the stack that makes it. */
export interface OwnBucket extends BucketName {
  readonly region: string;
  readonly owner: string;
  readonly stack: string;
  /** That it must be of, where its tags name one. Default: any. */
  readonly deployment?: string;
}

/**
 * Nothing is taken over or deleted that the kit did not make: the bucket must be in its stack, have the kit's name for it, or carry the kit's tag. One that is not there passes.
 * @throws KitError `bucket-not-ours`.
 */
export async function requireOwnBucket(aws: Aws, bucket: OwnBucket): Promise<void> {
  const byName = bucket.name === defaultBucketName(bucket.owner, bucket.account, bucket.region);
  if ((byName && bucket.deployment === undefined) || !(await bucketExists(aws, bucket))) return;
  const tags = await bucketTags(aws, bucket);
  const named = tags[TAGS.deployment];
  if (bucket.deployment !== undefined && named !== undefined && named !== bucket.deployment)
    throw new KitError(
      'bucket-not-ours',
      `bucket ${bucket.name} is of deployment ${named}, not of ${bucket.deployment}, so it is left alone`,
    );
  if (byName || tags[TAGS.managedBy] === MANAGED_BY || (await isInStack(aws, bucket))) return;
  throw new KitError(
    'bucket-not-ours',
    `bucket ${bucket.name} was there before and is not of the kit's making, so it is left alone; name it with "existing:" to use it as it is, or choose another "name:"`,
  );
}

/** Whether a stack, which may not be there, has made or taken in a bucket. */
export async function isInStack(aws: Aws, bucket: Pick<OwnBucket, 'name' | 'stack'>): Promise<boolean> {
  try {
    return [...(await resourcesIn(aws, bucket.stack, ['AWS::S3::Bucket'])).values()].some(({ name }) => name === bucket.name);
  } catch (error) {
    throw awsError(error, `look for bucket ${bucket.name} in ${bucket.stack}`);
  }
}

/** The account's buckets whose names begin with `prefix`, the newest first; undefined for who may not list them. */
export async function listBuckets(
  aws: Aws,
  prefix: string,
): Promise<ReadonlyArray<{ readonly name: string; readonly region?: string }> | undefined> {
  const { ListBucketsCommand } = await import('@aws-sdk/client-s3');
  try {
    const { Buckets = [] } = await (await aws.s3()).send(new ListBucketsCommand({ Prefix: prefix }));
    return Buckets.filter(({ Name }) => Name?.startsWith(prefix))
      .sort((a, b) => (b.CreationDate?.getTime() ?? 0) - (a.CreationDate?.getTime() ?? 0))
      .map(({ Name = '', BucketRegion }) => ({ name: Name, ...(BucketRegion === undefined ? {} : { region: BucketRegion }) }));
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw awsError(error, `list the buckets that begin with ${prefix} (s3:ListAllMyBuckets)`);
  }
}

/** None where it has none, or is not there. */
export async function bucketTags(aws: Aws, bucket: BucketName): Promise<Readonly<Record<string, string>>> {
  const { GetBucketTaggingCommand } = await import('@aws-sdk/client-s3');
  try {
    const { TagSet = [] } = await (await aws.s3()).send(new GetBucketTaggingCommand(ownedBy(bucket)));
    return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
  } catch (error) {
    if (isMissing(error, 'bucket tags') || isMissing(error, 'bucket')) return {};
    throw awsError(error, `read the tags of bucket ${bucket.name}`);
  }
}

/** The objects whose keys begin with `prefix`, from the key `after` on: a request for each thousand. */
export async function* objectsIn(
  aws: Aws,
  bucket: BucketName,
  prefix: string,
  { after, signal }: { after?: string; signal?: AbortSignal } = {},
) {
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const input = { ...ownedBy(bucket), Prefix: prefix, StartAfter: after };
  for await (const { Contents = [] } of paginateListObjectsV2({ client: await aws.s3() }, input)) {
    signal?.throwIfAborted();
    for (const { Key = '', Size = 0, LastModified = new Date() } of Contents) yield { key: Key, bytes: Size, modified: LastModified };
  }
}

/** S3 says these of single keys within an answer that is good, which the SDK does not send again. */
const PASSING = /^(SlowDown|InternalError|ServiceUnavailable)$/;

/** A thousand a request; what S3 could not do for the moment is asked for once more. @throws what S3 says of the first that stays. */
export async function deleteObjects(
  aws: Aws,
  bucket: BucketName,
  objects: ReadonlyArray<{ readonly key: string; readonly version?: string }>,
  signal?: AbortSignal,
): Promise<void> {
  const { DeleteObjectsCommand } = await import('@aws-sdk/client-s3');
  for (let at = 0; at < objects.length; at += 1000) {
    signal?.throwIfAborted();
    const s3 = await aws.s3();
    const refused = async (Objects: ObjectIdentifier[]) =>
      (await s3.send(new DeleteObjectsCommand({ ...ownedBy(bucket), Delete: { Objects, Quiet: true } }))).Errors ?? [];
    let left = await refused(objects.slice(at, at + 1000).map(({ key, version }) => ({ Key: key, VersionId: version })));
    if (left.length > 0 && left.every(({ Code = '' }) => PASSING.test(Code))) {
      await sleep(1000, undefined, { signal });
      left = await refused(left.map(({ Key = '', VersionId }) => ({ Key, VersionId })));
    }
    const [first] = left;
    if (first !== undefined) throw Object.assign(new Error(`${first.Key}: ${first.Message}`), { name: first.Code ?? 'Error' });
  }
}

/** Delete an empty bucket. No error where it is gone already. */
export async function deleteBucket(aws: Aws, bucket: BucketName): Promise<void> {
  const { DeleteBucketCommand } = await import('@aws-sdk/client-s3');
  try {
    await (await aws.s3()).send(new DeleteBucketCommand(ownedBy(bucket)));
  } catch (error) {
    if (isMissing(error, 'bucket')) return;
    throw awsError(error, `delete bucket ${bucket.name}`);
  }
}
