import type { StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Team } from '../config/model.js';
import { HalcyonBucket } from '../constructs/halcyon-bucket.js';
import { HalcyonUser } from '../constructs/halcyon-user.js';
import { MANAGED_BY, TAGS, teamStackName, userName } from '../contract/index.js';
import { KitError } from '../errors.js';
import { storageBucket, bucketOutputs, tagAll, type Accepts } from './bucket-stack.js';
import { principalsOf } from '../config/derive.js';
import { RegionalStack } from './regional-stack.js';

export interface TeamStackProps extends StackProps, Accepts {
  readonly team: Team;
  /** Of the file that it is in. */
  readonly deployment: string;
}

/**
 * What a team owns: `halcyon-TEAM`, with its principals and, unless it is shared or existed before, its bucket.
 *
 * @throws KitError `team-without-bucket` where no app of the team has private storage.
 */
export class TeamStack extends RegionalStack {
  /** Set where the bucket is the team's own. */
  readonly bucket?: HalcyonBucket;
  readonly users: readonly HalcyonUser[];

  constructor(scope: Construct, id: string, props: TeamStackProps) {
    const { team, deployment, signing, formerAcls, ...stack } = props;
    if (team.bucket === undefined) {
      throw new KitError(
        'team-without-bucket',
        `team "${team.name}" has public apps only and so nothing to deploy; give it a bucket first`,
      );
    }
    const { spec, prefix, kind } = team.bucket;
    super(scope, id, {
      stackName: teamStackName(team.name),
      description: `Halcyon storage of team ${team.name}`,
      env: { account: spec.account, region: spec.region },
      terminationProtection: kind === 'own' && spec.retention.retain,
      ...stack,
    });
    if (kind === 'own') this.bucket = storageBucket(this, spec, { signing, formerAcls });
    // By name, never by export: an export would lock the shared bucket's stack.
    const bucket = HalcyonBucket.fromName(this, 'Bucket', { bucketName: spec.name, prefix, acl: spec.acl });
    this.users = principalsOf(team).map(
      (principal) =>
        // The name in its id: CloudFormation then makes another beside it, in place of changing it.
        new HalcyonUser(this, userName(principal), { ...principal, bucket }),
    );
    bucketOutputs(this, spec);
    const own = { [TAGS.managedBy]: MANAGED_BY, [TAGS.deployment]: deployment, [TAGS.team]: team.name };
    tagAll(this, { ...own, ...(kind === 'own' ? spec.tags : {}), ...team.tags });
  }
}
