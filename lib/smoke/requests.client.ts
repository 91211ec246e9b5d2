import type { Network } from '../network/network.js';
import type { Team } from '../config/model.js';
import type { AppStorage, KeyPair } from '../contract/index.js';
import { halcyonRequest, type HalcyonRequest } from '../storage/halcyon-requests.js';
import { classifyRefusal, type Refusal } from '../storage/refusals.js';
import type { Run } from './context.js';
import { configVarProof, type ExpectedConfigVars } from './config-vars.plan.js';
import { runFor, type DynoRun } from './dyno.client.js';
import type { Proof } from './report.js';
import { attemptProof, attempts, type Attempt, type Tried } from './requests.plan.js';
import { dynoScript } from './script.js';

export interface DynoRequests {
  readonly dyno: DynoRun;
  readonly tried: readonly Tried[];
  readonly refusals: readonly Refusal[];
  readonly proofs: readonly Proof[];
}

/** What a one-off dyno sees of our config vars, and what Halcyon's requests come to there. */
export async function proveRequests(
  run: Run,
  app: string,
  options: {
    readonly release?: number;
    readonly expected: ExpectedConfigVars;
    /** For asking S3 why it refuses. */
    readonly team: Team;
    readonly key?: KeyPair;
    readonly signing: 2 | 4;
  },
): Promise<DynoRequests> {
  const { release, expected, ...principal } = options;
  run.say("trying Halcyon's requests on a one-off dyno");
  const list = run.store ? attempts(run.store.scope) : [];
  const dyno = await runFor(run, app, dynoScript(run.name, expected, list), { timeToLive: 600, release });
  const tried = list.map((attempt, number) => ({ attempt, outcome: dyno.outcomes.get(number) }));
  return {
    dyno,
    tried,
    refusals: await diagnose(tried, { ...principal, storage: run.storage, run: run.name, network: run.network, signal: run.signal }),
    proofs: [configVarProof('dyno', dyno.seen), ...tried.map(({ attempt, outcome }) => attemptProof(attempt, outcome))],
  };
}

/**
 * Where a key failed at what it should do: ask S3 the same from here, with the same key, where its answer can be read whole. A dyno
 * shows no more than a status. @returns the reasons, each once; empty where nothing failed, or where it works from here.
 */
async function diagnose(
  tried: readonly Tried[],
  where: { team: Team; storage: AppStorage; key?: KeyPair; signing: 2 | 4; run: string; network: Network; signal?: AbortSignal },
): Promise<Refusal[]> {
  const { team, storage, key, run, signing, network, signal } = where;
  const spec = team.bucket?.spec;
  const failed = tried.filter(({ attempt, outcome }) => attempt.expected === 'allowed' && !attemptProof(attempt, outcome).ok);
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
    const answer = await halcyonRequest(store, request, { network, signal });
    const refusal = classifyRefusal(answer, { ...store, keyId: key.accessKeyId, team: team.name });
    if (refusal && !refusals.some(({ kind }) => kind === refusal.kind)) refusals.push(refusal);
  }
  return refusals;
}
