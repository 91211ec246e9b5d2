import type { BucketSpec, KitConfig, TeamBucket } from '../config/model.js';
import { partitionOf } from '../config/regions.js';
import type { Access } from '../contract/index.js';
import { bucketPolicy, userPolicy, type PolicyDocumentJson } from './policies.js';

/** The policies that the templates of a file hold, without synthesising them. */

/** What the template gives a user of `access` to a team's bucket. */
export const userPolicyOf = ({ spec, prefix }: TeamBucket, access: Access): PolicyDocumentJson =>
  userPolicy({
    ...{ partition: partitionOf(spec.region), bucketName: spec.name, bucketAccount: spec.account, region: spec.region },
    ...{ prefix, access, acl: spec.acl },
  });

export const bucketPolicyOf = ({ name, region }: BucketSpec, { signing }: KitConfig): PolicyDocumentJson =>
  bucketPolicy({ partition: partitionOf(region), bucketName: name, signing: signing.version });
