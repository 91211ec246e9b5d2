import { randomUUID } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import { ownedBy } from '../aws/bucket.js';
import type { KitConfig, Team } from '../config/model.js';
import { differing, keyPrefix, type Access, type ConfigVarName, type KeyPair } from '../contract/index.js';
import type { Vault } from '../engine/run/vault.js';
import { halcyonRequest, isDone, storeOf, type HalcyonRequest, type HalcyonStore, type Outcome } from '../storage/halcyon-requests.js';
import type { RefusalContext } from '../storage/refusals.js';
import { desiredOf, type AppFacts, type PrincipalFacts, type ProbeFacts } from './model.js';

/** What the probes of one team share. */
export interface Probing {
  readonly config: KitConfig;
  readonly team: Team;
  readonly principals: readonly PrincipalFacts[];
  readonly aws?: Aws;
  readonly writeProbe: boolean;
  readonly signal?: AbortSignal;
}

/** The requests of a declared principal's current key. */
export async function probePrincipal(probing: Probing, principal: PrincipalFacts, vault: Vault): Promise<PrincipalFacts> {
  const { config, team, aws, writeProbe: write, signal } = probing;
  const { current } = principal;
  const secretAccessKey = current === undefined ? undefined : vault.secretOf(current);
  if (team.bucket === undefined || aws === undefined || !principal.declared || current === undefined || secretAccessKey === undefined)
    return principal;
  const { spec } = team.bucket;
  const store = storeOf(config, team.bucket, { accessKeyId: current, secretAccessKey });
  const context = contextOf(store, team, [principal]);
  return {
    ...principal,
    probe: await probe({ store, access: principal.id.access, context, write, signal, operator: aws, account: spec.account }),
  };
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
  const { config, team, principals, aws, signal } = probing;
  const { vars } = app;
  const desired = desiredOf(app, principals);
  const [bucket = '', ...rest] = (vars.HALCYON_S3_BUCKET ?? '').split('/');
  const endpoint = vars.HALCYON_S3_ENDPOINT;
  const same = !differing(vars, desired).some((name) => OF_REQUESTS.includes(name));
  // With another key, what matters is which one, and IAM has said what has become of it.
  const otherKey = vars.HALCYON_AWS_ACCESS_KEY_ID !== desired.HALCYON_AWS_ACCESS_KEY_ID;
  if (key === undefined || aws === undefined || team.bucket === undefined || !bucket || !endpoint || same || otherKey) return app;
  const { spec } = team.bucket;
  const region = vars.HALCYON_S3_REGION ?? spec.region;
  const store = { ...storeOf(config, team.bucket, key), endpoint, region, bucket, prefix: rest.length > 0 ? rest.join('/') : undefined };
  const context = contextOf(store, team, principals);
  return {
    ...app,
    probe: await probe({ store, context, operator: aws, account: spec.account, signal, access: 'read-only', write: false }),
  };
}

function contextOf(store: HalcyonStore, team: Team, principals: readonly PrincipalFacts[]): RefusalContext {
  const { endpoint, region, bucket, acl, signing, key } = store;
  const known = principals.flatMap(({ keys }) => keys).find(({ id }) => id === key.accessKeyId);
  return { endpoint, region, bucket, acl, signing, keyId: key.accessKeyId, keyStatus: known?.status ?? 'absent', team: team.name };
}

interface ProbeOptions {
  readonly store: HalcyonStore;
  readonly access: Access;
  readonly context: RefusalContext;
  /** Also upload and delete an object; what the access denies is tried as well. */
  readonly write: boolean;
  readonly signal?: AbortSignal;
  /** Removes what a probe left, with the operator's own rights. */
  readonly operator: Aws;
  readonly account: string;
}

/** Under a prefix of its own, where no build looks. */
const PROBE_PREFIX = 'halcyon-kit-doctor/';

/** The requests that Halcyon makes, as the key makes them. Without `write` nothing is changed. */
async function probe(options: ProbeOptions): Promise<ProbeFacts> {
  const { store, access, context, write, signal } = options;
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const results: Array<ProbeFacts['results'][number]> = [];
  const send = async (request: HalcyonRequest, expected: 'allowed' | 'denied'): Promise<Outcome> => {
    const outcome = await halcyonRequest(store, request, { network: options.operator.network, signal });
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
  try {
    await send({ operation: 'upload', key, body }, access === 'read-only' ? 'denied' : 'allowed');
    await send({ operation: 'delete', key }, access === 'upload' ? 'allowed' : 'denied');
  } finally {
    const done = (operation: string) => results.some((result) => result.operation === operation && isDone(result));
    if (done('upload') && !done('delete')) await remove(options, key);
  }
  return { context, results };
}

async function remove({ operator, store, account }: ProbeOptions, key: string): Promise<void> {
  const [s3, { DeleteObjectCommand }] = await Promise.all([operator.s3(), import('@aws-sdk/client-s3')]);
  await s3.send(new DeleteObjectCommand({ ...ownedBy({ name: store.bucket, account }), Key: `${keyPrefix(store.prefix)}${key}` }));
}
