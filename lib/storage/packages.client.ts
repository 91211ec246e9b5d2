import type { Aws } from '../aws/aws.js';
import { objectsIn, type BucketName } from '../aws/bucket.js';
import { failure } from '../aws/errors.js';
import { packageOf, type StoredPackage } from './packages.plan.js';

/** Halcyon's packages in a bucket whose keys begin with `prefix`, as the operator sees them. */
export async function storedPackages(aws: Aws, bucket: BucketName, prefix: string, signal?: AbortSignal): Promise<StoredPackage[]> {
  const found: StoredPackage[] = [];
  try {
    for await (const { key, bytes, modified } of objectsIn(aws, bucket, prefix, { signal })) {
      const one = packageOf(key);
      if (one !== undefined) found.push({ ...one, bytes, modified: modified.toISOString() });
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw failure(error, `list the packages in bucket ${bucket.name} (s3:ListBucket)`);
  }
  return found;
}
