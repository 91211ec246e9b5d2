import { EXPIRY_FIX, expiryOf, s3Endpoint } from '../../config/derive.js';
import { inBuildLog } from '../../storage/build-log.js';
import { isDone } from '../../storage/halcyon-requests.js';
import { classifyRefusal, type Refusal, type Refused } from '../../storage/refusals.js';
import { LARGE_BYTES, LISTED_PAGE, type BucketFacts, type Check, type Observation } from '../model.js';
import { bucketPolicyOf } from '../../constructs/file-policies.js';
import { policyDrift } from '../policies.js';
import { about, broken, info, notChecked, UPLOAD_FAILS, warning, type Fault } from './finding.js';

/** A check of each bucket by itself. */
const ofBuckets =
  (check: (bucket: BucketFacts, observation: Observation) => Iterable<Fault>): Check =>
  (observation) =>
    observation.buckets.flatMap((bucket) => about(`bucket ${bucket.name}`, check(bucket, observation)));

/** How the template is put back. */
const again = ({ team, kind }: BucketFacts): string =>
  kind === 'existing' ? 'change the bucket by hand: it is not the kit’s' : `run halcyon-kit up ${team}`;

/** What S3 would say to `refused`, which is a refusal, as its settings show beforehand. */
const foreseen = ({ name, spec, team }: BucketFacts, refused: Refused): Refusal =>
  classifyRefusal(refused, { bucket: name, endpoint: s3Endpoint({}, spec), region: spec.region, signing: 4, acl: spec.acl, team })!;

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

/** The ACL that uploads carry, against what the bucket takes. */
export const aclFits = ofBuckets(function* (bucket, observation) {
  const { ownership, publicAccess, spec, name } = bucket;
  // Reports conflict on what S3 does with `private` there: an upload that was accepted settles it.
  const settled = accepted(bucket, observation);
  if (!settled && ownership === 'BucketOwnerEnforced' && spec.acl !== 'bucket-owner-full-control')
    return yield broken(
      'acl-refused',
      foreseen(bucket, { operation: 'upload', status: 400, error: { code: 'AccessControlListNotSupported' } }),
    );
  if (!settled && spec.acl === 'public-read' && publicAccess?.BlockPublicAcls === true)
    return yield broken('acl-refused', {
      message: `bucket ${name} blocks public ACLs, and uploads are sent with public-read`,
      looksLike: UPLOAD_FAILS,
      fix: `switch off BlockPublicAcls, or set "acl: bucket-owner-full-control" in the file; then run halcyon-kit up ${bucket.team}`,
    });
  const wanted = spec.acl === 'bucket-owner-full-control' ? 'BucketOwnerEnforced' : 'BucketOwnerPreferred';
  if (bucket.kind === 'existing' || ownership === undefined || ownership === wanted) return;
  const body = { message: `object ownership is ${ownership ?? 'not set'}, and the template says ${wanted}`, fix: again(bucket) };
  yield ownership === null ? info('ownership-unset', body) : warning('ownership-drift', body);
});

const accepted = ({ name, spec }: BucketFacts, { teams }: Observation): boolean =>
  teams
    .flatMap(({ principals }) => principals)
    .some(
      ({ probe }) =>
        probe?.context.bucket === name &&
        probe.context.acl === spec.acl &&
        probe.results.some((result) => result.operation === 'upload' && isDone(result)),
    );

/** Whether something may become public that is not meant to be. */
export const publicAccess = ofBuckets(function* (bucket) {
  const block = bucket.publicAccess;
  if (block === undefined) return;
  const meant = bucket.spec.acl === 'public-read' ? ['BlockPublicAcls', 'IgnorePublicAcls'] : [];
  const open = (['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const).filter(
    (name) => block?.[name] !== true && !meant.includes(name),
  );
  const finding = bucket.kind === 'existing' ? info : warning;
  if (open.length > 0)
    yield finding('public-access-open', { message: `Block Public Access is off for ${open.join(', ')}`, fix: again(bucket) });
});

/** The bucket policy, against the template. */
export const bucketPolicyDrift = ofBuckets(function* (bucket, { config }) {
  if (bucket.kind === 'existing' || bucket.policy === undefined) return;
  const { missing, extra } = policyDrift(bucket.policy, bucketPolicyOf(bucket.spec, config));
  if (missing.length > 0)
    yield warning('bucket-policy-drift', {
      message: `the bucket policy lacks, or has changed, ${missing.join(', ')}`,
      looksLike: 'nothing, until a key does what it should not',
      fix: again(bucket),
    });
  if (extra.length > 0)
    yield info('bucket-policy-extra', {
      message: `the bucket policy has statements that are not the kit's: ${extra.join(', ')}`,
      fix: 'nothing, if they are meant',
    });
});

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

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** What Halcyon cannot list or upload any more. */
export const objects = ofBuckets(function* ({ objects: seen }) {
  if (seen === undefined) return;
  for (const { prefix, keys } of seen.crowded)
    yield warning('listing-cut', {
      message: `${keys} keys under ${prefix}, and Halcyon lists the first ${LISTED_PAGE} only`,
      looksLike: '"Listing s3://…... done", but archives that are there are not used or cleaned away',
      fix: 'halcyon-kit packages --prune removes what no app could use',
    });
  for (const { key, bytes } of seen.large)
    yield warning('archive-near-limit', {
      message: `${key} has ${gigabytes(bytes)}; Halcyon uploads in one request, of which S3 takes ${gigabytes(LARGE_BYTES + 1024 ** 3)} at most`,
      looksLike: 'soon: "Uploading s3://…... 400 (bad request)", "Retrying in 2 seconds (1/5)..." four times, and the build fails',
      fix: 'make the app’s dependencies smaller, or split the app',
    });
  if (seen.more) yield info('objects-not-counted', { message: `only the first ${seen.counted} objects were looked at`, fix: 'nothing' });
});

/** By age alone. */
export const expiry = ofBuckets(function* ({ spec }) {
  const message = expiryOf(spec);
  if (message !== undefined)
    yield warning('packages-expire', {
      message,
      looksLike: '"Cannot build GHC directory", then "Deploying buildpack only"',
      fix: EXPIRY_FIX,
    });
});

export const bucketUnread = ofBuckets(({ unread }) => notChecked(unread));
