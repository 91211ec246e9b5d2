import { Duration, Stack } from 'aws-cdk-lib/core';
import { Metric, Stats, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import type { Access, Acl, Reach } from '../contract/index.js';
import { userPolicy, type PolicyDocumentJson } from './policies.js';

/** A bucket for Halcyon's prebuilt packages, or a prefix in one: made here, or there already. */
export interface IHalcyonBucket extends IConstruct {
  /** The bucket itself. */
  readonly bucket: IBucket;
  /** Prefix that users and grants are confined to, without slashes at its ends; undefined: the whole bucket. */
  readonly prefix?: string;
  /** The one canned ACL that uploads may carry (`HALCYON_S3_ACL`). */
  readonly acl: Acl;
  /**
   * Lets a role or user of your own read packages, as a {@link HalcyonUser} of access `read-only` may. A KMS key must let it by its own policy,
   * too.
   */
  grantRead(grantee: IGrantable): Grant;
  /** … and upload and delete them, as with access `upload`: an upload must carry the canned ACL {@link acl}. */
  grantUpload(grantee: IGrantable): Grant;
  /** Bytes in the bucket of storage class Standard, whatever the prefix; S3 counts them once a day. Default: the average of a day. */
  metricBucketSizeBytes(props?: MetricOptions): Metric;
  /** Objects in the bucket, whatever the prefix; S3 counts them once a day. Default: the average of a day. */
  metricNumberOfObjects(props?: MetricOptions): Metric;
}

/** Of a bucket that is known by its name: to ask for {@link IHalcyonBucket.bucket} would make it. */
export const known = new WeakMap<IHalcyonBucket, Reach>();

/** What users of a bucket may reach. */
export const reachIn = (of: IHalcyonBucket): Reach => {
  const given = known.get(of);
  if (given !== undefined) return given;
  const { bucket, prefix, acl } = of;
  return { account: bucket.env.account, region: bucket.env.region, bucketName: bucket.bucketName, prefix, acl };
};

/** What `access` takes, in the words of the partition of `scope`. */
export const policyIn = (scope: IConstruct, reach: Reach, access: Access): PolicyDocumentJson =>
  userPolicy({ ...reach, bucketAccount: reach.account, partition: Stack.of(scope).partition, access });

/** What all buckets can, whoever made them. */
export abstract class HalcyonBucketBase extends Construct implements IHalcyonBucket {
  abstract readonly bucket: IBucket;
  abstract readonly prefix?: string;
  abstract readonly acl: Acl;

  grantRead(grantee: IGrantable): Grant {
    return this.grant(grantee, 'read-only');
  }

  grantUpload(grantee: IGrantable): Grant {
    return this.grant(grantee, 'upload');
  }

  metricBucketSizeBytes(props?: MetricOptions): Metric {
    return this.metric('BucketSizeBytes', 'StandardStorage', props);
  }

  metricNumberOfObjects(props?: MetricOptions): Metric {
    return this.metric('NumberOfObjects', 'AllStorageTypes', props);
  }

  private grant(grantee: IGrantable, access: Access): Grant {
    const { Statement } = policyIn(this, reachIn(this), access);
    // What it does elsewhere is its own matter.
    for (const denial of Statement.filter(({ Effect, Resource }) => Effect === 'Deny' && !Resource.includes('*')))
      grantee.grantPrincipal.addToPrincipalPolicy(PolicyStatement.fromJson(denial));
    return Statement.filter(({ Effect }) => Effect === 'Allow')
      .map(({ Action = [], Resource, Condition }) => {
        const grant = { grantee, actions: [...Action], resourceArns: [...Resource], conditions: Condition };
        // The bucket's own policy has no say about a KMS key.
        return Action.some((action) => action.startsWith('kms:'))
          ? Grant.addToPrincipal(grant)
          : Grant.addToPrincipalOrResource({ ...grant, resource: this.bucket });
      })
      .reduce((all, one) => all.combine(one));
  }

  private metric(metricName: string, StorageType: string, props?: MetricOptions): Metric {
    const { account, region } = this.bucket.env;
    return new Metric({
      ...{ namespace: 'AWS/S3', metricName, dimensionsMap: { BucketName: this.bucket.bucketName, StorageType }, account, region },
      ...{ statistic: Stats.AVERAGE, period: Duration.days(1), ...props },
    });
  }
}
