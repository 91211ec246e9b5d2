import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isKitError } from '../lib/errors.js';
import { inStep, type IoHost } from '../lib/io/io-host.js';
import { redact } from '../lib/io/redaction.js';
import type { Proof } from '../lib/smoke/report.js';
import { ASK, known, s3 } from './ask.client.js';
import { Fleet } from './fleet.client.js';
import { openGround } from './ground.client.js';
import { probeGround } from './probe-ground.client.js';
import { PROBES, type ProbeName } from './probes.plan.js';
import { proofOf, type Kit, type Run, type Stage, type StageOf } from './run.js';
import { scrub, sweep } from './things.client.js';

export interface AcceptOptions {
  /** The probes alone, without a fleet. */
  readonly probes?: boolean;
  /** Leave the fleet until it expires. */
  readonly keep?: boolean;
}

/** Sweep, make, prove, take down. Whatever ends it, what it made goes, unless it is to be kept. */
export async function acceptRun(run: Run, kit: Kit, options: AcceptOptions): Promise<Stage[]> {
  const stages: Stage[] = [];
  const stage = stageOf(run, stages);
  await inStep(
    run.host.io,
    'sweeping what earlier runs left',
    () => sweep(run),
    (ids) => ids.join(', ') || 'nothing',
  );
  const dir = await mkdtemp(join(tmpdir(), 'halcyon-accept-'));
  let kept = false;
  let leave: ((kept: boolean) => Promise<void>) | undefined;
  try {
    const ground = await openGround(run);
    leave = ground.leave;
    await stage('Probes', () => askAll(run));
    await scrub(run, { ground: false });
    if (options.probes) return stages;
    const fleet = new Fleet(run, quiet(kit), dir, ground.buildpack);
    await fleet.live(stage);
    kept = options.keep === true;
    if (!kept) await fleet.end(stage);
    return stages;
  } finally {
    await leave?.(kept);
    await rm(dir, { recursive: true, force: true });
    if (!kept) await inStep(run.host.io, `removing what is left of run ${run.id}`, () => scrub(run));
  }
}

/** Record what `work` proves; that it cannot be done is a proof that does not hold. */
const stageOf =
  ({ host }: Run, stages: Stage[]): StageOf =>
  async (title, work) => {
    host.signal.throwIfAborted();
    const began = Date.now();
    const step = host.io.step(title);
    const failed = (error: unknown): readonly Proof[] => {
      if (!host.signal.aborted) return [proofOf('it comes to its end', 'yes', redact(isKitError(error) ? error.message : String(error)))];
      step.fail('stopped');
      throw host.signal.reason;
    };
    const proofs = await work().catch(failed);
    const held = proofs.filter(({ ok }) => ok).length;
    stages.push({ title, seconds: (Date.now() - began) / 1000, proofs });
    const bad = proofs.find(({ ok }) => !ok);
    if (bad === undefined) step.done(`${held} proofs hold`);
    else step.fail(`${held} of ${proofs.length} proofs hold; ${bad.proof}: ${bad.observed}, expected ${bad.expected}`);
    return bad === undefined;
  };

async function askAll(run: Run): Promise<Proof[]> {
  const ground = await probeGround(run);
  // IAM takes some seconds to know the keys everywhere.
  for (const key of [ground.wide, ground.narrow]) await known(ground, () => s3(ground, { key }));
  const proofs: Proof[] = [];
  for (const name of Object.keys(PROBES) as ProbeName[]) {
    run.host.signal.throwIfAborted();
    const answer = await ASK[name](ground).catch((error: unknown) => redact(String(error)));
    // What was measured besides stands in brackets.
    const [observed = '', more] = answer.split(/ \(|\)$/);
    proofs.push(proofOf(`${name}: ${PROBES[name].question}`, PROBES[name].assumed, observed, more));
  }
  return proofs;
}

/** Commands say what they do with --verbose only: the stages are the progress. */
const quiet =
  (kit: Kit): Kit =>
  (args, host) => {
    const io: IoHost = {
      info: (text) => host.io.debug(text),
      debug: (text) => host.io.debug(text),
      warn: (text) => host.io.debug(text),
      step: (title) => {
        host.io.debug(title);
        return { update() {}, done() {}, fail: (outcome) => host.io.debug(`${title}: ${outcome}`) };
      },
    };
    return kit(args, { ...host, io, confirm: async () => true });
  };
