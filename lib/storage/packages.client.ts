import type { Aws } from '../aws/aws.js';
import { ownedBy, type BucketName } from '../aws/bucket.js';
import { failure } from '../aws/errors.js';
import { packageOf, type StoredPackage } from './packages.plan.js';

/** Halcyon's packages in a bucket whose keys begin with `prefix`, as the operator sees them. */
export async function storedPackages(aws: Aws, bucket: BucketName, prefix: string, signal?: AbortSignal): Promise<StoredPackage[]> {
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const found: StoredPackage[] = [];
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client: await aws.s3() }, { ...ownedBy(bucket), Prefix: prefix })) {
      signal?.throwIfAborted();
      for (const { Key = '', Size = 0, LastModified = new Date() } of Contents) {
        const one = packageOf(Key);
        if (one !== undefined) found.push({ ...one, bytes: Size, modified: LastModified.toISOString() });
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw failure(error, `list the packages in bucket ${bucket.name} (s3:ListBucket)`);
  }
  return found;
}
