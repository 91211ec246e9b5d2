import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { ownedBy } from '../aws/bucket.js';
import { isMissing } from '../aws/errors.js';
import { principalsOf } from '../config/derive.js';
import type { BucketSpec, KitConfig, Team } from '../config/model.js';
import { userName } from '../contract/index.js';
import { userNames, userTags } from '../engine/ports/iam.client.js';
import { formerAcls, madeBuckets, type FormerAcl, type FormerUser } from './former-acls.plan.js';

/**
 * ACLs that principals beside those of the file may still upload with: one request a bucket, and where one accepts more than the usual ACL,
 * one more for each such principal. Changes nothing.
 * @param teams - by whose account and partition IAM is reached.
 */
export async function observeFormerAcls(
  config: KitConfig,
  teams: readonly Team[],
  awsIn: (region: string) => Aws,
): Promise<readonly FormerAcl[]> {
  const region = teams.map(({ bucket }) => bucket?.spec.region).find((one) => one !== undefined);
  if (region === undefined) return [];
  const wide = await pMap(madeBuckets(config), (spec) => hasAcls(awsIn(spec.region), spec), { concurrency: 5 });
  if (!wide.includes(true)) return [];
  const declared = new Set(config.teams.flatMap((team) => principalsOf(team).map(userName)));
  const others = (await userNames(awsIn(region))).filter(({ name }) => !declared.has(name));
  const look = async (user: (typeof others)[number]): Promise<FormerUser[]> => {
    const tags = await userTags(awsIn(region), user.name);
    return tags === undefined ? [] : [{ ...user, tags }];
  };
  return formerAcls(config, (await pMap(others, look, { concurrency: 5 })).flat());
}

/** Whether uploads to it may carry another ACL than `bucket-owner-full-control`; where that may not be read, they may. */
async function hasAcls(aws: Aws, bucket: BucketSpec): Promise<boolean> {
  const { GetBucketOwnershipControlsCommand } = await import('@aws-sdk/client-s3');
  try {
    const { OwnershipControls } = await (await aws.s3()).send(new GetBucketOwnershipControlsCommand(ownedBy(bucket)));
    return OwnershipControls?.Rules?.[0]?.ObjectOwnership !== 'BucketOwnerEnforced';
  } catch (error) {
    return !isMissing(error, 'bucket');
  }
}
