import { z } from 'zod';

/**
 * The answers of AWS that are read, as far as they are, by the SDK's names of their commands. The SDK makes them of XML and JSON, and believes
 * what it finds.
 */
const name = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'control characters');
const text = z.string().optional();
const flag = z.boolean().optional();
const date = z.date();
const list = <T extends z.ZodType>(of: T) => z.array(of).optional();
const tags = list(z.object({ Key: name, Value: z.string() }));
const named = <K extends string>(field: K) => list(z.object({ [field]: name }));

/** A policy is JSON, in IAM's answers encoded for a URL. */
const policy = z.string().refine((value) => {
  try {
    const document = JSON.parse(value.startsWith('{') ? value : decodeURIComponent(value)) as { Statement?: unknown } | null;
    return [document?.Statement].flat().every((one) => one !== null && typeof one === 'object');
  } catch {
    return false;
  }
}, 'expected a policy');

const stackResources = list(z.object({ ResourceType: name, PhysicalResourceId: text, ResourceStatus: text }));
const stack = z.object({
  StackStatus: name,
  Outputs: list(z.object({ OutputKey: name, OutputValue: z.string() })),
  Tags: tags,
});
const stackEvents = list(z.object({ LogicalResourceId: text, ResourceStatus: text, ResourceStatusReason: text }));
const objects = list(z.object({ Key: z.string().min(1), Size: z.number().optional(), LastModified: date.optional() }));
const versions = list(z.object({ Key: z.string().min(1), VersionId: text, LastModified: date.optional() }));
const key = z.object({ AccessKeyId: name, Status: z.enum(['Active', 'Inactive', 'Expired']), CreateDate: date });

export const SHAPES: Readonly<Record<string, z.ZodType>> = {
  CreateAccessKey: z.object({ AccessKey: z.object({ AccessKeyId: name, SecretAccessKey: name, CreateDate: date.optional() }) }),
  DeleteObjects: z.object({ Errors: list(z.object({ Key: text, Code: text, Message: text })) }),
  DescribeChangeSet: z.object({ Status: text, StatusReason: text, ExecutionStatus: text }),
  DescribeStackEvents: z.object({ StackEvents: stackEvents }),
  DescribeStacks: z.object({ Stacks: list(stack) }),
  GetAccessKeyLastUsed: z.object({ AccessKeyLastUsed: z.object({ LastUsedDate: date.optional(), ServiceName: text }).optional() }),
  GetBucketEncryption: z.object({
    ServerSideEncryptionConfiguration: z
      .object({
        Rules: list(
          z.object({
            ApplyServerSideEncryptionByDefault: z.object({ SSEAlgorithm: text, KMSMasterKeyID: text }).optional(),
          }),
        ),
      })
      .optional(),
  }),
  GetBucketOwnershipControls: z.object({ OwnershipControls: z.object({ Rules: list(z.object({ ObjectOwnership: text })) }).optional() }),
  GetBucketPolicy: z.object({ Policy: policy.optional() }),
  GetBucketTagging: z.object({ TagSet: tags }),
  GetBucketVersioning: z.object({ Status: text }),
  GetCallerIdentity: z.object({ Account: z.string().regex(/^\d{12}$/, 'expected an account'), Arn: name }),
  GetObject: z.object({ ETag: name, LastModified: date }),
  GetPublicAccessBlock: z.object({
    PublicAccessBlockConfiguration: z
      .object({ BlockPublicAcls: flag, IgnorePublicAcls: flag, BlockPublicPolicy: flag, RestrictPublicBuckets: flag })
      .optional(),
  }),
  GetSecretValue: z.object({ SecretString: text }),
  GetTemplate: z.object({ TemplateBody: text }),
  GetUserPolicy: z.object({ PolicyDocument: policy }),
  HeadBucket: z.object({ BucketRegion: name.optional() }),
  ListAccessKeys: z.object({ AccessKeyMetadata: list(key) }),
  ListAttachedUserPolicies: z.object({ AttachedPolicies: named('PolicyName'), IsTruncated: flag, Marker: text }),
  ListGroupsForUser: z.object({ Groups: named('GroupName') }),
  ListObjectVersions: z.object({
    ...{ Versions: versions, DeleteMarkers: versions, IsTruncated: flag, NextKeyMarker: text, NextVersionIdMarker: text },
  }),
  ListObjectsV2: z.object({ Contents: objects, IsTruncated: flag, NextContinuationToken: text }),
  ListSecretVersionIds: z.object({ Versions: list(z.object({ VersionId: name, VersionStages: list(name) })), NextToken: text }),
  ListStackResources: z.object({ StackResourceSummaries: stackResources, NextToken: text }),
  ListStacks: z.object({ StackSummaries: list(z.object({ StackName: name, StackStatus: text })), NextToken: text }),
  ListUserPolicies: z.object({ PolicyNames: list(name) }),
  ListUserTags: z.object({ Tags: tags }),
  ListUsers: z.object({ Users: list(z.object({ UserName: name, Path: name })), IsTruncated: flag, Marker: text }),
  PutObject: z.object({ ETag: name }),
};
