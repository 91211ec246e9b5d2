import { CfnDeletionPolicy, Duration, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type CfnBucket,
  type IBucket,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { MANAGED_BY, TAGS, type Acl } from '../contract/index.js';
import { HalcyonBucketBase, known, type IHalcyonBucket } from './bucket-base.js';
import { bucketPolicy } from './policies.js';
import {
  acknowledgeRule,
  validateAccount,
  validateAcl,
  validateBucketName,
  validateDays,
  validateKmsKeyArn,
  validatePrefix,
} from './validation.js';

export interface HalcyonBucketProps {
  /**
   * Full bucket name. A bucket can be taken back in after its stack went only when it has one.
   *
   * @default - CloudFormation makes one up
   */
  readonly bucketName?: string;
  /**
   * Canned ACL that uploads carry (`HALCYON_S3_ACL`). With `private` and `public-read` the bucket has ACLs enabled; AWS advises against both.
   *
   * @default - `bucket-owner-full-control`, and ACLs are disabled (BucketOwnerEnforced)
   */
  readonly acl?: Acl;
  /**
   * Says that `acl: 'public-read'` is meant: everyone may read every upload.
   *
   * @default - false
   */
  readonly allowPublicRead?: boolean;
  /**
   * ACLs that some uploads still carry beside `acl`, as it has just been changed. What is public by one of them alone is not shown.
   *
   * @default - none
   */
  readonly formerAcls?: readonly Acl[];
  /**
   * Signature version of Halcyon's requests. With 4 the bucket refuses version 2.
   *
   * @default - 4
   */
  readonly signing?: 2 | 4;
  /**
   * ARN of a KMS key in the bucket's region. Its key policy must let the principals use it; needs signature version 4.
   *
   * @default - encrypted with keys of S3 (SSE-S3)
   */
  readonly kmsKeyArn?: string;
  /**
   * Keep overwritten and deleted objects.
   *
   * @default - false
   */
  readonly versioning?: boolean;
  /**
   * Days for which they are kept, also when versioning is switched off again.
   *
   * @default - 30
   */
  readonly noncurrentDays?: number;
  /**
   * Days after which archives expire; Halcyon builds what is missing again.
   *
   * @default - never
   */
  readonly expireAfterDays?: number;
  /**
   * Keep the bucket, with all that is in it, when it leaves its stack. With `false` CloudFormation deletes it, and fails unless it is empty.
   *
   * @default - true
   */
  readonly retain?: boolean;
}

/** A bucket, or a prefix in one, that is there already or is another construct's. */
export interface HalcyonBucketAttributes {
  readonly bucketName: string;
  /**
   * Account that owns it. A bucket of another account must let users in by its own policy, too.
   *
   * @default - the account of the stack
   */
  readonly account?: string;
  /** @default - the region of the stack */
  readonly region?: string;
  /**
   * Prefix that users and grants are confined to, without slashes at its ends.
   *
   * @default - the whole bucket
   */
  readonly prefix?: string;
  /**
   * The one canned ACL that uploads may carry (`HALCYON_S3_ACL`); the bucket must let it in.
   *
   * @default - `bucket-owner-full-control`
   */
  readonly acl?: Acl;
}

/**
 * A bucket for Halcyon's prebuilt packages: private, TLS 1.2 or later only, encrypted, and with denials for the kit's principals that hold
 * whatever their own policies say ({@link bucketPolicy}).
 *
 * @throws KitError `invalid-prop`.
 */
export class HalcyonBucket extends HalcyonBucketBase {
  /**
   * A bucket by its name. Nothing of it is made or changed, its policy neither; a prefix of a {@link HalcyonBucket} is named so as well.
   *
   * @throws KitError `invalid-prop`.
   */
  static fromName(scope: Construct, id: string, attributes: HalcyonBucketAttributes): IHalcyonBucket {
    const { bucketName, account, region, prefix, acl = 'bucket-owner-full-control' } = attributes;
    validateBucketName(bucketName);
    validateAccount('account', account);
    validatePrefix(prefix);
    // Whether the bucket lets public uploads in is the bucket's own matter.
    validateAcl(acl, true);
    return new NamedBucket(scope, id, { bucketName, account, region, prefix, acl });
  }

  /** The bucket itself; add to its policy by `addToResourcePolicy`. */
  readonly bucket: Bucket;
  readonly prefix?: undefined;
  readonly acl: Acl;

  constructor(scope: Construct, id: string, props: HalcyonBucketProps = {}) {
    super(scope, id);
    const { acl = 'bucket-owner-full-control', allowPublicRead = false, signing = 4, versioning = false } = props;
    validateBucketName(props.bucketName);
    validateAcl(acl, allowPublicRead);
    validateKmsKeyArn(props.kmsKeyArn);
    validateDays('noncurrentDays', props.noncurrentDays);
    validateDays('expireAfterDays', props.expireAfterDays);

    this.acl = acl;
    const accepted = [acl, ...(props.formerAcls ?? [])];
    const publicAcls = accepted.includes('public-read');
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      ...encryption(this, props.kmsKeyArn),
      // Halcyon sends an ACL with every upload; a bucket without ACLs accepts `bucket-owner-full-control` alone.
      objectOwnership: accepted.every((one) => one === 'bucket-owner-full-control')
        ? ObjectOwnership.BUCKET_OWNER_ENFORCED
        : ObjectOwnership.BUCKET_OWNER_PREFERRED,
      // Public ACLs are let in only where they are asked for; a public policy never.
      blockPublicAccess: publicAcls
        ? new BlockPublicAccess({
            blockPublicAcls: false,
            ignorePublicAcls: acl !== 'public-read',
            blockPublicPolicy: true,
            restrictPublicBuckets: true,
          })
        : BlockPublicAccess.BLOCK_ALL,
      versioned: versioning,
      lifecycleRules: lifecycle(props),
      // Not plain RETAIN: what a failed first deployment leaves behind would be in the way of the next.
      removalPolicy: props.retain === false ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // A bucket of another name succeeds it; this one is still in use then, whatever becomes of it with its stack.
    (this.bucket.node.defaultChild as CfnBucket).cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    const policy = bucketPolicy({ partition: Stack.of(this).partition, bucketName: this.bucket.bucketName, signing });
    for (const statement of policy.Statement) this.bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
    Tags.of(this).add(TAGS.managedBy, MANAGED_BY);
    acknowledge(this.bucket, publicAcls);
  }
}

class NamedBucket extends HalcyonBucketBase {
  readonly prefix?: string;
  readonly acl: Acl;
  private made?: IBucket;

  constructor(
    scope: Construct,
    id: string,
    private readonly attributes: HalcyonBucketAttributes & { readonly acl: Acl },
  ) {
    super(scope, id);
    const { bucketName, prefix, acl, account = Stack.of(this).account, region = Stack.of(this).region } = attributes;
    this.prefix = prefix;
    this.acl = acl;
    known.set(this, { account, region, bucketName, prefix, acl });
  }

  /** Made as a construct when it is first asked for, not before: the CDK loads what it knows of all regions for it. */
  get bucket(): IBucket {
    return (this.made ??= Bucket.fromBucketAttributes(this, 'Bucket', this.attributes));
  }
}

function encryption(scope: Construct, kmsKeyArn: string | undefined) {
  if (kmsKeyArn === undefined) return { encryption: BucketEncryption.S3_MANAGED };
  // A bucket key spares a KMS request an object.
  return { encryption: BucketEncryption.KMS, encryptionKey: Key.fromKeyArn(scope, 'Key', kmsKeyArn), bucketKeyEnabled: true };
}

function lifecycle(props: HalcyonBucketProps): LifecycleRule[] {
  const rules: LifecycleRule[] = [{ id: 'abort-unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }];
  if (props.expireAfterDays !== undefined) rules.push({ id: 'expire-archives', expiration: Duration.days(props.expireAfterDays) });
  // Without versioning, too: what was kept while it was on stays when it is switched off.
  // A rule of its own: S3 refuses a delete marker's expiry beside an expiry in days.
  rules.push({
    id: 'expire-noncurrent-versions',
    noncurrentVersionExpiration: Duration.days(props.noncurrentDays ?? 30),
    expiredObjectDeleteMarker: true,
  });
  return rules;
}

/** Findings of cdk-nag's AwsSolutions that stand, each with its reason. */
function acknowledge(bucket: Bucket, publicAcls: boolean): void {
  acknowledgeRule(bucket, {
    id: 'AwsSolutions-S1',
    reason: 'server access logs need a second bucket to keep; CloudTrail data events show the same requests where they are wanted',
  });
  if (publicAcls) {
    acknowledgeRule(bucket, {
      id: 'AwsSolutions-S2',
      reason: 'public-read is acknowledged by allowPublicRead: uploads carry that ACL',
    });
  }
}
