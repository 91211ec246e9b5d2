import type { Stack } from 'aws-cdk-lib/core';
import { CfnOutput, Tags, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { BucketSpec, SharedBucket, Signing } from '../config/model.js';
import { HalcyonBucket } from '../constructs/halcyon-bucket.js';
import { bucketStackName, MANAGED_BY, OUTPUTS, TAGS, type Acl } from '../contract/index.js';
import { RegionalStack } from './regional-stack.js';

/** What a bucket is to accept of uploads, beside what its own spec says. */
export interface Accepts {
  readonly signing: Pick<Signing, 'version'>;
  /** Default: none. */
  readonly formerAcls?: readonly Acl[];
}

export interface BucketStackProps extends StackProps, Accepts {
  readonly bucket: SharedBucket;
  /** Of the file that it is in. */
  readonly deployment: string;
}

/** A bucket that several teams share, each in a prefix: `halcyon-bucket-NAME`. */
export class BucketStack extends RegionalStack {
  readonly bucket: HalcyonBucket;

  constructor(scope: Construct, id: string, props: BucketStackProps) {
    const { bucket: spec, deployment, signing, formerAcls, ...stack } = props;
    super(scope, id, {
      stackName: bucketStackName(spec.id),
      description: `Shared Halcyon bucket ${spec.id}`,
      env: { account: spec.account, region: spec.region },
      terminationProtection: spec.retention.retain,
      ...stack,
    });
    this.bucket = storageBucket(this, spec, { signing, formerAcls });
    bucketOutputs(this, spec);
    tagAll(this, { [TAGS.managedBy]: MANAGED_BY, [TAGS.deployment]: deployment, ...spec.tags });
  }
}

/** The bucket that `spec` describes. */
export const storageBucket = (scope: Construct, spec: BucketSpec, { signing, formerAcls }: Accepts): HalcyonBucket =>
  new HalcyonBucket(scope, 'Storage', {
    bucketName: spec.name,
    acl: spec.acl,
    formerAcls,
    allowPublicRead: spec.allowPublicRead,
    signing: signing.version,
    kmsKeyArn: spec.kmsKeyArn,
    versioning: spec.versioning,
    noncurrentDays: spec.retention.noncurrentDays,
    expireAfterDays: spec.retention.expireAfterDays,
    retain: spec.retention.retain,
  });

/** What the stacks say of the bucket, for people and for checks; nothing of it is secret. */
export function bucketOutputs(stack: Stack, spec: BucketSpec): void {
  new CfnOutput(stack, OUTPUTS.bucketName, { value: spec.name, description: 'Bucket of the prebuilt packages' });
  new CfnOutput(stack, OUTPUTS.bucketRegion, { value: spec.region, description: 'Region of the bucket' });
  if (spec.kmsKeyArn !== undefined) new CfnOutput(stack, OUTPUTS.kmsKeyArn, { value: spec.kmsKeyArn, description: 'Key of the bucket' });
}

/** On the stack and on all that is in it. */
export function tagAll(stack: Stack, tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) Tags.of(stack).add(key, value);
}
