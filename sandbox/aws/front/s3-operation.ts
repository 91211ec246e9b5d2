/** Names of S3 operations, as in the API reference, from method, target and query. For the log and to choose rules by. */

const SUBRESOURCES: ReadonlyArray<readonly [parameter: string, noun: string]> = [
  ['policy', 'BucketPolicy'],
  ['policyStatus', 'BucketPolicyStatus'],
  ['location', 'BucketLocation'],
  ['versioning', 'BucketVersioning'],
  ['ownershipControls', 'BucketOwnershipControls'],
  ['publicAccessBlock', 'PublicAccessBlock'],
  ['encryption', 'BucketEncryption'],
  ['lifecycle', 'BucketLifecycleConfiguration'],
  ['cors', 'BucketCors'],
  ['website', 'BucketWebsite'],
  ['logging', 'BucketLogging'],
  ['notification', 'BucketNotificationConfiguration'],
  ['replication', 'BucketReplication'],
  ['object-lock', 'ObjectLockConfiguration'],
];
const VERBS: Readonly<Record<string, string>> = { GET: 'Get', HEAD: 'Get', PUT: 'Put', DELETE: 'Delete', POST: 'Post' };

export const verbOf = (method: string): string => VERBS[method] ?? method;

export function s3Operation(
  method: string,
  bucket: string | undefined,
  key: string | undefined,
  query: URLSearchParams,
  copies: boolean,
): string {
  const verb = verbOf(method);
  if (bucket === undefined) return method === 'GET' ? 'ListBuckets' : `${verb}Service`;
  const level = key === undefined ? 'Bucket' : 'Object';
  for (const name of ['acl', 'tagging']) if (query.has(name)) return `${verb}${level}${name === 'acl' ? 'Acl' : 'Tagging'}`;
  if (key === undefined) {
    const sub = SUBRESOURCES.find(([parameter]) => query.has(parameter));
    if (sub !== undefined) return `${verb}${sub[1]}`;
    if (query.has('uploads')) return 'ListMultipartUploads';
    if (query.has('versions')) return 'ListObjectVersions';
    if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
    if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    return { PUT: 'CreateBucket', DELETE: 'DeleteBucket', HEAD: 'HeadBucket' }[method] ?? `${verb}Bucket`;
  }
  if (query.has('uploads')) return 'CreateMultipartUpload';
  if (query.has('uploadId')) {
    const copy = copies ? 'UploadPartCopy' : 'UploadPart';
    return { PUT: copy, POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload', GET: 'ListParts' }[method] ?? verb;
  }
  if (method === 'PUT' && copies) return 'CopyObject';
  return method === 'HEAD' ? 'HeadObject' : `${verb}Object`;
}
