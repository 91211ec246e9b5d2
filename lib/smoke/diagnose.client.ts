import type { Team } from '../config/model.js';
import type { AppStorage } from '../contract/index.js';
import { classifyRefusal, type Refusal } from '../storage/refusals.js';
import { halcyonRequest, type HalcyonRequest } from '../storage/halcyon-requests.js';
import type { Key } from './key.client.js';
import { attemptProof, type Attempt, type Tried } from './requests.plan.js';

/**
 * Where a key failed at what it should do: ask S3 the same from here, with the same key, where its answer can be read whole. A dyno
 * shows no more than a status. @returns the reasons, each once; empty where nothing failed, or where it works from here.
 */
export async function diagnose(
  tried: readonly Tried[],
  where: { team: Team; storage: AppStorage; key?: Key; signing: 2 | 4; run: string; signal?: AbortSignal },
): Promise<Refusal[]> {
  const { team, storage, key, run, signing, signal } = where;
  const spec = team.bucket?.spec;
  const failed = tried.filter(({ attempt, outcome }) => attempt.expected === 'allowed' && !attemptProof(attempt, outcome).ok);
  if (failed.length === 0 || !key || !spec || !storage.endpoint || !storage.acl) return [];
  const store = {
    endpoint: storage.endpoint,
    region: spec.region,
    bucket: spec.name,
    acl: storage.acl,
    signing,
    key: { accessKeyId: key.id, secretAccessKey: key.secret },
    ...(storage.prefix ? { prefix: storage.prefix } : {}),
  };
  const upload: HalcyonRequest = { operation: 'upload', key: `${run}/diagnosis`, body: Buffer.from(run) };
  const deletion: HalcyonRequest = { operation: 'delete', key: `${run}/kept` };
  const requests: Record<Attempt['operation'], HalcyonRequest> = {
    get: { operation: 'download', key: `${run}/present` },
    list: { operation: 'list', prefix: `${run}/` },
    put: upload,
    archive: upload,
    delete: deletion,
    clean: deletion,
  };
  const refusals: Refusal[] = [];
  for (const request of new Set(failed.map(({ attempt }) => requests[attempt.operation]))) {
    const answer = await halcyonRequest(store, request, { signal });
    const refusal = classifyRefusal(answer, { ...store, keyId: key.id, team: team.name });
    if (refusal && !refusals.some(({ kind }) => kind === refusal.kind)) refusals.push(refusal);
  }
  return refusals;
}
