import { CfnOutput, Stack, Tags, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { BucketSpec, SharedBucket, Signing } from '../config/model.js';
import { HalcyonBucket } from '../constructs/halcyon-bucket.js';
import { bucketStackName, MANAGED_BY, OUTPUTS, TAGS } from '../contract/index.js';

export interface BucketStackProps extends StackProps {
  readonly bucket: SharedBucket;
  /** Of the file that it is in. */
  readonly deployment: string;
  readonly signing: Pick<Signing, 'version'>;
}

/** A bucket that several teams share, each in a prefix: `halcyon-bucket-NAME`. */
export class BucketStack extends Stack {
  readonly bucket: HalcyonBucket;

  constructor(scope: Construct, id: string, props: BucketStackProps) {
    const { bucket: spec, deployment, signing, ...stack } = props;
    super(scope, id, {
      stackName: bucketStackName(spec.id),
      description: `Shared Halcyon bucket ${spec.id}`,
      env: { account: spec.account, region: spec.region },
      terminationProtection: spec.retention.retain,
      ...stack,
    });
    this.bucket = storageBucket(this, spec, signing);
    bucketOutputs(this, spec);
    tagAll(this, { [TAGS.managedBy]: MANAGED_BY, [TAGS.deployment]: deployment, ...spec.tags });
  }
}

/** The bucket that `spec` describes. */
export const storageBucket = (scope: Construct, spec: BucketSpec, signing: Pick<Signing, 'version'>): HalcyonBucket =>
  new HalcyonBucket(scope, 'Storage', {
    bucketName: spec.name,
    acl: spec.acl,
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
