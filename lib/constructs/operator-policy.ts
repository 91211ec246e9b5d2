import { BUILDPACK_PREFIX, IAM_ROOT_PATH } from '../contract/index.js';
import { document, type PolicyDocumentJson, type Statement } from './policies.js';

/** What whoever runs the kit may do, and the most that its users ever may: plain JSON, made once, by someone who may make policies. */

/** Characters, white space not counted, of a managed policy (IAM quota). @internal */
export const MAX_MANAGED_POLICY = 6144;

/** Name of the boundary where the file names none. */
export const DEFAULT_BOUNDARY = 'halcyon-boundary';

export interface OperatorScope {
  readonly partition: string;
  /** Accounts that the file deploys to; `*` where there is no file. */
  readonly accounts: readonly string[];
  /** Name of the managed policy that bounds the kit's users. */
  readonly boundary: string;
  /** Buckets that the kit makes under names of the file's own. */
  readonly made: readonly string[];
  /** Buckets that were there before, and stay as they are. */
  readonly existing: readonly string[];
  readonly kmsKeyArns: readonly string[];
  /** SNS topics that runs are told of. */
  readonly topics: readonly string[];
}

const boundaryArn = (partition: string, account: string, name: string): string => `arn:${partition}:iam::${account}:policy/${name}`;

const both = (bucketArns: readonly string[]): string[] => bucketArns.flatMap((arn) => [arn, `${arn}/*`]);

const actions = (service: string, names: string): string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${service}:${name}`);

/** Who sets up users may do so only inside the boundary: without it, whoever may write a user's policy and make its key is an administrator. */
export function operatorPolicy(scope: OperatorScope): PolicyDocumentJson {
  const { partition, accounts, existing, kmsKeyArns, topics } = scope;
  const arn = (service: string, rest: string) => `arn:${partition}:${service}:${rest}`;
  const users = [arn('iam', `:*:user${IAM_ROOT_PATH}*`)];
  const buckets = ['halcyon-*', ...scope.made].map((name) => arn('s3', `::${name}`));
  const buildpack = arn('s3', '::halcyon-kit-buildpack-*');
  const bounded = { ArnLike: { 'iam:PermissionsBoundary': accounts.map((account) => boundaryArn(partition, account, scope.boundary)) } };
  const allow = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Statement['Condition']): Statement => ({
    ...{ Sid, Effect: 'Allow', Action, Resource },
    ...(Condition === undefined ? {} : { Condition }),
  });
  return document(
    allow('Stacks', actions('cloudformation', STACKS), [arn('cloudformation', '*:*:stack/halcyon-*')]),
    // Read only: a stack with a role of its own lends that role to whoever may update it.
    allow('CdkToolkit', ['cloudformation:DescribeStacks'], [arn('cloudformation', '*:*:stack/CDKToolkit/*')]),
    allow('Users', actions('iam', USERS), users),
    allow('BoundedUsers', actions('iam', BOUNDED), users, bounded),
    allow(
      'Lists',
      [
        ...['cloudformation:ListStacks', 'iam:ListUsers', 'iam:ListPolicies', 'iam:ListEntitiesForPolicy', 'iam:GetAccessKeyLastUsed'],
        ...['s3:GetAccountPublicAccessBlock', 's3:ListAllMyBuckets', 'secretsmanager:ListSecrets', 'sts:GetCallerIdentity'],
      ],
      ['*'],
    ),
    // What it gives may do no more than the operator.
    allow('ShortLived', ['sts:GetFederationToken'], [arn('sts', ':*:federated-user/halcyon.*')]),
    allow('Secrets', actions('secretsmanager', SECRETS), [arn('secretsmanager', '*:*:secret:halcyon/*')]),
    allow('Buckets', actions('s3', `${BUCKETS} ${READS} ${OBJECTS}`), both(buckets)),
    ...(existing.length === 0
      ? []
      : [allow('ExistingBuckets', actions('s3', `${READS} ${OBJECTS}`), both(existing.map((name) => arn('s3', `::${name}`))))]),
    ...(kmsKeyArns.length === 0 ? [] : [allow('Keys', ['kms:Decrypt', 'kms:GenerateDataKey'], kmsKeyArns)]),
    ...(topics.length === 0 ? [] : [allow('Notify', ['sns:Publish'], topics)]),
    {
      // A new version may be published; none is replaced.
      ...{ Sid: 'BuildpackAsPublished', Effect: 'Deny', Action: ['s3:PutObject'], Resource: [`${buildpack}/*`] },
      Condition: { Null: { 's3:if-none-match': 'true' } },
    },
    {
      ...{ Sid: 'BuildpackStays', Effect: 'Deny', Action: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObjectAcl'] },
      Resource: [`${buildpack}/*`],
    },
  );
}

/** The most that any user of the kit may do, whatever a policy of its own says: Halcyon's requests, on the kit's buckets and the file's. */
export function boundaryPolicy({ partition, made, existing, kmsKeyArns }: OperatorScope): PolicyDocumentJson {
  const names = ['halcyon-*', ...made, ...existing].map((name) => `arn:${partition}:s3:::${name}`);
  return document(
    {
      ...{ Sid: 'Storage', Effect: 'Allow', Resource: both(names) },
      Action: ['s3:DeleteObject', 's3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:PutObjectAcl'],
    },
    ...(kmsKeyArns.length === 0
      ? []
      : [{ Sid: 'Keys', Effect: 'Allow' as const, Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: kmsKeyArns }]),
    {
      ...{ Sid: 'NotTheBuildpack', Effect: 'Deny', Action: ['s3:Put*', 's3:Delete*'] },
      Resource: [`arn:${partition}:s3:::halcyon-kit-buildpack-*/${BUILDPACK_PREFIX}*`],
    },
  );
}

const STACKS = `
  ContinueUpdateRollback CreateChangeSet CreateStack DeleteChangeSet DeleteStack DescribeChangeSet DescribeEvents DescribeStackEvents
  DescribeStackResource DescribeStackResources DescribeStacks ExecuteChangeSet GetTemplate ListChangeSets ListStackResources RollbackStack TagResource UntagResource UpdateStack
  UpdateTerminationProtection`;
const USERS = `
  CreateAccessKey DeleteAccessKey DeleteLoginProfile DeleteUser GetLoginProfile GetUser GetUserPolicy ListAccessKeys
  ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUserTags TagUser UntagUser UpdateAccessKey UpdateUser`;
/** Of what the kit needs, all that IAM knows the condition iam:PermissionsBoundary for. CreateAccessKey is not among it. */
const BOUNDED = 'CreateUser DeleteUserPolicy PutUserPermissionsBoundary PutUserPolicy';
const SECRETS = `
  CreateSecret DeleteSecret DescribeSecret GetSecretValue ListSecretVersionIds PutSecretValue TagResource UntagResource UpdateSecret
  UpdateSecretVersionStage`;
/** Made and changed by CloudFormation, in its caller's name. */
const BUCKETS = `
  CreateBucket DeleteBucket DeleteBucketPolicy PutBucketAcl PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
  PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration TagResource UntagResource`;
/** What the doctor, and an import into a stack, look at. */
const READS = `
  GetAccelerateConfiguration GetAnalyticsConfiguration GetBucket* GetEncryptionConfiguration GetIntelligentTieringConfiguration
  GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketVersions
  ListTagsForResource`;
/** Leases, what a smoke deploy plants, and what \`down --delete-bucket\` takes away. */
const OBJECTS = 'DeleteObject DeleteObjectVersion GetObject PutObject PutObjectAcl';
