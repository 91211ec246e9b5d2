import { inBuildLog } from '../../storage/build-log.js';
import { broken, UPLOAD_FAILS, warning } from './finding.js';
import { again, ofBuckets } from './of-buckets.js';

/** Encryption and versioning, against the file. */
export const bucketSettings = ofBuckets(function* (bucket, { config }) {
  const { name, encryption, spec, versioning, kind, team } = bucket;
  const underKms = encryption?.algorithm.startsWith('aws:kms') === true;
  if (underKms && config.signing.version === 2)
    yield broken('sigv2-refused', {
      message: `objects of bucket ${name} are under a KMS key, for which S3 takes Signature Version 4 only`,
      looksLike: inBuildLog('upload', 400, { bucket: name }),
      fix: `set "signing: { version: 4 }" in the file, then run halcyon-kit up ${team}`,
    });
  // S3's own key for KMS (aws/s3) has no name in a bucket's settings, and needs no permission.
  if (underKms && encryption?.keyArn !== undefined && spec.kmsKeyArn === undefined)
    yield broken('kms-denies', {
      message: `bucket ${name} encrypts with KMS key ${encryption.keyArn}, which the principals may not use`,
      looksLike: UPLOAD_FAILS,
      fix: `set "kmsKeyArn" of the bucket in the file, then run halcyon-kit up ${team}`,
    });
  else if (encryption !== undefined && spec.kmsKeyArn !== undefined && encryption?.keyArn !== spec.kmsKeyArn)
    yield warning('encryption-drift', {
      message: `default encryption is ${encryption?.keyArn ?? encryption?.algorithm ?? 'none'}, and the file says ${spec.kmsKeyArn}`,
      fix: again(bucket),
    });
  if (kind !== 'existing' && versioning !== undefined && versioning !== spec.versioning)
    yield warning('versioning-drift', {
      message: `versioning is ${versioning ? 'on' : 'off'}, and the file says ${spec.versioning ? 'on' : 'off'}`,
      fix: again(bucket),
    });
});
