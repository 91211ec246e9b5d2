import {
  BUILDPACK_PREFIX,
  DENY_SIGV2,
  IAM_ROOT_PATH,
  KIT_OBJECT_PREFIX,
  keyPrefix,
  principalArnPattern,
  type Access,
  type Acl,
} from '../contract/index.js';

/** The kit's IAM policies as plain JSON: pure, so that they can be measured, shown and compared without the CDK. */

/** One statement, in the JSON of IAM. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocumentJson {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** Characters, white space not counted, of all inline policies of a user (IAM quota). */
export const MAX_USER_POLICY = 2048;

/** Plain HTTP, and TLS older than 1.2. */
const WEAK_TRANSPORT = [{ Bool: { 'aws:SecureTransport': 'false' } }, { NumericLessThan: { 's3:TlsVersion': '1.2' } }] as const;
const WRITE_ACTIONS = ['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectTagging', 's3:PutObjectVersionAcl', 's3:PutObjectVersionTagging'];
const DELETE_ACTIONS = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'];

export const document = (...statements: readonly Statement[]): PolicyDocumentJson => ({ Version: '2012-10-17', Statement: statements });

export interface UserPolicyOptions {
  readonly partition: string;
  readonly bucketName: string;
  /** Account that owns the bucket: Halcyon cannot send an expected-owner header, so the policy insists on it. */
  readonly bucketAccount: string;
  /** Without slashes at its ends. */
  readonly prefix?: string;
  readonly access: Access;
  /** The one canned ACL that uploads must carry. */
  readonly acl: Acl;
  /** Region of the bucket. */
  readonly region: string;
}

/** What a principal may do: the four requests Halcyon makes, as far as its access goes, and nothing else. */
export function userPolicy(options: UserPolicyOptions): PolicyDocumentJson {
  const { access, acl } = options;
  const bucket = `arn:${options.partition}:s3:::${options.bucketName}`;
  const objects = `${bucket}/${keyPrefix(options.prefix)}*`;
  const owner = { 'aws:ResourceAccount': options.bucketAccount };
  const writes = access !== 'read-only';
  const statements: Statement[] = [
    {
      Effect: 'Allow',
      Action: ['s3:GetObject', ...(access === 'upload' ? ['s3:DeleteObject'] : [])],
      Resource: [objects],
      Condition: { StringEquals: owner },
    },
    {
      // Without it a missing key answers 403 instead of 404, and Halcyon cannot clean up.
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [bucket],
      Condition: {
        StringEquals: owner,
        ...(options.prefix ? { StringLike: { 's3:prefix': `${keyPrefix(options.prefix)}*` } } : {}),
      },
    },
  ];
  if (writes) {
    statements.push({
      // Sending `x-amz-acl` needs PutObjectAcl; Halcyon always sends it.
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:PutObjectAcl'],
      Resource: [objects],
      Condition: { StringEquals: { ...owner, 's3:x-amz-acl': acl } },
    });
  }
  if (writes && !options.prefix) {
    // A bucket that is not ours has no policy of ours to keep the lease from the principals.
    statements.push({ Effect: 'Deny', Action: ['s3:Put*', 's3:Delete*'], Resource: [`${bucket}/${KIT_OBJECT_PREFIX}*`] });
  }
  // A key in clear, or nearly so: a bucket that is not ours may have no such rule.
  for (const Condition of WEAK_TRANSPORT) statements.push({ Effect: 'Deny', Action: ['s3:*'], Resource: ['*'], Condition });
  statements.push({
    // Any key, but through S3 and for this bucket's objects alone: the bucket's key can be changed, or taken away, while what it encrypted is
    // still read. The encryption context is the bucket's ARN with a bucket key, else the object's:
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    Effect: 'Allow',
    Action: ['kms:Decrypt', ...(writes ? ['kms:GenerateDataKey'] : [])],
    Resource: [`arn:${options.partition}:kms:${options.region}:*:key/*`],
    Condition: {
      // The trailing star covers the domain of every partition.
      StringLike: { 'kms:ViaService': `s3.${options.region}.amazonaws.*`, 'kms:EncryptionContext:aws:s3:arn': [bucket, objects] },
    },
  });
  return document(...statements);
}

export interface BucketPolicyOptions {
  readonly partition: string;
  readonly bucketName: string;
  /** 4: requests signed with version 2 are refused, whoever signs them. */
  readonly signing: 2 | 4;
}

/**
 * What the bucket denies, whatever an identity policy says: TLS older than 1.2, writes by read-only principals, deletes by append-only
 * ones, and the kit's own objects to all of them. ARN patterns reach principals that other stacks make. Never `NotPrincipal`, which locks out.
 */
export function bucketPolicy(options: BucketPolicyOptions): PolicyDocumentJson {
  const bucket = `arn:${options.partition}:s3:::${options.bucketName}`;
  const everything = [bucket, `${bucket}/*`];
  const deny = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition: Statement['Condition']): Statement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action,
    Resource,
    Condition,
  });
  const by = (pattern: string) => ({ ArnLike: { 'aws:PrincipalArn': pattern } });
  const anyPrincipal = `arn:${options.partition}:iam::*:user${IAM_ROOT_PATH}*`;
  return document(
    deny('DenyPlainHttp', ['s3:*'], everything, WEAK_TRANSPORT[0]),
    deny('DenyOldTls', ['s3:*'], everything, WEAK_TRANSPORT[1]),
    ...(options.signing === 4 ? [deny(DENY_SIGV2, ['s3:*'], everything, { StringEquals: { 's3:signatureversion': 'AWS' } })] : []),
    deny(
      'DenyReadOnlyWrites',
      [...WRITE_ACTIONS, ...DELETE_ACTIONS],
      [`${bucket}/*`],
      by(principalArnPattern(options.partition, 'read-only')),
    ),
    deny('DenyAppendOnlyDeletes', DELETE_ACTIONS, [`${bucket}/*`], by(principalArnPattern(options.partition, 'append-only'))),
    deny('DenyKitObjectWrites', [...WRITE_ACTIONS, ...DELETE_ACTIONS], [`${bucket}/${KIT_OBJECT_PREFIX}*`], by(anyPrincipal)),
    // All but what Halcyon asks of a bucket: complete, whatever S3 learns to change.
    {
      Sid: 'DenyBucketChanges',
      Effect: 'Deny',
      Principal: '*',
      NotAction: ['s3:ListBucket'],
      Resource: [bucket],
      Condition: by(anyPrincipal),
    },
  );
}

/**
 * What keeps the hosted buildpack as it was published, whoever asks: an upload must be conditional on nothing being there, nothing is deleted, and
 * none of that is changed. Only the account's root may, to break the glass; S3 lets it have the policy's last word anyway.
 */
export function buildpackSeal({ partition, account, bucketName }: { partition: string; account: string; bucketName: string }): Statement[] {
  const bucket = `arn:${partition}:s3:::${bucketName}`;
  const others = { ArnNotEquals: { 'aws:PrincipalArn': `arn:${partition}:iam::${account}:root` } };
  const objects = [`${bucket}/${BUILDPACK_PREFIX}*`];
  return [
    {
      ...{ Sid: 'DenyOverwriting', Effect: 'Deny', Principal: '*', Action: ['s3:PutObject'], Resource: objects },
      Condition: { ...others, Null: { 's3:if-none-match': 'true' } },
    },
    // By what is left: complete, whatever S3 learns to do.
    {
      ...{ Sid: 'DenyObjectChanges', Effect: 'Deny', Principal: '*', NotAction: ['s3:GetObject*', 's3:PutObject'], Resource: objects },
      Condition: others,
    },
    {
      ...{ Sid: 'DenyBucketChanges', Effect: 'Deny', Principal: '*', Resource: [bucket], Condition: others },
      NotAction: ['s3:Get*', 's3:List*', 's3:PutBucketTagging', 's3:TagResource', 's3:UntagResource'],
    },
  ];
}

/** How IAM counts an inline policy: characters without white space. */
export const policySize = (policy: PolicyDocumentJson): number => JSON.stringify(policy).replace(/\s/g, '').length;
