import type { Team } from '../config/model.js';
import type { AppStorage, KeyPair } from '../contract/index.js';
import type { Network } from '../network/network.js';
import { classifyRefusal, type Refusal } from '../storage/refusals.js';
import { halcyonRequest, type HalcyonRequest } from '../storage/halcyon-requests.js';
import { judgeAttempt, type Attempt } from './proofs.plan.js';

/**
 * Where a key failed at what it should do: ask S3 the same from here, with the same key, where its answer can be read whole. A dyno
 * shows no more than a status. @returns the reasons, each once; empty where nothing failed, or where it works from here.
 */
export async function diagnose(
  tried: ReadonlyArray<{ attempt: Attempt; outcome?: string }>,
  where: { team: Team; storage: AppStorage; key?: KeyPair; signing: 2 | 4; run: string; network: Network; signal?: AbortSignal },
): Promise<Refusal[]> {
  const { team, storage, key, run, signing, network, signal } = where;
  const spec = team.bucket?.spec;
  const failed = tried.filter(({ attempt, outcome }) => attempt.expected === 'allowed' && !judgeAttempt(attempt, outcome).ok);
  if (failed.length === 0 || !key || !spec || !storage.endpoint || !storage.acl) return [];
  const store = {
    endpoint: storage.endpoint,
    region: spec.region,
    bucket: spec.name,
    acl: storage.acl,
    signing,
    key,
    ...(storage.prefix ? { prefix: storage.prefix } : {}),
  };
  const requests: Record<Attempt['operation'], HalcyonRequest> = {
    get: { operation: 'download', key: `${run}/present` },
    list: { operation: 'list', prefix: `${run}/` },
    put: { operation: 'upload', key: `${run}/diagnosis`, body: Buffer.from(run) },
    delete: { operation: 'delete', key: `${run}/kept` },
  };
  const refusals: Refusal[] = [];
  for (const operation of new Set(failed.map(({ attempt }) => attempt.operation))) {
    const outcome = await halcyonRequest(store, requests[operation], { network, signal });
    const refusal = classifyRefusal(outcome, { ...store, keyId: key.accessKeyId, team: team.name });
    if (refusal && !refusals.some(({ kind }) => kind === refusal.kind)) refusals.push(refusal);
  }
  return refusals;
}
