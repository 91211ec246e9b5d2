import { Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Principal, Signing, Team } from '../config/model.js';
import type { HalcyonBucket } from '../constructs/halcyon-bucket.js';
import { HalcyonUser } from '../constructs/halcyon-user.js';
import { MANAGED_BY, TAGS, teamStackName } from '../contract/index.js';
import { KitError } from '../errors.js';
import { storageBucket, bucketOutputs, tagAll } from './bucket-stack.js';
import { stackPrincipals } from '../config/environments.js';

export interface TeamStackProps extends StackProps {
  readonly team: Team;
  readonly signing: Pick<Signing, 'version'>;
  /**
   * Principals that no app needs any more while their keys are still being retired: CloudFormation cannot delete a user with keys.
   *
   * @default - none
   */
  readonly keep?: readonly Principal[];
}

/**
 * What a team owns: `halcyon-TEAM`, with its principals and, unless it is shared or existed before, its bucket.
 *
 * @throws KitError `team-without-bucket` where no app of the team has private storage.
 */
export class TeamStack extends Stack {
  /** Set where the bucket is the team's own. */
  readonly bucket?: HalcyonBucket;
  readonly users: readonly HalcyonUser[];

  constructor(scope: Construct, id: string, props: TeamStackProps) {
    const { team, signing, keep, ...stack } = props;
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
    if (kind === 'own') this.bucket = storageBucket(this, spec, signing);
    this.users = stackPrincipals(team, keep).map(
      (principal) =>
        new HalcyonUser(this, [...(principal.app === undefined ? ['Team'] : ['App', principal.app]), principal.access].join('-'), {
          ...principal,
          // By name, never by export: an export would lock the shared bucket's stack.
          bucketName: spec.name,
          prefix,
          acl: spec.acl,
          kmsKeyArn: spec.kmsKeyArn,
        }),
    );
    bucketOutputs(this, spec);
    tagAll(this, { [TAGS.managedBy]: MANAGED_BY, [TAGS.team]: team.name, ...(kind === 'own' ? spec.tags : {}), ...team.tags });
  }
}
