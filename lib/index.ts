/** What another CDK app may import. */
export type { IHalcyonBucket } from './constructs/bucket-base.js';
export { HalcyonBucket, type HalcyonBucketAttributes, type HalcyonBucketProps } from './constructs/halcyon-bucket.js';
export { HalcyonUser, type HalcyonUserProps } from './constructs/halcyon-user.js';
export { bucketPolicy, userPolicy, type PolicyDocumentJson, type Statement } from './constructs/policies.js';
export { BucketStack, type BucketStackProps } from './stacks/bucket-stack.js';
export { BuildpackStack } from './stacks/buildpack-stack.js';
export { TeamStack, type TeamStackProps } from './stacks/team-stack.js';
export { buildApp, hasStack, type BuildAppOptions } from './stacks/app.js';
export { loadConfig, parseConfig } from './config/index.js';
export type { App, BucketSpec, KitConfig, Principal, Retention, SharedBucket, Signing, Team, TeamBucket } from './config/model.js';
export { KitError } from './errors.js';
export type { Access, Acl, Mode, PrincipalId } from './contract/index.js';
