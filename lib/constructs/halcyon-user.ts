import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib/core';
import { CfnUser } from 'aws-cdk-lib/aws-iam';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import {
  iamPath,
  MANAGED_BY,
  principalLabel,
  reachDigest,
  secretName,
  TAGS,
  USER_POLICY,
  userName,
  type Access,
  type PrincipalId,
  type Reach,
} from '../contract/index.js';
import { policyIn, reachIn, type IHalcyonBucket } from './bucket-base.js';
import type { PolicyDocumentJson } from './policies.js';
import { acknowledgeRule, validateAccess, validatePrincipal, validateUserPolicy } from './validation.js';

/** What the kit knows its own by: above `Tags.of(…).add` of whoever is around it (100), below `.remove` (200). */
const OVER_ASPECTS = 101;

export interface HalcyonUserProps {
  /** Team the principal belongs to: part of its IAM path, names and tags. */
  readonly team: string;
  /**
   * Heroku app, for a principal that is one app's own.
   *
   * @default - a principal of the whole team
   */
  readonly app?: string;
  /** What its key may do. */
  readonly access: Access;
  /** What it may reach, and the ACL of its uploads. `HalcyonBucket.fromName` has buckets of other stacks, and prefixes. */
  readonly bucket: IHalcyonBucket;
  /**
   * Makes another user that may reach the same, where the name of the one before is taken: by a user that is quarantined, or that left its
   * stack and is being retired.
   *
   * @default 1
   */
  readonly generation?: number;
}

/**
 * A principal of Halcyon: an IAM user that may do what its access needs and nothing else, and an empty secret for its access key. The key
 * itself is made after the deployment, so that it never enters a template and can be replaced with an overlap.
 *
 * What it may reach is part of its name, so that a change makes another user beside it; and both are retained when they leave their stack,
 * since builds may still hold the key. `halcyon-kit` deletes them when none does.
 *
 * @throws KitError `invalid-prop` or `policy-too-long`.
 */
export class HalcyonUser extends Construct {
  /** Low level, since the higher one keeps its policy in a resource of its own: CloudFormation could take that away before the user. */
  readonly user: CfnUser;
  /** Without a value: the kit stores the key as `{HALCYON_AWS_ACCESS_KEY_ID, HALCYON_AWS_SECRET_ACCESS_KEY}`. */
  readonly secret: CfnSecret;
  readonly principal: PrincipalId;

  constructor(scope: Construct, id: string, props: HalcyonUserProps) {
    super(scope, id);
    const { team, app, access } = props;
    const reach = reachIn(props.bucket);
    this.principal = {
      ...{ team, access, ...(app === undefined ? {} : { app }), reach: reachDigest(literal(Stack.of(this), reach), access) },
      ...(props.generation === undefined ? {} : { generation: props.generation }),
    };
    validatePrincipal(this.principal);
    validateAccess(access);
    const policy = policyIn(this, reach, access);
    validateUserPolicy(userName(this.principal), policy);

    this.secret = new CfnSecret(this, 'Secret', {
      name: secretName(this.principal),
      description: `Access key of ${principalLabel(this.principal)} for Halcyon on Heroku`,
    });
    this.user = new CfnUser(this, 'User', {
      userName: userName(this.principal),
      path: iamPath(access, team),
      policies: [{ policyName: USER_POLICY, policyDocument: policy }],
    });
    this.user.addResourceDependency(this.secret);
    // Not plain RETAIN: what a failed first deployment leaves behind would be in the way of the next.
    for (const resource of [this.user, this.secret]) resource.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);

    const tags: Record<string, string | undefined> = {
      ...{ [TAGS.managedBy]: MANAGED_BY, [TAGS.team]: team, [TAGS.access]: access, [TAGS.app]: app },
      ...{ [TAGS.bucket]: reach.bucketName, [TAGS.prefix]: reach.prefix, [TAGS.region]: reach.region, [TAGS.acl]: reach.acl },
    };
    for (const [key, value] of Object.entries(tags))
      if (value !== undefined) for (const { tags } of [this.user, this.secret]) tags.setTag(key, value, OVER_ASPECTS);
    acknowledge(this, policy);
  }
}

/** What only CloudFormation knows, as its reference: the same at each synthesis, unlike a token's text. */
const literal = (stack: Stack, reach: Reach): Reach =>
  Object.fromEntries(
    Object.entries(stack.resolve(reach) as Record<string, unknown>).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ) as unknown as Reach;

/** Findings of cdk-nag's AwsSolutions that stand, each with its reason: no others of their rules. */
function acknowledge({ user, secret }: HalcyonUser, policy: PolicyDocumentJson): void {
  acknowledgeRule(secret, {
    id: 'AwsSolutions-SMG4',
    reason: 'keys are rotated by halcyon-kit, in step with the config vars of the apps; rotation by Lambda alone would break builds',
  });
  const arns = policy.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Resource }) => Resource);
  // A finding is named by its ARN: one that only CloudFormation knows cannot be acknowledged here.
  const patterns = arns.filter((arn) => arn.endsWith('*') && !Token.isUnresolved(arn));
  for (const pattern of new Set(patterns)) {
    acknowledgeRule(user, {
      id: `AwsSolutions-IAM5[Resource::${pattern}]`,
      reason: 'Halcyon chooses the keys of its objects: all under the prefix, by listed actions, in one bucket of one account',
    });
  }
}
