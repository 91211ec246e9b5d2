import type { S3Client } from '@aws-sdk/client-s3';
import type { Aws } from '../../aws/aws.js';
import type { TeamBucket } from '../../config/model.js';
import { keyPrefix, type PrincipalId } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import { errorName, failure, httpStatus, isDenied, isMissing, isUnknownKey } from '../../aws/errors.js';
import { halcyonRequest } from '../../storage/halcyon-requests.js';
import { classifyRefusal } from '../../storage/refusals.js';
import type { VerifierPort } from './ports.js';

/** How a request is to end. */
type Expected = 'allowed' | 'missing' | 'denied';

/**
 * Requests as the key itself, on STS and on S3: what its access allows must work, and what it denies must be refused for that reason,
 * not because the key is unknown. Nothing is left in the bucket.
 * @param endpoint - host that apps reach the bucket by.
 */
export function awsVerifier(aws: Aws, bucket: TeamBucket, endpoint: string): VerifierPort {
  const clients = new Map<string, Aws>();
  let takesVersion2 = false;
  return {
    async check(id, key) {
      const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
      const as = clients.get(key.accessKeyId) ?? aws.as(key);
      clients.set(key.accessKeyId, as);
      try {
        await (await as.sts()).send(new GetCallerIdentityCommand({}));
      } catch (error) {
        return notYet('STS', error);
      }
      const s3 = await as.s3();
      for (const { what, expected, writes, send } of await requests(id, bucket)) {
        const problem = await attempt(what, expected, () => send(s3));
        if (problem === 'allowed') {
          if (writes) await removeProbe(aws, bucket);
          throw new KitError(
            'access-too-wide',
            `key ${key.accessKeyId} may ${what}, which its access (${id.access}) must not allow; check the policies of its user and of bucket ${bucket.spec.name}`,
          );
        }
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    async checkVersion2(key) {
      if (takesVersion2) return;
      const { name, region, acl } = bucket.spec;
      const store = { endpoint, region, bucket: name, prefix: bucket.prefix, acl, signing: 2 as const, key };
      const answer = await halcyonRequest(store, { operation: 'download', key: PROBE }, { network: aws.network });
      const refusal = classifyRefusal(answer, { bucket: name, endpoint, region, signing: 2, keyId: key.accessKeyId });
      if (refusal?.kind === 'sigv2-refused') throw new KitError('sigv2-refused', `${refusal.message}; ${refusal.fix}`);
      // A policy that refused version 2 until a moment ago, or a server that does not know the key yet: worth another look.
      if (refusal !== undefined)
        throw new KitError('aws-unavailable', `a request signed with version 2 fails: ${refusal.message}; ${refusal.fix}`);
      takesVersion2 = true;
    },
  };
}

interface Probe {
  readonly what: string;
  readonly expected: Expected;
  /** Where it succeeds, it leaves an object behind. */
  readonly writes?: true;
  send(s3: S3Client): Promise<unknown>;
}

const PROBE = 'halcyon-kit-verify/none';
const probeKey = (bucket: TeamBucket): string => `${keyPrefix(bucket.prefix)}${PROBE}`;

async function requests({ access }: PrincipalId, bucket: TeamBucket): Promise<Probe[]> {
  const sdk = await import('@aws-sdk/client-s3');
  const Bucket = bucket.spec.name;
  const Key = probeKey(bucket);
  const prefix = keyPrefix(bucket.prefix);
  const put = (acl: boolean) =>
    new sdk.PutObjectCommand({ Bucket, Key, Body: Buffer.from('halcyon-kit'), ...(acl ? { ACL: bucket.spec.acl } : {}) });
  return [
    { what: 'GET a missing object', expected: 'missing', send: (s3) => s3.send(new sdk.GetObjectCommand({ Bucket, Key })) },
    {
      what: 'LIST its objects',
      expected: 'allowed',
      send: (s3) => s3.send(new sdk.ListObjectsCommand({ Bucket, Prefix: prefix, MaxKeys: 1 })),
    },
    // Uploads must carry the configured ACL; a key that may only read must not even then.
    access === 'read-only'
      ? { what: 'PUT an object', expected: 'denied', writes: true, send: (s3) => s3.send(put(true)) }
      : { what: 'PUT an object without its ACL', expected: 'denied', writes: true, send: (s3) => s3.send(put(false)) },
    {
      what: 'DELETE an object',
      expected: access === 'upload' ? 'allowed' : 'denied',
      send: (s3) => s3.send(new sdk.DeleteObjectCommand({ Bucket, Key })),
    },
    ...(prefix === ''
      ? []
      : [
          {
            what: 'LIST objects outside its prefix',
            expected: 'denied' as const,
            send: (s3: S3Client) => s3.send(new sdk.ListObjectsCommand({ Bucket, MaxKeys: 1 })),
          },
        ]),
  ];
}

/** Undefined: as expected. `allowed`: it worked and must not. Else why not yet. */
async function attempt(what: string, expected: Expected, send: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await send();
    return expected === 'denied' ? 'allowed' : undefined;
  } catch (error) {
    if (expected === 'missing' && isMissing(error, 'object')) return undefined;
    if (expected === 'denied' && isDenied(error)) return undefined;
    if (isMissing(error, 'bucket')) throw failure(error, what);
    return notYet(`S3 (${what})`, error);
  }
}

function notYet(where: string, error: unknown): string {
  if (isUnknownKey(error)) return `${where} does not know the key yet (${errorName(error)})`;
  return `${where} answers ${httpStatus(error) ?? ''} ${errorName(error)}`.replaceAll('  ', ' ').trim();
}

async function removeProbe(aws: Aws, bucket: TeamBucket): Promise<void> {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  await (await aws.s3()).send(new DeleteObjectCommand({ Bucket: bucket.spec.name, Key: probeKey(bucket) })).catch(() => undefined);
}
