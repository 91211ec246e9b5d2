/** What another CDK app may import. */
export type { HalcyonBucketBase, IHalcyonBucket } from './constructs/bucket-base.js';
export { HalcyonBucket, type HalcyonBucketAttributes, type HalcyonBucketProps } from './constructs/halcyon-bucket.js';
export { HalcyonUser, type HalcyonUserProps } from './constructs/halcyon-user.js';
export { bucketPolicy, userPolicy } from './constructs/policies.js';
export type { BucketPolicyOptions, PolicyDocumentJson, Statement, UserPolicyOptions } from './constructs/policies.js';
export { BucketStack, type Accepts, type BucketStackProps } from './stacks/bucket-stack.js';
export { BuildpackStack } from './stacks/buildpack-stack.js';
export { RegionalStack } from './stacks/regional-stack.js';
export { TeamStack, type TeamStackProps } from './stacks/team-stack.js';
export { buildApp, hasStack, type BuildAppOptions } from './stacks/app.js';
export { loadConfig, parseConfig } from './config/index.js';
export type { Environment } from './config/environments.js';
export type * from './config/model.js';
export type { ErrorCode } from './error-codes.js';
export { KitError } from './errors.js';
export { ACCESSES, ACLS, MODES, type Access, type Acl, type Mode, type PrincipalId } from './contract/index.js';
