import type { Aws } from '../aws/aws.js';
import type { BucketName } from '../aws/bucket.js';
import { keyPrefix } from '../contract/index.js';
import type { IoHost } from '../io/io-host.js';
import { isLeftover, runOfKey } from './name.js';
import { Objects } from './objects.client.js';
import { SMOKE_OBJECT_PREFIX } from './requests.plan.js';

/** Key of an empty object that notes an archive of `run`: archives are where Halcyon keeps everybody's, too many to look through. */
export const noteOf = (run: string, archiveKey: string): string => `${SMOKE_OBJECT_PREFIX}${run}/archive/${archiveKey}`;

const archiveOf = (key: string): string | undefined => /^[^/]+\/[^/]+\/[^/]+\/archive\/(.+)$/.exec(key)?.[1];

/**
 * Remove objects that earlier runs left in a team's part of a bucket, and the archives they noted anywhere in it; those of `dead` runs however
 * young they are. @returns how many.
 */
export async function sweepObjects(
  aws: Aws,
  bucket: BucketName,
  prefix: string | undefined,
  io: IoHost,
  now: Date = new Date(),
  dead: ReadonlySet<string> = new Set(),
): Promise<number> {
  const objects = new Objects(aws, bucket);
  const archives: string[] = [];
  const leftover = ({ key, modified }: { key: string; modified: Date }) => {
    const run = runOfKey(key);
    if (!dead.has(run ?? '') && !isLeftover(run ?? '', modified, now)) return false;
    const archive = archiveOf(key);
    if (archive !== undefined && runOfKey(archive) === run) archives.push(archive);
    return true;
  };
  let removed = 0;
  for (const place of [`${keyPrefix(prefix)}halcyon-smoke-`, SMOKE_OBJECT_PREFIX]) removed += await objects.remove(place, leftover);
  for (const archive of archives) removed += await objects.removeKey(archive);
  if (removed > 0) io.info(`removed ${removed} objects from ${bucket.name}, left behind by earlier smoke deploys`);
  return removed;
}
