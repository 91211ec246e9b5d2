import type * as Sdk from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.js';
import { ownedBy, type BucketName } from '../aws/bucket.js';
import { httpStatus, isDenied } from '../aws/errors.js';
import { KitError } from '../errors.js';

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
        `s3://${this.bucket.name}/${key} could not be written with your own AWS credentials (${reasonOf(cause)}); a smoke deploy needs s3:PutObject, s3:DeleteObject and s3:ListBucket there`,
        { cause },
      );
    }
  }

  /** What is under `prefix`, from the key `after` on, newest versions only; `ageMs` by S3's clock, to five minutes. */
  async read(prefix: string, after?: string): Promise<Array<{ key: string; body: string; ageMs: number }>> {
    const [s3, { GetObjectCommand, paginateListObjectsV2 }] = await this.#s3();
    const found: Array<{ key: string; body: string; ageMs: number }> = [];
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: s3 },
      { ...ownedBy(this.bucket), Prefix: prefix, StartAfter: after },
    )) {
      for (const { Key = '' } of Contents) {
        // One that goes meanwhile is no more.
        const answer = await s3.send(new GetObjectCommand({ ...ownedBy(this.bucket), Key })).catch((error: unknown) => {
          if (httpStatus(error) === 404) return undefined;
          throw error;
        });
        if (answer === undefined) continue;
        const now = Date.now() + s3.config.systemClockOffset;
        found.push({
          key: Key,
          body: (await answer.Body?.transformToString()) ?? '',
          ageMs: now - (answer.LastModified?.getTime() ?? now),
        });
      }
    }
    return found;
  }

  /** Remove everything under `prefix` that `match` accepts, older versions too where they may be listed. @returns how many. */
  async remove(prefix: string, match: (entry: { key: string; modified: Date }) => boolean = () => true): Promise<number> {
    const [s3, { DeleteObjectCommand }] = await this.#s3();
    const found = (await this.#list(prefix)).filter(match);
    for (const { key, version } of found) {
      await s3.send(new DeleteObjectCommand({ ...ownedBy(this.bucket), Key: key, ...(version ? { VersionId: version } : {}) }));
    }
    return found.length;
  }

  /** Remove one object, by its exact key: another may be named like it and longer. @returns how many versions. */
  async removeKey(key: string): Promise<number> {
    return this.remove(key, (entry) => entry.key === key);
  }

  async #list(prefix: string): Promise<Array<{ key: string; modified: Date; version?: string }>> {
    const [s3, sdk] = await this.#s3();
    const found: Array<{ key: string; modified: Date; version?: string }> = [];
    const add = (entry: { Key?: string; LastModified?: Date; VersionId?: string }) =>
      found.push({
        key: entry.Key ?? '',
        modified: entry.LastModified ?? new Date(),
        ...(entry.VersionId && entry.VersionId !== 'null' ? { version: entry.VersionId } : {}),
      });
    try {
      let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
      for (let more = true; more;) {
        const page = await s3.send(new sdk.ListObjectVersionsCommand({ ...ownedBy(this.bucket), Prefix: prefix, ...from }));
        for (const entry of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) add(entry);
        from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        more = page.IsTruncated === true;
      }
    } catch (error) {
      if (!isDenied(error)) throw error;
      // s3:ListBucketVersions is a right of its own; without it the newest versions are removed, which is all that a build sees.
      found.length = 0;
      for await (const page of sdk.paginateListObjectsV2({ client: s3 }, { ...ownedBy(this.bucket), Prefix: prefix })) {
        for (const entry of page.Contents ?? []) add(entry);
      }
    }
    return found;
  }

  async #s3(): Promise<[S3Client, typeof Sdk]> {
    return Promise.all([this.aws.s3(), import('@aws-sdk/client-s3')]);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
