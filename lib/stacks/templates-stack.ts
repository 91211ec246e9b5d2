import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CliCredentialsStackSynthesizer, Duration, LegacyStackSynthesizer, RemovalPolicy, type ISynthesisSession } from 'aws-cdk-lib/core';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Environment } from '../config/environments.js';
import { acknowledgeRule } from '../constructs/validation.js';
import { MANAGED_BY, TAGS, TEMPLATES_STACK, templatesBucketName } from '../contract/index.js';
import { tagAll } from './bucket-stack.js';
import { RegionalStack } from './regional-stack.js';

/** CloudFormation takes 51,200 bytes in a request. The `cdk` CLI sends YAML, which is longer than this compact JSON by half at most. */
const INLINE_BYTES = 30_000;

/**
 * Holds the templates that are too large for a request, until CloudFormation has read them: `halcyon-kit-templates`. Nothing is lost with
 * it. It is in the assembly only where a template needs it.
 */
export class TemplatesStack extends RegionalStack {
  constructor(scope: Construct, id: string, env: Environment) {
    super(scope, id, {
      stackName: TEMPLATES_STACK,
      description: 'Templates of large Halcyon stacks, on their way to CloudFormation',
      env,
      synthesizer: new OnDemandSynthesizer(),
    });
    const bucket = new Bucket(this, 'Templates', {
      bucketName: templatesBucketName(env.account, env.region),
      encryption: BucketEncryption.S3_MANAGED,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ id: 'expire-templates', expiration: Duration.days(1), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.DESTROY,
    });
    tagAll(this, { [TAGS.managedBy]: MANAGED_BY });
    acknowledgeRule(bucket, {
      id: 'AwsSolutions-S1',
      reason: 'it holds templates for a day, without secrets; access logs would need a second bucket to keep',
    });
  }

  /** Put the stack into the assembly. */
  emit(session: ISynthesisSession): void {
    (this.synthesizer as OnDemandSynthesizer).emit(session);
  }
}

/** Synthesises a stack when asked to, once an assembly. */
class OnDemandSynthesizer extends LegacyStackSynthesizer {
  private emitted?: ISynthesisSession;

  override synthesize(): void {}

  emit(session: ISynthesisSession): void {
    if (this.emitted === session) return;
    this.emitted = session;
    super.synthesize(session);
  }
}

/** Sends a template as it is or, where it is too large for a request, by the bucket of `templates`; either way with the CLI's own credentials. */
export class TemplateSynthesizer extends CliCredentialsStackSynthesizer {
  constructor(
    private readonly templates: TemplatesStack,
    { account, region }: Environment,
  ) {
    super({ fileAssetsBucketName: templatesBucketName(account, region) });
  }

  override synthesize(session: ISynthesisSession): void {
    const { fileName = '' } = this.synthesizeTemplate(session);
    if (statSync(join(session.assembly.outdir, fileName)).size <= INLINE_BYTES) return this.emitArtifact(session);
    this.templates.emit(session);
    this.boundStack.addStackDependency(this.templates);
    super.synthesize(session);
  }
}
