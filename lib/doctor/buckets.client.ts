import type * as S3Sdk from '@aws-sdk/client-s3';
import type { Aws } from '../aws/aws.js';
import { ownedBy, whereabouts } from '../aws/bucket.js';
import type { BucketSpec, Team } from '../config/model.js';
import { keyPrefix } from '../contract/index.js';
import { LARGE_BYTES, LISTED_PAGE, type BucketFacts, type ObjectFacts, type PolicyJson } from './model.js';
import { Reader } from './reader.js';

type Sdk = typeof S3Sdk;
type S3Client = S3Sdk.S3Client;

export interface BucketQuestion {
  readonly spec: BucketSpec;
  readonly kind: BucketFacts['kind'];
  readonly team: string;
  /** Prefixes in use; undefined: the whole bucket. */
  readonly prefixes: ReadonlyArray<string | undefined>;
}

/** Every bucket that `teams` use, once. */
export function bucketQuestions(teams: readonly Team[]): BucketQuestion[] {
  const byName = new Map<string, BucketQuestion & { prefixes: Array<string | undefined> }>();
  for (const { name, bucket } of teams) {
    if (bucket === undefined) continue;
    const known = byName.get(bucket.spec.name);
    if (known === undefined) byName.set(bucket.spec.name, { spec: bucket.spec, kind: bucket.kind, team: name, prefixes: [bucket.prefix] });
    else known.prefixes.push(bucket.prefix);
  }
  return [...byName.values()];
}

/** Read-only. */
export async function bucketFacts(aws: Aws, question: BucketQuestion, signal?: AbortSignal): Promise<BucketFacts> {
  const { spec, kind, team } = question;
  const reader = new Reader(signal);
  const base = { name: spec.name, spec, kind, team };
  const sdk = await import('@aws-sdk/client-s3');
  const s3 = await aws.s3();
  const found = await reader.read('the bucket itself', () => whereabouts(aws, spec));
  if (found === undefined) return { ...base, state: 'unknown', unread: reader.unread };
  if (found.state !== 'present') return { ...base, ...found, unread: [] };

  const target = ownedBy(spec);
  const [ownership, publicAccess, policy, encryption, versioning, objects] = await Promise.all([
    reader.readIfAny('object ownership (s3:GetBucketOwnershipControls)', 'bucket ownership', async () => {
      const { OwnershipControls } = await s3.send(new sdk.GetBucketOwnershipControlsCommand(target));
      return OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? null;
    }),
    reader.readIfAny('Block Public Access (s3:GetBucketPublicAccessBlock)', 'public access block', async () => {
      const block = (await s3.send(new sdk.GetPublicAccessBlockCommand(target))).PublicAccessBlockConfiguration;
      const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = block ?? {};
      return { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets };
    }),
    reader.readIfAny(
      'bucket policy (s3:GetBucketPolicy)',
      'bucket policy',
      async () => JSON.parse((await s3.send(new sdk.GetBucketPolicyCommand(target))).Policy ?? '{}') as PolicyJson,
    ),
    reader.readIfAny('default encryption (s3:GetEncryptionConfiguration)', 'bucket encryption', async () => {
      const rules = (await s3.send(new sdk.GetBucketEncryptionCommand(target))).ServerSideEncryptionConfiguration?.Rules;
      const rule = rules?.[0]?.ApplyServerSideEncryptionByDefault;
      return { algorithm: rule?.SSEAlgorithm ?? 'AES256', ...(rule?.KMSMasterKeyID === undefined ? {} : { keyArn: rule.KMSMasterKeyID }) };
    }),
    reader.read('versioning (s3:GetBucketVersioning)', async () => {
      const answer = await s3.send(new sdk.GetBucketVersioningCommand(target));
      return answer.Status === 'Enabled';
    }),
    reader.read('objects (s3:ListBucket)', () => countObjects(sdk, s3, question, signal)),
  ]);
  return { ...base, state: 'present', ownership, publicAccess, policy, encryption, versioning, objects, unread: reader.unread };
}

const MAX_PAGES = 50;

/** What one of Halcyon's listings asks for: a directory, and the kind of archive in it (`PLATFORM/ghc-7.8.4/halcyon-install-`). @internal */
export const listedTogether = (key: string): string => /^(?:.*\/)?(?:halcyon-[a-z]+-)?/.exec(key)![0];

async function countObjects(sdk: Sdk, s3: S3Client, { spec, prefixes }: BucketQuestion, signal?: AbortSignal): Promise<ObjectFacts> {
  const groups = new Map<string, number>();
  const large: Array<{ key: string; bytes: number }> = [];
  let counted = 0;
  let more = false;
  for (const prefix of prefixes) {
    let pages = 0;
    const listing = sdk.paginateListObjectsV2({ client: s3 }, { ...ownedBy(spec), Prefix: keyPrefix(prefix) });
    for await (const { Contents = [], IsTruncated = false } of listing) {
      signal?.throwIfAborted();
      for (const { Key = '', Size = 0 } of Contents) {
        counted++;
        groups.set(listedTogether(Key), (groups.get(listedTogether(Key)) ?? 0) + 1);
        if (Size > LARGE_BYTES) large.push({ key: Key, bytes: Size });
      }
      if (++pages < MAX_PAGES) continue;
      more ||= IsTruncated;
      break;
    }
  }
  const crowded = [...groups].filter(([, keys]) => keys > LISTED_PAGE).map(([prefix, keys]) => ({ prefix, keys }));
  return { counted, more, crowded, large };
}
