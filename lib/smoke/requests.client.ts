import type { KitConfig, Team } from '../config/model.js';
import type { KeyPair } from '../contract/index.js';
import { halcyonRequest, storeOf, type HalcyonRequest } from '../storage/halcyon-requests.js';
import type { Refusal } from '../storage/refusal.js';
import { classifyRefusal } from '../storage/refusals.js';
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

/** Whose requests they are: for asking S3 why it refuses. */
interface Asker {
  readonly config: KitConfig;
  readonly team: Team;
  readonly key?: KeyPair;
}

/** What a one-off dyno sees of our config vars, and what Halcyon's requests come to there. */
export async function proveRequests(
  run: Run,
  app: string,
  { release, expected, ...asker }: Asker & { readonly release?: number; readonly expected: ExpectedConfigVars },
): Promise<DynoRequests> {
  run.say("trying Halcyon's requests on a one-off dyno");
  const list = run.store ? attempts(run.store.scope) : [];
  const dyno = await runFor(run, app, dynoScript(run.name, expected, list), { timeToLive: 600, release });
  const tried = list.map((attempt, number) => ({ attempt, outcome: dyno.outcomes.get(number) }));
  return {
    dyno,
    tried,
    refusals: await diagnose(run, tried, asker),
    proofs: [configVarProof('dyno', dyno.seen), ...tried.map(({ attempt, outcome }) => attemptProof(attempt, outcome))],
  };
}

/**
 * Where a key failed at what it should do: ask S3 the same from here, with the same key, where its answer can be read whole. A dyno
 * shows no more than a status. @returns the reasons, each once; empty where nothing failed, or where it works from here.
 */
async function diagnose({ name, network, signal }: Run, tried: readonly Tried[], { config, team, key }: Asker): Promise<Refusal[]> {
  const failed = tried.filter(({ attempt, outcome }) => attempt.expected === 'allowed' && !attemptProof(attempt, outcome).ok);
  if (failed.length === 0 || key === undefined || team.bucket === undefined) return [];
  const store = storeOf(config, team.bucket, key);
  const upload: HalcyonRequest = { operation: 'upload', key: `${name}/diagnosis`, body: Buffer.from(name) };
  const deletion: HalcyonRequest = { operation: 'delete', key: `${name}/kept` };
  const requests: Record<Attempt['operation'], HalcyonRequest> = {
    get: { operation: 'download', key: `${name}/present` },
    list: { operation: 'list', prefix: `${name}/` },
    put: upload,
    archive: upload,
    delete: deletion,
    clean: deletion,
  };
  const refusals = new Map<string, Refusal>();
  for (const request of new Set(failed.map(({ attempt }) => requests[attempt.operation]))) {
    const answer = await halcyonRequest(store, request, { network, signal });
    const refusal = classifyRefusal(answer, { ...store, keyId: key.accessKeyId, team: team.name });
    if (refusal && !refusals.has(refusal.kind)) refusals.set(refusal.kind, refusal);
  }
  return [...refusals.values()];
}
