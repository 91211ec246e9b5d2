import { QUARANTINE_POLICY, USER_POLICY } from '../../contract/index.js';
import type { Check } from '../model.js';
import { bucketPolicyOf, policyDrift, userPolicyOf } from '../policies.js';
import { about, broken, CACHE_MISS, info, ofPrincipals, UPLOAD_FAILS, warning } from './finding.js';
import { again, ofBuckets } from './of-buckets.js';

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

/** The user's own policies, against the template. */
export const userPolicyDrift = ofPrincipals(function* (principal, { team }) {
  if (!principal.exists || !principal.declared || principal.policies === undefined || team.bucket === undefined) return;
  const { [USER_POLICY]: own, ...others } = principal.policies;
  const { missing, extra } = policyDrift(own ?? null, userPolicyOf(team.bucket, principal.id.access));
  if (own === undefined || missing.length > 0)
    yield broken('user-policy-drift', {
      message: own === undefined ? `its policy "${USER_POLICY}" is gone` : `its policy lacks, or has changed, ${missing.join('; ')}`,
      looksLike: principal.id.access === 'read-only' ? CACHE_MISS : UPLOAD_FAILS,
      fix: `run halcyon-kit up ${team.name}; where that finds nothing to do, undo the change by hand`,
    });
  const more = [
    ...extra.map((name) => `statement ${name}`),
    ...Object.keys(others).map((name) => `policy ${name}`),
    ...(principal.attached ?? []).filter((name) => !name.startsWith(`policy ${QUARANTINE_POLICY}`)),
  ];
  if (more.length > 0)
    yield warning('user-policy-extra', {
      message: `it has more rights than the template gives it, or other ones: ${more.join(', ')}`,
      fix: 'remove what is not meant',
    });
});

/** Users without a boundary: only an administrator may make them. */
export const boundary: Check = ({ config, teams }) =>
  config.permissionsBoundary !== undefined || teams.every(({ principals }) => principals.length === 0)
    ? []
    : about('the file', [
        info('no-permissions-boundary', {
          message: 'the IAM users have no permissions boundary, so whoever runs the kit needs to be an administrator',
          fix: 'to run it with the narrow policy of "halcyon-kit policy operator", set "permissionsBoundary" in the file (docs/operator-policy.md)',
        }),
      ]);
