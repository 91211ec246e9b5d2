import { s3Endpoint } from '../../config/derive.js';
import { bucketPolicy } from '../../constructs/policies.js';
import { classifyRefusal, inBuildLog } from '../../storage/refusals.js';
import { LARGE_BYTES, LISTED_PAGE } from '../limits.js';
import type { BucketFacts, Check, Finding, Observation } from '../model.js';
import { partitionOf, policyDrift } from '../policies.js';
import { broken, info, UPLOAD_FAILS, warning } from './finding.js';

type BucketCheck = (bucket: BucketFacts, observation: Observation) => Finding[];
const ofBuckets =
  (check: BucketCheck): Check =>
  (observation) =>
    observation.buckets.flatMap((bucket) => check(bucket, observation));

const subject = ({ name }: BucketFacts): string => `bucket ${name}`;
const again = ({ team, kind }: BucketFacts): string =>
  kind === 'existing' ? 'change the bucket by hand: it is not the kit’s' : `run halcyon-kit up ${team}`;

/** Gone, of another account, or in another region. */
export const bucketThere = ofBuckets((bucket) => {
  const { name, spec, state, team } = bucket;
  switch (state) {
    case 'gone':
      return [
        broken('bucket-gone', subject(bucket), {
          message: `bucket ${name} does not exist`,
          looksLike: inBuildLog('upload', 404, { bucket: name }),
          fix: bucket.kind === 'existing' ? 'correct its name in the file' : `run halcyon-kit up ${team} to make it`,
        }),
      ];
    case 'forbidden':
      return [
        broken('bucket-forbidden', subject(bucket), {
          message: `bucket ${name} is not in account ${spec.account}, or you may not see it`,
          looksLike: UPLOAD_FAILS,
          fix: 'correct "account" or the name in the file, or get s3:ListBucket on it',
        }),
      ];
    case 'elsewhere': {
      const { region } = bucket;
      const refused = { operation: 'download' as const, status: 301, error: { code: 'PermanentRedirect', region } };
      const context = {
        bucket: name,
        endpoint: s3Endpoint({}, spec),
        region: spec.region,
        signing: 4 as const,
        team,
      };
      const refusal = classifyRefusal(refused, context)!;
      return [broken('wrong-endpoint', subject(bucket), refusal)];
    }
    default:
      return [];
  }
});

/** The ACL that uploads carry, against what the bucket takes. */
export const aclFits = ofBuckets((bucket, observation) => {
  const { ownership, publicAccess, spec, name } = bucket;
  // Reports conflict on what S3 does with `private` there: an upload that was accepted settles it.
  const settled = accepted(bucket, observation);
  if (!settled && ownership === 'BucketOwnerEnforced' && spec.acl !== 'bucket-owner-full-control') {
    const outcome = { operation: 'upload' as const, status: 400, error: { code: 'AccessControlListNotSupported' } };
    const refusal = classifyRefusal(outcome, {
      bucket: name,
      endpoint: '',
      region: spec.region,
      signing: 4,
      acl: spec.acl,
      team: bucket.team,
    })!;
    return [broken('acl-refused', subject(bucket), refusal)];
  }
  if (!settled && spec.acl === 'public-read' && publicAccess?.BlockPublicAcls === true) {
    return [
      broken('acl-refused', subject(bucket), {
        message: `bucket ${name} blocks public ACLs, and uploads are sent with public-read`,
        looksLike: UPLOAD_FAILS,
        fix: `switch off BlockPublicAcls, or set "acl: bucket-owner-full-control" in the file; then run halcyon-kit up ${bucket.team}`,
      }),
    ];
  }
  const wanted = spec.acl === 'bucket-owner-full-control' ? 'BucketOwnerEnforced' : 'BucketOwnerPreferred';
  if (bucket.kind === 'existing' || ownership === undefined || ownership === wanted) return [];
  const body = { message: `object ownership is ${ownership ?? 'not set'}, and the template says ${wanted}`, fix: again(bucket) };
  return [ownership === null ? info('ownership-unset', subject(bucket), body) : warning('ownership-drift', subject(bucket), body)];
});

const accepted = ({ name, spec }: BucketFacts, { teams }: Observation): boolean =>
  teams
    .flatMap(({ principals }) => principals)
    .some(
      ({ probe }) =>
        probe?.context.bucket === name &&
        probe.context.acl === spec.acl &&
        probe.results.some(({ operation, status = 0 }) => operation === 'upload' && status >= 200 && status < 300),
    );

/** Whether something may become public that is not meant to be. */
export const publicAccess = ofBuckets((bucket) => {
  const block = bucket.publicAccess;
  if (block === undefined) return [];
  const meant = bucket.spec.acl === 'public-read' ? ['BlockPublicAcls', 'IgnorePublicAcls'] : [];
  const open = (['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const).filter(
    (name) => block?.[name] !== true && !meant.includes(name),
  );
  if (open.length === 0) return [];
  const body = { message: `Block Public Access is off for ${open.join(', ')}`, fix: again(bucket) };
  return [
    bucket.kind === 'existing' ? info('public-access-open', subject(bucket), body) : warning('public-access-open', subject(bucket), body),
  ];
});

/** The bucket policy, against the template. */
export const bucketPolicyDrift = ofBuckets((bucket, { config }) => {
  if (bucket.kind === 'existing' || bucket.policy === undefined) return [];
  const expected = bucketPolicy({
    partition: partitionOf(bucket.spec.region),
    bucketName: bucket.name,
    signing: config.signing.version,
  });
  const { missing, extra } = policyDrift(bucket.policy, expected);
  const findings: Finding[] = [];
  if (missing.length > 0) {
    findings.push(
      warning('bucket-policy-drift', subject(bucket), {
        message: `the bucket policy lacks, or has changed, ${missing.join(', ')}`,
        looksLike: 'nothing, until a key does what it should not',
        fix: again(bucket),
      }),
    );
  }
  if (extra.length > 0) {
    findings.push(
      info('bucket-policy-extra', subject(bucket), {
        message: `the bucket policy has statements that are not the kit's: ${extra.join(', ')}`,
        fix: 'nothing, if they are meant',
      }),
    );
  }
  return findings;
});

/** Encryption and versioning, against the file. */
export const bucketSettings = ofBuckets((bucket, { config }) => {
  const { encryption, spec, versioning, kind } = bucket;
  const findings: Finding[] = [];
  const underKms = encryption?.algorithm.startsWith('aws:kms') === true;
  if (underKms && config.signing.version === 2) {
    findings.push(
      broken('sigv2-refused', subject(bucket), {
        message: `objects of bucket ${bucket.name} are under a KMS key, for which S3 takes Signature Version 4 only`,
        looksLike: inBuildLog('upload', 400, { bucket: bucket.name }),
        fix: `set "signing: { version: 4 }" in the file, then run halcyon-kit up ${bucket.team}`,
      }),
    );
  }
  // S3's own key for KMS (aws/s3) has no name in a bucket's settings, and needs no permission.
  if (underKms && encryption?.keyArn !== undefined && spec.kmsKeyArn === undefined) {
    findings.push(
      broken('kms-denies', subject(bucket), {
        message: `bucket ${bucket.name} encrypts with KMS key ${encryption.keyArn}, which the principals may not use`,
        looksLike: UPLOAD_FAILS,
        fix: `set "kmsKeyArn" of the bucket in the file, then run halcyon-kit up ${bucket.team}`,
      }),
    );
  } else if (encryption !== undefined && spec.kmsKeyArn !== undefined && encryption?.keyArn !== spec.kmsKeyArn) {
    findings.push(
      warning('encryption-drift', subject(bucket), {
        message: `default encryption is ${encryption?.keyArn ?? encryption?.algorithm ?? 'none'}, and the file says ${spec.kmsKeyArn}`,
        fix: again(bucket),
      }),
    );
  }
  if (kind !== 'existing' && versioning !== undefined && versioning !== spec.versioning) {
    findings.push(
      warning('versioning-drift', subject(bucket), {
        message: `versioning is ${versioning ? 'on' : 'off'}, and the file says ${spec.versioning ? 'on' : 'off'}`,
        fix: again(bucket),
      }),
    );
  }
  return findings;
});

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

/** What Halcyon cannot list or upload any more. */
export const objects = ofBuckets((bucket) => {
  if (bucket.objects === undefined) return [];
  const { crowded, large, more, counted } = bucket.objects;
  return [
    ...crowded.map(({ prefix, keys }) =>
      warning('listing-cut', subject(bucket), {
        message: `${keys} keys under ${prefix}, and Halcyon lists the first ${LISTED_PAGE} only`,
        looksLike: '"Listing s3://…... done", but archives that are there are not used or cleaned away',
        fix: `delete old archives there, or set "retention: { expireAfterDays: … }" of the bucket in the file`,
      }),
    ),
    ...large.map(({ key, bytes }) =>
      warning('archive-near-limit', subject(bucket), {
        message: `${key} has ${gigabytes(bytes)}; Halcyon uploads in one request, of which S3 takes ${gigabytes(LARGE_BYTES + 1024 ** 3)} at most`,
        looksLike: 'soon: "Uploading s3://…... 400 (bad request)", "Retrying in 2 seconds (1/5)..." four times, and the build fails',
        fix: 'make the app’s dependencies smaller, or split the app',
      }),
    ),
    ...(more
      ? [info('objects-not-counted', subject(bucket), { message: `only the first ${counted} objects were looked at`, fix: 'nothing' })]
      : []),
  ];
});

/** What the operator could not see. */
export const bucketUnread = ofBuckets((bucket) =>
  bucket.unread.map((what) =>
    warning('not-checked', subject(bucket), {
      message: `could not read ${what}`,
      looksLike: 'unknown',
      fix: 'get the permission named, and run the doctor again',
    }),
  ),
);
