import { App, LegacyStackSynthesizer } from 'aws-cdk-lib/core';
import type { KitConfig, Principal } from '../config/model.js';
import { BUILDPACK_STACK, bucketStackName, teamStackName } from '../contract/index.js';
import { BucketStack } from './bucket-stack.js';
import { BuildpackStack } from './buildpack-stack.js';
import { buildpackHome, hasStack } from './homes.js';
import { TeamStack } from './team-stack.js';

export { hasStack } from './homes.js';

export interface BuildAppOptions {
  /** Principals that stay in their team's stack although no app needs them any more. Default: none. */
  readonly keep?: readonly Principal[];
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
    context: { '@aws-cdk/core:enablePartitionLiterals': true, 'aws:cdk:disable-path-metadata': true },
    defaultStackSynthesizer: new LegacyStackSynthesizer(),
  });
  const common = options.protect === false ? { terminationProtection: false } : {};

  const home = buildpackHome(config);
  if (home !== undefined) new BuildpackStack(app, BUILDPACK_STACK, { home, ...common });
  const shared = new Map(
    config.buckets.map((bucket) => [
      bucket.id,
      new BucketStack(app, bucketStackName(bucket.id), { bucket, signing: config.signing, ...common }),
    ]),
  );
  for (const team of config.teams) {
    if (!hasStack(team, options.keep)) continue;
    const stack = new TeamStack(app, teamStackName(team.name), { team, signing: config.signing, keep: options.keep, ...common });
    // Order only: the bucket's stack is deployed first, and nothing is locked.
    const bucket = team.bucket?.kind === 'shared' ? shared.get(team.bucket.shared) : undefined;
    if (bucket !== undefined) stack.addStackDependency(bucket);
  }
  return app;
}
