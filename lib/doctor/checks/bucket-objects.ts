import { LARGE_BYTES, LISTED_PAGE } from '../limits.js';
import { info, warning } from './finding.js';
import { ofBuckets } from './of-buckets.js';

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** What Halcyon cannot list or upload any more. */
export const objects = ofBuckets(function* ({ objects: seen }) {
  if (seen === undefined) return;
  for (const { prefix, keys } of seen.crowded)
    yield warning('listing-cut', {
      message: `${keys} keys under ${prefix}, and Halcyon lists the first ${LISTED_PAGE} only`,
      looksLike: '"Listing s3://…... done", but archives that are there are not used or cleaned away',
      fix: `delete old archives there, or set "retention: { expireAfterDays: … }" of the bucket in the file`,
    });
  for (const { key, bytes } of seen.large)
    yield warning('archive-near-limit', {
      message: `${key} has ${gigabytes(bytes)}; Halcyon uploads in one request, of which S3 takes ${gigabytes(LARGE_BYTES + 1024 ** 3)} at most`,
      looksLike: 'soon: "Uploading s3://…... 400 (bad request)", "Retrying in 2 seconds (1/5)..." four times, and the build fails',
      fix: 'make the app’s dependencies smaller, or split the app',
    });
  if (seen.more) yield info('objects-not-counted', { message: `only the first ${seen.counted} objects were looked at`, fix: 'nothing' });
});
