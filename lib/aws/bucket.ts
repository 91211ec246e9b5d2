import { KitError } from '../errors.js';
import type { Aws } from './aws.js';
import { awsError } from './errors.js';

/**
 * Whether the bucket is there, and in this account.
 * @throws KitError `bucket-name-taken` where another account has the name, `bucket-elsewhere` where it is in another region.
 */
export async function bucketExists(aws: Aws, bucket: { name: string; account: string }): Promise<boolean> {
  const { HeadBucketCommand } = await import('@aws-sdk/client-s3');
  try {
    await (await aws.s3()).send(new HeadBucketCommand({ Bucket: bucket.name, ExpectedBucketOwner: bucket.account }));
    return true;
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 404) return false;
    if (status === 403)
      throw new KitError(
        'bucket-name-taken',
        `bucket ${bucket.name} exists but is not yours to use: choose another with "name:" in the file, or ask its owner (account ${bucket.account} was expected)`,
        { cause: error },
      );
    if (status === 301)
      throw new KitError('bucket-elsewhere', `bucket ${bucket.name} is not in ${aws.region}; correct "region" in the file`, {
        cause: error,
      });
    throw awsError(error, `look for bucket ${bucket.name}`);
  }
}

/**
 * Delete every object, version and delete marker, then the bucket. No error where it is gone already.
 * @returns how many were deleted.
 */
export async function emptyAndDeleteBucket(
  aws: Aws,
  bucket: { name: string; account: string },
  options: { onProgress?: (deleted: number) => void; signal?: AbortSignal } = {},
): Promise<number> {
  const { DeleteBucketCommand, DeleteObjectsCommand, ListObjectVersionsCommand } = await import('@aws-sdk/client-s3');
  const s3 = await aws.s3();
  const target = { Bucket: bucket.name, ExpectedBucketOwner: bucket.account };
  let deleted = 0;
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const page = await s3.send(new ListObjectVersionsCommand(target));
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (found.length === 0) break;
      const answer = await s3.send(new DeleteObjectsCommand({ ...target, Delete: { Objects: found, Quiet: true } }));
      const refused = answer.Errors?.[0];
      if (refused !== undefined) throw Object.assign(new Error(`${refused.Key}: ${refused.Message}`), { name: refused.Code ?? 'Error' });
      deleted += found.length;
      options.onProgress?.(deleted);
    }
    await s3.send(new DeleteBucketCommand(target));
    return deleted;
  } catch (error) {
    if ((error as { name?: string }).name === 'NoSuchBucket') return deleted;
    throw awsError(error, `delete bucket ${bucket.name}`);
  }
}
