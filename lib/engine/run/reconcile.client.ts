import pMap from 'p-map';
import { KitError } from '../../errors.js';
import { inStep } from '../../io/io-host.js';
import { applyStep, record, type Run } from './apply.client.js';
import { inWords } from '../clock.js';
import { killAtOnce } from './emergency.client.js';
import { keysToReplace, next, type Next } from '../plan/next.plan.js';
import { takeLease, thisProcess } from './lease.client.js';
import type { Intent, Knowledge, Outcome, Step, TeamObservation, Waiting } from '../model.js';
import { needsFlights, observeAll, observeApps, observePrincipals } from './observe.client.js';
import { isTransient } from '../ports/ports.js';

/** More rounds than any team needs: a plan that never ends is a mistake, and stops here. */
const ROUNDS = 2000;
/** Transient failures in a row before giving up. */
const FAILURES = 6;

/** How long IAM's lists may lack what a deployment made. */
const LATE = 60_000;
const LATE_POLL = 2000;

/** What cannot be undone, or may cut someone off: done only on what was seen since the last step. */
const FINAL: ReadonlySet<Step['kind']> = new Set(['deactivate', 'delete-key', 'delete-principal', 'delete-unknown']);

/**
 * Observe, plan, act, until there is nothing left to do, or something must be waited for or settled by a person. Throws nothing but the
 * signal's reason after an abort, and mistakes of its own: what went wrong is in the outcome, with the evidence of what was done before.
 * @param from - an observation made a moment ago: apps are not read again if AWS still says the same.
 */
export async function converge(run: Run, intent: Intent, from?: TeamObservation): Promise<Outcome> {
  let last: Next | undefined;
  try {
    if (intent.kind === 'emergency') {
      const killed = await killAtOnce(run, intent.keyId);
      run.evidence.push(...killed);
      run.began ||= killed.length > 0;
    }
    if (run.ports.lease !== undefined) {
      try {
        const holder = run.holder ?? thisProcess(run.policy.leaseTtl, run.clock.now());
        run.lease = await takeLease(run.ports.lease, holder, run.clock, { isGone: run.isGone });
      } catch (error) {
        // The team goes, and with it the bucket that would have held the lease.
        if (!(intent.kind === 'down' && error instanceof KitError && error.code === 'bucket-missing')) throw error;
      }
    }
    return await rounds(run, intent, from, (made) => (last = made));
  } catch (error) {
    run.signal?.throwIfAborted();
    if (!(error instanceof KitError)) throw error;
    return outcome(run, 'failed', error.message, last, { code: error.code, message: error.message });
  } finally {
    await run.lease.release();
  }
}

async function rounds(run: Run, intent: Intent, from: TeamObservation | undefined, planned: (made: Next) => void): Promise<Outcome> {
  let observation: TeamObservation | undefined;
  let fresh = false;
  let replace: Map<string, string> | undefined;
  let failures = 0;
  const waitUntil = run.clock.now() + run.policy.patience;
  const lateUntil = run.clock.now() + LATE;
  for (let round = 0; round < ROUNDS; round += 1) {
    run.signal?.throwIfAborted();
    try {
      if (observation === undefined) {
        observation = await firstLook(run, from);
        fresh = observation !== from;
      }
      replace ??= keysToReplace(observation, intent, run.policy, run.clock.now());
      const made = next(observation, intent, run.policy, run.clock.now(), knowledge(run, replace));
      planned(made);
      if (isLate(run, made, lateUntil)) {
        await inStep(run.io, 'Waiting for IAM to list what was just deployed', () => run.clock.sleep(LATE_POLL, run.signal));
        observation = from = undefined;
        continue;
      }
      if (made.blocked.length > 0) return outcome(run, 'blocked', made.blocked.map(({ text }) => text).join('; '), made);
      const { steps } = made;
      if (steps.length === 0) {
        if (made.waiting.some(({ kind }) => kind === 'unlooked')) {
          const names = made.waiting.flatMap(({ app }) => (app === undefined ? [] : [app]));
          observation = withApps(observation, await observeApps(run, { names, flights: true }));
          continue;
        }
        const rest = atRest(run, intent, made, waitUntil);
        if (rest !== undefined) return rest;
        await pause(run, made.waiting);
        observation = await lookAgain(run, observation, made.waiting);
        fresh = false;
        continue;
      }
      if (steps.some(({ kind }) => FINAL.has(kind)) && !fresh && !steps.every(isKill)) {
        observation = await observeAll(run);
        fresh = true;
        continue;
      }
      const seen: TeamObservation = observation;
      fresh = false;
      // Whatever happens in the steps, only what is looked at afterwards counts.
      const [touched, problems] = await act(run, steps, seen);
      observation = await lookAfter(run, seen, touched);
      if (problems.length > 0) throw problems[0];
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!isTransient(error) || failures >= FAILURES) throw error;
      const wait = Math.min(500 * 2 ** failures, 15_000);
      record(run, { step: 'retry', text: (error as Error).message });
      run.io.debug(`${(error as Error).message}; looking again in ${inWords(wait)}`);
      await run.clock.sleep(wait, run.signal);
      observation = undefined;
      from = undefined;
    }
  }
  throw new KitError(
    'no-end',
    `the keys of team ${run.team.name} did not come to rest in ${ROUNDS} rounds; see the evidence, and report it`,
  );
}

/** What a deployment has just made, and IAM's lists may not show yet. */
const isLate = (run: Run, { blocked }: Next, until: number): boolean =>
  run.deployed === true &&
  blocked.length > 0 &&
  run.clock.now() < until &&
  blocked.every(({ code }) => code === 'user-missing' || code === 'secret-missing');

const isKill = (step: Step): boolean => step.kind === 'deactivate' && step.reason.startsWith('leaked');

async function firstLook(run: Run, from: TeamObservation | undefined): Promise<TeamObservation> {
  if (from === undefined || run.clock.now() - Date.parse(from.at) > 300_000) return observeAll(run);
  const principals = await observePrincipals(run);
  // Last-used times move by themselves.
  const essence = (seen: TeamObservation['principals']) =>
    JSON.stringify(seen, (name, value: unknown) => (name.startsWith('lastUsed') ? undefined : value));
  return essence(principals) === essence(from.principals) ? from : observeAll(run);
}

/** Steps of one stage, for different principals, a few at a time. Problems are kept until all have been tried. */
async function act(run: Run, steps: readonly Step[], seen: TeamObservation): Promise<[Set<string>, unknown[]]> {
  const touched = new Set<string>();
  const problems: unknown[] = [];
  await pMap(
    groupByUser(steps),
    async (group) => {
      for (const step of group) {
        try {
          for (const app of await applyStep(run, step, seen)) touched.add(app);
        } catch (error) {
          problems.push(error);
          return;
        }
      }
    },
    { concurrency: run.policy.concurrency },
  );
  // What cannot be retried comes first.
  problems.sort((a, b) => Number(isTransient(a)) - Number(isTransient(b)));
  return [touched, problems];
}

function groupByUser(steps: readonly Step[]): Step[][] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const user = 'user' in step ? step.user : '';
    groups.set(user, [...(groups.get(user) ?? []), step]);
  }
  return [...groups.values()];
}

/** AWS again, and those apps that were touched; what runs on them is asked when it matters. */
async function lookAfter(run: Run, seen: TeamObservation, touched: ReadonlySet<string>): Promise<TeamObservation> {
  const principals = await observePrincipals(run);
  const apps = touched.size === 0 ? [] : await observeApps(run, { names: [...touched], flights: false });
  return withApps({ ...seen, at: new Date(run.clock.now()).toISOString(), principals }, apps);
}

/** While waiting, AWS and those apps that are waited for. */
async function lookAgain(run: Run, seen: TeamObservation, waiting: readonly Waiting[]): Promise<TeamObservation> {
  const names = [...new Set(waiting.flatMap(({ app }) => (app === undefined ? [] : [app])))];
  const principals = await observePrincipals(run);
  const apps = names.length === 0 ? [] : await observeApps(run, { names, flights: needsFlights(principals) });
  return withApps({ ...seen, at: new Date(run.clock.now()).toISOString(), principals }, apps);
}

function withApps(seen: TeamObservation, apps: TeamObservation['apps']): TeamObservation {
  const byName = new Map(apps.map((app) => [app.name, app]));
  return { ...seen, apps: seen.apps.map((app) => byName.get(app.name) ?? app) };
}

function atRest(run: Run, intent: Intent, made: Next, waitUntil: number): Outcome | undefined {
  if (run.failedApps.size > 0) {
    const list = [...run.failedApps].map(([app, why]) => `${app}: ${why}`).join('; ');
    return outcome(run, 'failed', `${run.failedApps.size} app(s) could not be written: ${list}`, made, {
      code: 'apps-failed',
      message: list,
    });
  }
  if (made.waiting.length === 0) {
    if (run.began) return outcome(run, 'done', 'done', made);
    return outcome(run, intent.kind === 'rotate' || intent.kind === 'finish' ? 'nothing-due' : 'done', 'nothing to do', made);
  }
  // What `ensure` is for is done: every app has what it should; older keys retire in their own time.
  if (intent.kind === 'ensure') return outcome(run, 'done', run.began ? 'done' : 'nothing to do', made);
  const now = run.clock.now();
  const soonest = Math.min(
    ...made.waiting.map(({ until, kind }) => (until !== undefined ? Date.parse(until) : kind === 'unreadable' ? Infinity : now)),
  );
  return now >= waitUntil || soonest > waitUntil
    ? outcome(run, 'waiting', made.waiting.map(({ text }) => text).join('; '), made)
    : undefined;
}

async function pause(run: Run, waiting: readonly Waiting[]): Promise<void> {
  const step = run.io.step(`Waiting: ${waiting[0]?.text ?? ''}${waiting.length > 1 ? `, and ${waiting.length - 1} more` : ''}`);
  const now = run.clock.now();
  const ends = waiting.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until) - now]));
  const ms = Math.max(1, Math.min(run.policy.poll, ...(ends.length === waiting.length ? ends : [])));
  try {
    await run.lease.check();
    await run.clock.sleep(ms, run.signal);
  } finally {
    step.done();
  }
}

function knowledge(run: Run, replace: ReadonlyMap<string, string>): Knowledge {
  const { verified, smoked, failedApps, began } = run;
  return { verified, smoked, failedApps, began, replace, canSmoke: run.smoke !== undefined };
}

function outcome(run: Run, status: Outcome['status'], summary: string, made: Next | undefined, error?: Outcome['error']): Outcome {
  return {
    team: run.team.name,
    status,
    summary,
    waiting: made?.waiting ?? [],
    blocked: made?.blocked ?? [],
    notices: made?.notices ?? [],
    ...(error === undefined ? {} : { error }),
    evidence: run.evidence,
  };
}
