import type { Aws } from '../aws/aws.js';
import { objectsIn, ownedBy, whereabouts } from '../aws/bucket.js';
import type { bucketsOf } from '../config/derive.js';
import type { BucketSpec, Team } from '../config/model.js';
import { keyPrefix } from '../contract/index.js';
import { LARGE_BYTES, LISTED_PAGE, type BucketFacts, type ObjectFacts, type PolicyJson } from './model.js';
import { Reader } from './reader.js';

type BucketInUse = ReturnType<typeof bucketsOf>[number];

/** Read-only. */
export async function bucketFacts(aws: Aws, { spec, kind, teams }: BucketInUse, signal?: AbortSignal): Promise<BucketFacts> {
  const reader = new Reader(signal);
  const base = { name: spec.name, spec, kind, team: teams[0]!.name };
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
    reader.read('objects (s3:ListBucket)', () => countObjects(aws, spec, teams, signal)),
  ]);
  return { ...base, state: 'present', ownership, publicAccess, policy, encryption, versioning, objects, unread: reader.unread };
}

/** So many are counted below each prefix: fifty requests. */
const MOST = 50_000;

/** What one of Halcyon's listings asks for: a directory, and the kind of archive in it (`PLATFORM/ghc-7.8.4/halcyon-install-`). @internal */
export const listedTogether = (key: string): string => /^(?:.*\/)?(?:halcyon-[a-z]+-)?/.exec(key)![0];

async function countObjects(aws: Aws, spec: BucketSpec, teams: readonly Team[], signal?: AbortSignal): Promise<ObjectFacts> {
  const groups = new Map<string, number>();
  const large: Array<{ key: string; bytes: number }> = [];
  let counted = 0;
  let more = false;
  for (const { bucket } of teams) {
    const end = counted + MOST;
    for await (const { key, bytes } of objectsIn(aws, spec, keyPrefix(bucket?.prefix), { signal })) {
      more ||= counted === end;
      if (counted === end) break;
      counted++;
      groups.set(listedTogether(key), (groups.get(listedTogether(key)) ?? 0) + 1);
      if (bytes > LARGE_BYTES) large.push({ key, bytes });
    }
  }
  const crowded = [...groups].filter(([, keys]) => keys > LISTED_PAGE).map(([prefix, keys]) => ({ prefix, keys }));
  return { counted, more, crowded, large };
}
