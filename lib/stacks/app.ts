import { App, LegacyStackSynthesizer, PermissionsBoundary, type StackProps } from 'aws-cdk-lib/core';
import type { KitConfig } from '../config/model.js';
import { BUILDPACK_STACK, bucketStackName, teamStackName, TEMPLATES_STACK, type Acl } from '../contract/index.js';
import { BucketStack, type Accepts } from './bucket-stack.js';
import { BuildpackStack } from './buildpack-stack.js';
import { buildpackEnvironments, hasStack, type Environment } from '../config/environments.js';
import { TeamStack } from './team-stack.js';
import { TemplatesStack, TemplateSynthesizer } from './templates-stack.js';

export { hasStack } from '../config/environments.js';

export interface BuildAppOptions {
  /** Names of buckets that go on accepting signature version 2, as apps that sign so still use them. Default: none. */
  readonly acceptSigV2?: ReadonlySet<string>;
  /** ACLs that uploads to a bucket may still carry beside its own, by its name. Default: none. */
  readonly formerAcls?: ReadonlyMap<string, readonly Acl[]>;
  /** Directory of the cloud assembly. Default: what the `cdk` CLI says, else a temporary one. */
  readonly outdir?: string;
  /** `false` lifts the stacks' termination protection at the next deployment. Default true: protected where something is retained. */
  readonly protect?: boolean;
  /** Check the templates against CloudFormation's schemas; costs some two seconds, and the tests do it. Default false. */
  readonly validate?: boolean;
}

/** The CDK app of a file: a stack a shared bucket, one a team, and one for a hosted buildpack. */
export function buildApp(config: KitConfig, options: BuildAppOptions = {}): App {
  const app = new App({
    outdir: options.outdir,
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: options.validate ?? false,
    // The same templates from the `cdk` CLI, from the kit's own and from tests.
    context: {
      '@aws-cdk/core:enablePartitionLiterals': true,
      'aws:cdk:disable-path-metadata': true,
      'aws:cdk:disable-creation-stack-traces': true,
    },
    defaultStackSynthesizer: new LegacyStackSynthesizer(),
  });
  const common = options.protect === false ? { terminationProtection: false } : {};

  const { permissionsBoundary: boundary, deployment } = config;
  const accepts = (bucket: string): Accepts => ({
    signing: options.acceptSigV2?.has(bucket) ? { version: 2 } : config.signing,
    formerAcls: options.formerAcls?.get(bucket),
  });

  // One an account, all of one name: only what the CDK calls them differs.
  buildpackEnvironments(config).forEach((env, index) => {
    new BuildpackStack(app, index === 0 ? BUILDPACK_STACK : `${BUILDPACK_STACK}-${env.account}`, { env, ...common });
  });
  const shared = new Map(
    config.buckets.map((bucket) => [
      bucket.id,
      new BucketStack(app, bucketStackName(bucket.id), { bucket, deployment, ...accepts(bucket.name), ...common }),
    ]),
  );
  const templates = new Map<string, TemplatesStack>();
  const byTemplatesBucket = ({ account, region }: Environment): Pick<StackProps, 'synthesizer' | 'suppressTemplateIndentation'> => {
    const place = `${account}-${region}`;
    const stack =
      templates.get(place) ??
      new TemplatesStack(app, templates.size === 0 ? TEMPLATES_STACK : `${TEMPLATES_STACK}-${place}`, { account, region });
    templates.set(place, stack);
    return { synthesizer: new TemplateSynthesizer(stack, { account, region }), suppressTemplateIndentation: true };
  };
  for (const team of config.teams) {
    if (team.bucket === undefined || !hasStack(team)) continue;
    const stack = new TeamStack(app, teamStackName(team.name), {
      team,
      deployment,
      ...accepts(team.bucket.spec.name),
      ...byTemplatesBucket(team.bucket.spec),
      ...(boundary === undefined ? {} : { permissionsBoundary: PermissionsBoundary.fromName(boundary) }),
      ...common,
    });
    // Order only: the bucket's stack is deployed first, and nothing is locked.
    const bucket = team.bucket?.kind === 'shared' ? shared.get(team.bucket.shared) : undefined;
    if (bucket !== undefined) stack.addStackDependency(bucket);
  }
  return app;
}
