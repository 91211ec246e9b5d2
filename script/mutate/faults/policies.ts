import { faultsOf } from '../fault.js';

/** What principals may do, and what buckets deny. */
export const POLICIES = [
  ...faultsOf('lib/constructs/policies.ts', {
    'read-only-denial-dropped': [
      `'DenyReadOnlyWrites',\n      [...WRITE_ACTIONS, ...DELETE_ACTIONS]`,
      `'DenyReadOnlyWrites',\n      ['s3:PutBucketAcl']`,
      'guide',
    ],
    'sigv2-denial-dropped': [`options.signing === 4 ? [`, `options.signing < 2 ? [`, 'guide'],
    'append-only-denial-dropped': [
      `deny('DenyAppendOnlyDeletes', DELETE_ACTIONS,`,
      `deny('DenyAppendOnlyDeletes', ['s3:PutBucketAcl'],`,
      'guide',
    ],
    'kit-objects-denial-dropped': [
      `deny('DenyKitObjectWrites', [...WRITE_ACTIONS, ...DELETE_ACTIONS],`,
      `deny('DenyKitObjectWrites', ['s3:PutBucketAcl'],`,
      'requests',
    ],
    'bucket-changes-denial-dropped': [`NotAction: ['s3:ListBucket'],`, `Action: ['s3:GetBucketAcl'],`, 'requests'],
    'plain-http-denial-dropped': [`{ 'aws:SecureTransport': 'false' }`, `{ 'aws:SecureTransport': 'never' }`, 'templates'],
    'old-tls-denial-dropped': [`{ 's3:TlsVersion': '1.2' }`, `{ 's3:TlsVersion': '1.0' }`, 'templates'],
    'kit-objects-of-existing-bucket-open': [`if (writes && !options.prefix) {`, `if (writes && options.prefix === '/') {`, 'requests'],
    'acl-not-insisted-on': [`{ ...owner, 's3:x-amz-acl': acl }`, `owner`, 'requests'],
    'list-not-confined': [`...(options.prefix ? { StringLike:`, `...(options.prefix === '/' ? { StringLike:`, 'requests'],
    'objects-not-confined': ['const objects = `${bucket}/${keyPrefix(options.prefix)}*`', 'const objects = `${bucket}/*`', 'requests'],
    'append-only-may-delete': [`access === 'upload' ? ['s3:DeleteObject'] : []`, `writes ? ['s3:DeleteObject'] : []`, 'requests'],
    'read-only-may-write': [`const writes = access !== 'read-only'`, `const writes = access.length > 0`, 'requests'],
    'owner-not-insisted-on': [`{ 'aws:ResourceAccount': options.bucketAccount }`, `{ 'aws:SecureTransport': 'true' }`, 'requests'],
    'list-missing': [` Action: ['s3:ListBucket'],`, ` Action: ['s3:ListBucketVersions'],`, 'requests'],
    // The local S3 asks for s3:PutObject alone.
    'put-acl-missing': [`Action: ['s3:PutObject', 's3:PutObjectAcl'],`, `Action: ['s3:PutObject'],`, 'templates'],
    'kms-readers-cannot-decrypt': [`['kms:Decrypt', ...(writes`, `[...(writes`, 'templates'],
    'kms-beside-s3': ["'kms:ViaService': `s3.${options.region}.amazonaws.*`", `'kms:ViaService': '*'`, 'templates'],
    'kms-of-other-buckets': [
      "'kms:EncryptionContext:aws:s3:arn': [bucket, objects]",
      `'kms:EncryptionContext:aws:s3:arn': '*'`,
      'templates',
    ],
  }),
  ...faultsOf('lib/contract/names.ts', {
    'prefix-that-begins-alike': ["(prefix ? `${prefix}/` : '')", `prefix ?? ''`, 'requests'],
  }),
  ...faultsOf('lib/constructs/halcyon-bucket.ts', {
    'another-accounts-bucket': [
      `known.set(this, { account, region,`,
      `known.set(this, { account: Stack.of(this).account, region,`,
      'templates',
    ],
    'acls-disabled-where-they-are-used': [`ObjectOwnership.BUCKET_OWNER_PREFERRED`, `ObjectOwnership.BUCKET_OWNER_ENFORCED`, 'requests'],
    'public-acls-blocked': [`blockPublicAcls: false`, `blockPublicAcls: true`, 'requests'],
    'bucket-goes-with-its-stack': [`props.retain === false ?`, `props.retain !== true ?`, 'templates'],
    'public-policy-let-in': [`blockPublicPolicy: true`, `blockPublicPolicy: false`, 'templates'],
  }),
  ...faultsOf('lib/constructs/bucket-base.ts', {
    'grant-denies-elsewhere': [` && !Resource.includes('*')`, ``, 'templates'],
  }),
  ...faultsOf('lib/constructs/halcyon-user.ts', {
    'secret-goes-before-its-user': [`this.user.addResourceDependency(this.secret)`, `void this.secret`, 'templates'],
  }),
];
