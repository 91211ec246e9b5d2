import { isDone } from '../../storage/halcyon-requests.js';
import type { BucketFacts, Observation } from '../model.js';
import { broken, info, UPLOAD_FAILS, warning } from './finding.js';
import { again, foreseen, ofBuckets } from './of-buckets.js';

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
