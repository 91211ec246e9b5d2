import pMap from 'p-map';
import type { Aws } from '../../aws/aws.js';
import { halcyonBucket, keyPrefix, KIT_OBJECT_PREFIX, type Reach } from '../../contract/index.js';
import { objectsIn, ownedBy } from '../../aws/bucket.js';
import { failure, httpStatus } from '../../aws/errors.js';
import { KitError } from '../../errors.js';
import type { PackagesPort } from './ports.js';

interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

const CONCURRENCY = 16;
/** How often an object is copied that is not there afterwards, or is of another size. */
const PASSES = 3;

/** Packages in S3: they move from one storage to another without leaving it. */
export function s3Packages(awsFor: (region: string) => Aws): PackagesPort {
  const missing = async (from: Reach, to: Reach): Promise<StoredObject[]> => {
    const [there, here] = await Promise.all([list(awsFor(from.region), from), list(awsFor(to.region), to)]);
    const known = new Set(here.map(({ key }) => key));
    return there.filter(({ key }) => !known.has(key));
  };
  return {
    async missing(from, to) {
      return sumOf(await missing(from, to));
    },
    async copy(from, to, { guard, onProgress, signal }) {
      const objects = await missing(from, to);
      let left: readonly StoredObject[] = objects;
      for (let pass = 1; left.length > 0; pass += 1) {
        if (pass > PASSES) throw differing(from, to, left);
        let done = objects.length - left.length;
        const one = async (object: StoredObject): Promise<StoredObject[]> => {
          await guard();
          const copied = await copyOne(awsFor(to.region), from, to, object);
          onProgress?.((done += 1), objects.length);
          return copied ? [object] : [];
        };
        const copied = (await pMap(left, one, { concurrency: CONCURRENCY, signal })).flat();
        // S3 answers as soon as it accepts a copy: what is there counts.
        const here = new Map((await list(awsFor(to.region), to)).map(({ key, bytes }) => [key, bytes]));
        left = copied.filter(({ key, bytes }) => here.get(key) !== bytes);
      }
      return sumOf(objects);
    },
  };
}

const sumOf = (objects: readonly StoredObject[]) => ({
  objects: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});

const differing = (from: Reach, to: Reach, [first, ...others]: readonly StoredObject[]): KitError =>
  new KitError(
    'packages-differ',
    `${first?.key}${others.length > 0 ? ` and ${others.length} more` : ''} is not in ${halcyonBucket(to.bucketName, to.prefix)} as in ${halcyonBucket(from.bucketName, from.prefix)}, after ${PASSES} copies; nothing more is done until it is: see what else writes there, and run again`,
  );

/** Keys without the prefix. The kit's own objects are no packages, nor is what a storage inside this one holds. */
async function list(aws: Aws, { bucketName, prefix, account }: Reach): Promise<StoredObject[]> {
  const begin = keyPrefix(prefix);
  const found: StoredObject[] = [];
  try {
    for await (const { key: whole, bytes } of objectsIn(aws, { name: bucketName, account }, begin)) {
      const key = whole.slice(begin.length);
      if (isPackage(key)) found.push({ key, bytes });
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

/** Server-side, and whole: Halcyon stores nothing above the 5 GB that one copy may have. @returns whether there was still something to copy. */
async function copyOne(aws: Aws, from: Reach, to: Reach, { key }: StoredObject): Promise<boolean> {
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
    return true;
  } catch (error) {
    // Cleaned by a build since it was listed: nothing to carry along.
    if (httpStatus(error) === 404) return false;
    throw failure(error, `copy ${source} to ${to.bucketName}/${target} (s3:GetObject there, s3:PutObject and s3:PutObjectAcl here)`);
  }
}
