import pMap from 'p-map';
import type { Aws } from '../../aws/aws.js';
import { keyPrefix, KIT_OBJECT_PREFIX, type Reach } from '../../contract/index.js';
import { ownedBy } from '../../aws/bucket.js';
import { failure, httpStatus } from '../../aws/errors.js';
import type { PackagesPort } from './ports.js';

interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

const CONCURRENCY = 16;

/** Packages in S3: they move from one storage to another without leaving it. */
export function s3Packages(awsFor: (region: string) => Aws): PackagesPort {
  const missing = async (from: Reach, to: Reach): Promise<StoredObject[]> => {
    const [there, here] = await Promise.all([list(awsFor(from.region), from), list(awsFor(to.region), to)]);
    const known = new Set(here.map(({ key }) => key));
    return there.filter(({ key }) => !known.has(key));
  };
  return {
    async missing(from, to) {
      const objects = await missing(from, to);
      return { objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) };
    },
    async copy(from, to, { guard, onProgress, signal }) {
      const objects = await missing(from, to);
      let done = 0;
      await pMap(
        objects,
        async (object) => {
          await guard();
          await copyOne(awsFor(to.region), from, to, object);
          done += 1;
          onProgress?.(done, objects.length);
        },
        { concurrency: CONCURRENCY, signal },
      );
      return { objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) };
    },
  };
}

/** Keys without the prefix. The kit's own objects are no packages, nor is what a storage inside this one holds. */
async function list(aws: Aws, { bucketName, prefix, account }: Reach): Promise<StoredObject[]> {
  const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
  const begin = keyPrefix(prefix);
  const found: StoredObject[] = [];
  try {
    const input = { ...ownedBy({ name: bucketName, account }), Prefix: begin };
    for await (const page of paginateListObjectsV2({ client: await aws.s3() }, input)) {
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const key = Key.slice(begin.length);
        if (isPackage(key)) found.push({ key, bytes: Size });
      }
    }
    return found;
  } catch (error) {
    // A bucket that is gone holds nothing.
    if (httpStatus(error) === 404) return [];
    throw failure(error, `list the packages of ${bucketName}/${begin}`);
  }
}

/** Halcyon keeps what it archives by platform, as in `linux-ubuntu-24.04-x86_64/…`, and what it fetched in `original/`. */
const isPackage = (key: string): boolean => /^(original|(linux|osx|freebsd)-[^/]+)\/.+/.test(key) && !key.startsWith(KIT_OBJECT_PREFIX);

/** Server-side, and whole: Halcyon stores nothing above the 5 GB that one copy may have. */
async function copyOne(aws: Aws, from: Reach, to: Reach, { key }: StoredObject): Promise<void> {
  const { CopyObjectCommand } = await import('@aws-sdk/client-s3');
  const source = `${from.bucketName}/${keyPrefix(from.prefix)}${key}`;
  const target = `${keyPrefix(to.prefix)}${key}`;
  try {
    await (
      await aws.s3()
    ).send(
      new CopyObjectCommand({
        ...ownedBy({ name: to.bucketName, account: to.account }),
        Key: target,
        CopySource: source.split('/').map(encodeURIComponent).join('/'),
        ACL: to.acl,
        ExpectedSourceBucketOwner: from.account,
      }),
    );
  } catch (error) {
    // Cleaned by a build since it was listed: nothing to carry along.
    if (httpStatus(error) === 404) return;
    throw failure(error, `copy ${source} to ${to.bucketName}/${target} (s3:GetObject there, s3:PutObject and s3:PutObjectAcl here)`);
  }
}
