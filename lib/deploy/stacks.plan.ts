import type { BucketSpec, KitConfig, Principal, Team } from '../config/model.js';
import { BUILDPACK_STACK, bucketStackName, buildpackBucketName, teamStackName } from '../contract/index.js';
import { buildpackHomes, hasStack } from '../stacks/homes.js';

/** A stack that `teams` need, and the bucket in it, if any: its name is known before it is made. */
export interface StackTarget {
  readonly name: string;
  readonly region: string;
  readonly bucket?: Pick<BucketSpec, 'name' | 'account'>;
}

/** In the order they are deployed: the buildpack's, shared buckets', teams'. Pure. */
export function stacksFor(config: KitConfig, teams: readonly Team[], keep: readonly Principal[] = []): StackTarget[] {
  const withStack = teams.filter((team) => hasStack(team, keep));
  const shared = new Set(withStack.flatMap((team) => (team.bucket?.kind === 'shared' ? [team.bucket.shared] : [])));
  return [
    ...buildpackHomes(config, withStack).map(({ account, region }) => ({
      name: BUILDPACK_STACK,
      region,
      bucket: { name: buildpackBucketName(account, region), account },
    })),
    ...config.buckets
      .filter((bucket) => shared.has(bucket.id))
      .map((bucket) => ({ name: bucketStackName(bucket.id), region: bucket.region, bucket })),
    ...withStack.flatMap((team) =>
      team.bucket === undefined
        ? []
        : [
            {
              name: teamStackName(team.name),
              region: team.bucket.spec.region,
              ...(team.bucket.kind === 'own' ? { bucket: team.bucket.spec } : {}),
            },
          ],
    ),
  ];
}
