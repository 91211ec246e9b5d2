import { CfnOutput, RemovalPolicy, type StackProps } from 'aws-cdk-lib/core';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledgeRule } from '../constructs/validation.js';
import { buildpackSeal } from '../constructs/policies.js';
import { BUILDPACK_PREFIX, BUILDPACK_STACK, buildpackBucketName, MANAGED_BY, OUTPUTS, TAGS } from '../contract/index.js';
import { tagAll } from './bucket-stack.js';
import { RegionalStack } from './regional-stack.js';
import type { Environment } from '../config/environments.js';

/**
 * Serves the SigV4 buildpack to Heroku's builds: `halcyon-buildpack`. Anyone may get objects under one prefix by HTTPS; nobody may list.
 * The object itself, named by its content, is put there after the deployment, and then stays as it is.
 */
export class BuildpackStack extends RegionalStack {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: StackProps & { readonly env: Environment }) {
    super(scope, id, {
      stackName: BUILDPACK_STACK,
      description: 'SigV4 buildpack for Halcyon, public',
      // Apps name its URL: without it their next build fails.
      terminationProtection: true,
      ...props,
    });
    this.bucket = new Bucket(this, 'Buildpack', {
      bucketName: buildpackBucketName(props.env.account, props.env.region),
      encryption: BucketEncryption.S3_MANAGED,
      // What root overwrites or deletes can be brought back.
      versioned: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // Public by policy, on one prefix; never by ACL.
      blockPublicAccess: new BlockPublicAccess({
        blockPublicAcls: true,
        ignorePublicAcls: true,
        blockPublicPolicy: false,
        restrictPublicBuckets: false,
      }),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'PublicBuildpack',
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources: [this.bucket.arnForObjects(`${BUILDPACK_PREFIX}*`)],
      }),
    );
    const sealed = { partition: this.partition, account: props.env.account, bucketName: this.bucket.bucketName };
    for (const statement of buildpackSeal(sealed)) this.bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
    new CfnOutput(this, OUTPUTS.bucketName, { value: this.bucket.bucketName, description: 'Bucket that serves the buildpack' });
    new CfnOutput(this, OUTPUTS.bucketRegion, { value: props.env.region, description: 'Region of the bucket' });
    tagAll(this, { [TAGS.managedBy]: MANAGED_BY });
    acknowledgeRule(
      this.bucket,
      { id: 'AwsSolutions-S1', reason: 'it holds nothing but a public script; access logs would need a second bucket to keep' },
      {
        id: 'AwsSolutions-S2',
        reason: 'serving the buildpack to anyone is its purpose; ACLs stay blocked, and only one prefix is readable',
      },
    );
  }
}
