import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import { ownedBy } from '../aws/bucket.js';
import { failure } from '../aws/errors.js';
import type { KitConfig, Team, TeamBucket } from '../config/model.js';
import { differing, keyPrefix, type Access, type ConfigVarName, type KeyPair } from '../contract/index.js';
import type { Vault } from '../engine/run/vault.js';
import { halcyonRequest, isDone, storeOf, type HalcyonRequest, type HalcyonStore, type Outcome } from '../storage/halcyon-requests.js';
import type { RefusalContext } from '../storage/refusals.js';
import { desiredOf, type AppFacts, type PrincipalFacts, type ProbeFacts } from './model.js';

/** What the probes of one team share. */
export interface Probing {
  readonly config: KitConfig;
  readonly team: Team;
  readonly bucket: TeamBucket;
  readonly principals: readonly PrincipalFacts[];
  /** The operator's: removes what a probe left. */
  readonly aws: Aws;
  /** Also upload and delete an object as each principal; what its access denies is tried as well. */
  readonly writeProbe: boolean;
  readonly signal?: AbortSignal;
}

/** The requests of a declared principal's current key. */
export async function probePrincipal(probing: Probing, principal: PrincipalFacts, vault: Vault): Promise<PrincipalFacts> {
  const key = vault.pairOf(principal.current);
  if (!principal.declared || key === undefined) return principal;
  const store = storeOf(probing.config, probing.bucket, key);
  return { ...principal, probe: await probe(probing, store, principal.id.access, probing.writeProbe) };
}

/** What a storage request of an app depends on. */
const OF_REQUESTS: readonly ConfigVarName[] = [
  'HALCYON_AWS_SECRET_ACCESS_KEY',
  'HALCYON_S3_BUCKET',
  'HALCYON_S3_ENDPOINT',
  'HALCYON_S3_REGION',
];

/** An app that has what its principal has is answered as that is; another is asked for with its own config vars. */
export async function probeApp(probing: Probing, app: AppFacts, key: KeyPair | undefined): Promise<AppFacts> {
  const { vars } = app;
  const desired = desiredOf(app, probing.principals);
  const [bucket = '', ...rest] = (vars.HALCYON_S3_BUCKET ?? '').split('/');
  const endpoint = vars.HALCYON_S3_ENDPOINT;
  const same = !differing(vars, desired).some((name) => OF_REQUESTS.includes(name));
  // With another key, what matters is which one, and IAM has said what has become of it.
  const otherKey = vars.HALCYON_AWS_ACCESS_KEY_ID !== desired.HALCYON_AWS_ACCESS_KEY_ID;
  if (key === undefined || !bucket || !endpoint || same || otherKey) return app;
  const own = storeOf(probing.config, probing.bucket, key);
  const prefix = rest.length > 0 ? rest.join('/') : undefined;
  const store = { ...own, endpoint, region: vars.HALCYON_S3_REGION ?? own.region, bucket, prefix };
  return { ...app, probe: await probe(probing, store, 'read-only', false) };
}

function contextOf(store: HalcyonStore, { team, principals }: Probing): RefusalContext {
  const { endpoint, region, bucket, acl, signing, key } = store;
  const known = principals.flatMap(({ keys }) => keys).find(({ id }) => id === key.accessKeyId);
  return { endpoint, region, bucket, acl, signing, keyId: key.accessKeyId, keyStatus: known?.status ?? 'absent', team: team.name };
}

/** Under a prefix of its own, where no build looks. */
const PROBE_PREFIX = 'halcyon-kit-doctor/';

/** The requests that Halcyon makes, as the key makes them. Without `write` nothing is changed. */
async function probe(probing: Probing, store: HalcyonStore, access: Access, write: boolean): Promise<ProbeFacts> {
  const { aws, signal } = probing;
  const context = contextOf(store, probing);
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const results: Array<ProbeFacts['results'][number]> = [];
  const send = async (request: HalcyonRequest, expected: 'allowed' | 'denied'): Promise<Outcome> => {
    const outcome = await halcyonRequest(store, request, { network: aws.network, signal });
    const { operation, status, error, failure, clockAheadMs } = outcome;
    results.push({ operation, status, error, failure, clockAheadMs, expected });
    return outcome;
  };
  // What is not there: a cache miss is the answer to hope for.
  const first = await send({ operation: 'download', key }, 'allowed');
  // Where nobody answers there is nothing more to learn.
  if (first.failure !== undefined) return { context, results };
  await send({ operation: 'list', prefix: 'linux-' }, 'allowed');
  if (!write) return { context, results };
  const body = Buffer.from(`halcyon-kit doctor ${key}\n`);
  const done = (operation: string) => results.some((result) => result.operation === operation && isDone(result));
  let left: string | undefined;
  try {
    await send({ operation: 'upload', key, body }, access === 'read-only' ? 'denied' : 'allowed');
    await send({ operation: 'delete', key }, access === 'upload' ? 'allowed' : 'denied');
  } finally {
    if (done('upload') && !done('delete')) left = await remove(probing, store, key);
  }
  return { context, results, ...(left === undefined ? {} : { left }) };
}

/** @returns why it could not: no reason to find out nothing else. */
async function remove({ aws, bucket }: Probing, store: HalcyonStore, key: string): Promise<string | undefined> {
  const { account } = bucket.spec;
  const Key = `${keyPrefix(store.prefix)}${key}`;
  const [s3, { DeleteObjectCommand }] = await Promise.all([aws.s3(), import('@aws-sdk/client-s3')]);
  const removing = s3.send(new DeleteObjectCommand({ ...ownedBy({ name: store.bucket, account }), Key }));
  return removing.then(
    () => undefined,
    (error: unknown) => failure(error, `remove s3://${store.bucket}/${Key}`).message,
  );
}
