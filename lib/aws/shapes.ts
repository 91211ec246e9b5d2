import { z } from 'zod';
import { shown as name } from '../network/answers.js';

const text = z.string().optional();
const flag = z.boolean().optional();
const date = z.date();
const list = <T extends z.ZodType>(of: T) => z.array(of).optional();
const rows = (fields: z.ZodRawShape) => list(z.object(fields));
const part = (fields: z.ZodRawShape) => z.object(fields).optional();
const tags = rows({ Key: name, Value: z.string() });
const versions = rows({ Key: z.string().min(1), VersionId: text, LastModified: date.optional() });

/** A policy is JSON, in IAM's answers encoded for a URL. */
const policy = z.string().refine((value) => {
  try {
    const document = JSON.parse(value.startsWith('{') ? value : decodeURIComponent(value)) as { Statement?: unknown } | null;
    return [document?.Statement].flat().every((one) => one !== null && typeof one === 'object');
  } catch {
    return false;
  }
}, 'expected a policy');

const SESSION = z.object({ AccessKeyId: name, SecretAccessKey: name, SessionToken: z.string().min(1), Expiration: date });

const changed = { CreationTime: date, LastUpdatedTime: date.optional() };

/** The fields that are read of AWS's answers, by the SDK's names of their commands. The SDK makes them of XML and JSON, and believes what it finds. */
const FIELDS: Readonly<Record<string, z.ZodRawShape>> = {
  AssumeRole: { Credentials: SESSION },
  CreateAccessKey: { AccessKey: z.object({ AccessKeyId: name, SecretAccessKey: name, CreateDate: date.optional() }) },
  DeleteObjects: { Errors: rows({ Key: text, Code: text, Message: text }) },
  DescribeChangeSet: { Status: text, StatusReason: text, ExecutionStatus: text },
  DescribeStackEvents: { StackEvents: rows({ LogicalResourceId: text, ResourceStatus: text, ResourceStatusReason: text }) },
  DescribeStacks: {
    Stacks: rows({ StackStatus: name, ...changed, Outputs: rows({ OutputKey: name, OutputValue: z.string() }), Tags: tags }),
  },
  GetAccessKeyLastUsed: { UserName: name.optional(), AccessKeyLastUsed: part({ LastUsedDate: date.optional(), ServiceName: text }) },
  GetBucketEncryption: {
    ServerSideEncryptionConfiguration: part({
      Rules: rows({ ApplyServerSideEncryptionByDefault: part({ SSEAlgorithm: text, KMSMasterKeyID: text }) }),
    }),
  },
  GetBucketOwnershipControls: { OwnershipControls: part({ Rules: rows({ ObjectOwnership: text }) }) },
  GetBucketPolicy: { Policy: policy.optional() },
  GetBucketTagging: { TagSet: tags },
  GetBucketVersioning: { Status: text },
  GetCallerIdentity: { Account: z.string().regex(/^\d{12}$/, 'expected an account'), Arn: name },
  GetFederationToken: { Credentials: SESSION },
  GetObject: { ETag: name, LastModified: date },
  GetPublicAccessBlock: {
    PublicAccessBlockConfiguration: part({
      ...{ BlockPublicAcls: flag, IgnorePublicAcls: flag, BlockPublicPolicy: flag, RestrictPublicBuckets: flag },
    }),
  },
  GetSecretValue: { SecretString: text },
  GetTemplate: { TemplateBody: text },
  GetUserPolicy: { PolicyDocument: policy },
  HeadBucket: { BucketRegion: name.optional() },
  ListAccessKeys: { AccessKeyMetadata: rows({ AccessKeyId: name, Status: z.enum(['Active', 'Inactive', 'Expired']), CreateDate: date }) },
  ListAttachedUserPolicies: { AttachedPolicies: rows({ PolicyName: name }), IsTruncated: flag, Marker: text },
  ListBuckets: { Buckets: rows({ Name: name, CreationDate: date.optional() }), ContinuationToken: text },
  ListEntitiesForPolicy: { PolicyUsers: rows({ UserName: name }), IsTruncated: flag, Marker: text },
  ListGroupsForUser: { Groups: rows({ GroupName: name }) },
  ListObjectVersions: { Versions: versions, DeleteMarkers: versions, IsTruncated: flag, NextKeyMarker: text, NextVersionIdMarker: text },
  ListObjectsV2: {
    Contents: rows({ Key: z.string().min(1), Size: z.number().optional(), LastModified: date.optional() }),
    ...{ IsTruncated: flag, NextContinuationToken: text },
  },
  ListPolicies: { Policies: rows({ PolicyName: name, Arn: name }), IsTruncated: flag, Marker: text },
  ListSecretVersionIds: { Versions: rows({ VersionId: name, VersionStages: list(name) }), NextToken: text },
  ListStackResources: {
    StackResourceSummaries: rows({ ResourceType: name, PhysicalResourceId: text, ResourceStatus: text }),
    NextToken: text,
  },
  ListChangeSets: { Summaries: rows({ ChangeSetName: name }) },
  ListStacks: { StackSummaries: rows({ StackName: name, StackStatus: text, ...changed }), NextToken: text },
  ListUserPolicies: { PolicyNames: list(name) },
  ListUserTags: { Tags: tags },
  ListUsers: { Users: rows({ UserName: name, Path: name }), IsTruncated: flag, Marker: text },
  PutObject: { ETag: name },
};

export const SHAPES = new Map(Object.entries(FIELDS).map(([command, fields]) => [command, z.object(fields)]));
