import type { Team } from '../config/model.js';
import type { Refusal } from '../storage/refusals.js';
import type { Run } from './context.js';
import { configVarProof, type ExpectedConfigVars } from './config-vars.plan.js';
import { diagnose } from './diagnose.client.js';
import { runFor, type DynoRun } from './dyno.client.js';
import type { Key } from './key.client.js';
import type { Proof } from './report.js';
import { attemptProof, attempts, type Tried } from './requests.plan.js';
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
    readonly key?: Key;
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
    refusals: await diagnose(tried, { ...principal, storage: run.storage, run: run.name, signal: run.signal }),
    proofs: [configVarProof('dyno', dyno.seen), ...tried.map(({ attempt, outcome }) => attemptProof(attempt, outcome))],
  };
}
