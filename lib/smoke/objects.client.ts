import type * as Sdk from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.js';
import { deleteObjects, objectsIn, ownedBy, type BucketName } from '../aws/bucket.js';
import { awsError, httpStatus, isDenied, isMissing } from '../aws/errors.js';
import { KitError } from '../errors.js';

interface Stored {
  readonly key: string;
  readonly modified: Date;
  /** Of one that is kept beside newer ones, or of a delete marker. */
  readonly version?: string;
}

/** The deployer's own view of a bucket: plants what a smoke deploy needs, and takes it away again. */
export class Objects {
  constructor(
    private readonly aws: Aws,
    readonly bucket: BucketName,
  ) {}

  /** @throws KitError `smoke-plant-refused`. */
  async put(key: string, body: Buffer | string): Promise<void> {
    const [s3, { PutObjectCommand }] = await this.#s3();
    try {
      await s3.send(new PutObjectCommand({ ...ownedBy(this.bucket), Key: key, Body: body }));
    } catch (cause) {
      throw new KitError(
        'smoke-plant-refused',
        `s3://${this.bucket.name}/${key} could not be written with your own AWS credentials (${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}); a smoke deploy needs s3:PutObject, s3:DeleteObject and s3:ListBucket there`,
        { cause },
      );
    }
  }

  /** What is under `prefix`, from the key `after` on, newest versions only; `ageMs` by S3's clock, to five minutes. */
  async read(prefix: string, after?: string): Promise<Array<{ key: string; body: string; ageMs: number }>> {
    const [s3, { GetObjectCommand }] = await this.#s3();
    const found: Array<{ key: string; body: string; ageMs: number }> = [];
    for await (const { key } of objectsIn(this.aws, this.bucket, prefix, { after })) {
      // One that goes meanwhile is no more.
      const answer = await s3.send(new GetObjectCommand({ ...ownedBy(this.bucket), Key: key })).catch((error: unknown) => {
        if (httpStatus(error) !== 404) throw error;
      });
      if (answer === undefined) continue;
      const now = Date.now() + s3.config.systemClockOffset;
      const body = (await answer.Body?.transformToString()) ?? '';
      found.push({ key, body, ageMs: now - (answer.LastModified?.getTime() ?? now) });
    }
    return found;
  }

  /**
   * Remove everything under `prefix` that `match` accepts, older versions too where they may be listed.
   * @param options.every - where they may not, it throws. Default: the newest go, which is all that a build sees.
   * @returns how many.
   */
  async remove(
    prefix: string,
    match: (entry: Stored) => boolean = () => true,
    { onProgress, signal, every }: { onProgress?: (removed: number) => void; signal?: AbortSignal; every?: boolean } = {},
  ): Promise<number> {
    let removed = 0;
    for await (const some of this.#versions(prefix, every)) {
      const found = some.filter(match);
      await deleteObjects(this.aws, this.bucket, found, signal);
      removed += found.length;
      onProgress?.(removed);
    }
    return removed;
  }

  /** Remove one object, by its exact key: another may be named like it and longer. @returns how many versions. */
  async removeKey(key: string): Promise<number> {
    return this.remove(key, (entry) => entry.key === key);
  }

  /** Every version and delete marker, page by page. */
  async *#versions(prefix: string, every = false): AsyncGenerator<Stored[]> {
    const [s3, { ListObjectVersionsCommand }] = await this.#s3();
    const list = (from: { KeyMarker?: string; VersionIdMarker?: string }) =>
      s3.send(new ListObjectVersionsCommand({ ...ownedBy(this.bucket), Prefix: prefix, ...from }));
    let page = await list({}).catch((error: unknown) => {
      if (every || !isDenied(error)) throw error;
    });
    // s3:ListBucketVersions is a right of its own.
    if (page === undefined) {
      const newest: Stored[] = [];
      for await (const one of objectsIn(this.aws, this.bucket, prefix)) newest.push(one);
      yield newest;
    }
    while (page !== undefined) {
      const { Versions = [], DeleteMarkers = [], IsTruncated, NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
      // Where there are no versions a deletion by version needs a right of its own; below another, a null version goes by that name alone.
      const versions = Versions.map((one) => ({ ...one, VersionId: one.VersionId === 'null' && one.IsLatest ? undefined : one.VersionId }));
      yield [...versions, ...DeleteMarkers].map(({ Key = '', LastModified = new Date(), VersionId }) => ({
        ...{ key: Key, modified: LastModified, version: VersionId },
      }));
      page = IsTruncated && KeyMarker ? await list({ KeyMarker, VersionIdMarker }) : undefined;
    }
  }

  async #s3(): Promise<[Sdk.S3Client, typeof Sdk]> {
    return Promise.all([this.aws.s3(), import('@aws-sdk/client-s3')]);
  }
}

/**
 * Delete every object, version and delete marker. No error where the bucket is gone already.
 * @returns how many were deleted.
 */
export async function emptyBucket(
  aws: Aws,
  bucket: BucketName,
  { onProgress, signal }: { onProgress?: (deleted: number) => void; signal?: AbortSignal } = {},
): Promise<number> {
  const objects = new Objects(aws, bucket);
  let deleted = 0;
  try {
    for (let more = 1; more > 0; deleted += more)
      more = await objects.remove('', undefined, { signal, every: true, onProgress: (some) => onProgress?.(deleted + some) });
  } catch (error) {
    if (!isMissing(error, 'bucket')) throw awsError(error, `empty bucket ${bucket.name}`);
  }
  return deleted;
}
