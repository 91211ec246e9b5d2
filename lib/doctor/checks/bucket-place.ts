import { inBuildLog } from '../../storage/build-log.js';
import { broken, UPLOAD_FAILS } from './finding.js';
import { foreseen, ofBuckets } from './of-buckets.js';

/** Gone, of another account, or in another region. */
export const bucketThere = ofBuckets(function* (bucket) {
  const { name, spec, state, team, region } = bucket;
  if (state === 'gone')
    yield broken('bucket-gone', {
      message: `bucket ${name} does not exist`,
      looksLike: inBuildLog('upload', 404, { bucket: name }),
      fix: bucket.kind === 'existing' ? 'correct its name in the file' : `run halcyon-kit up ${team} to make it`,
    });
  if (state === 'forbidden')
    yield broken('bucket-forbidden', {
      message: `bucket ${name} is not in account ${spec.account}, or you may not see it`,
      looksLike: UPLOAD_FAILS,
      fix: 'correct "account" or the name in the file, or get s3:ListBucket on it',
    });
  if (state === 'elsewhere')
    yield broken('wrong-endpoint', foreseen(bucket, { operation: 'download', status: 301, error: { code: 'PermanentRedirect', region } }));
});
