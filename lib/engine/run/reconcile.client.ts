import { namesOf } from '../../config/derive.js';
import { isKitError, KitError } from '../../errors.js';
import { inStep } from '../../io/io-host.js';
import { inWords } from '../clock.js';
import type { Intent, Knowledge, Plan, PrincipalState, TeamObservation, TeamResult, Waiting } from '../model.js';
import { keysToReplace, next } from '../plan/next.plan.js';
import { isTransient, type ObjectStore } from '../ports/ports.js';
import { applySteps } from './apply.client.js';
import { killAtOnce } from './kill.client.js';
import { takeLease } from './lease.client.js';
import { observeAll, principalsAmong, reachIn } from './observe.client.js';
import { observeAgain, observeFirst, observeWritten } from './refresh.client.js';
import { restOf, resultOf } from './result.js';
import { record, RunMemory, type RunContext } from './run.js';
import { confirmListed, isFinal, letReleasesAge, stayingKeys } from './stays.client.js';

/** More rounds than any team needs: a plan that never ends is a mistake, and stops here. */
const ROUNDS = 2000;
/** Transient failures in a row before giving up. */
const FAILURES = 6;

type Place = PrincipalState['reach'];

/** How long IAM's lists may lack what a deployment made. */
const LATE = 60_000;
const LATE_POLL = 2000;

/** For so long a key is taken to be as it was seen, while it was tried: somebody may stop it meanwhile. */
const MOMENT = 30_000;

/**
 * Observe, plan, act, until there is nothing left to do, or something must be waited for or settled by a person. Throws nothing but the
 * signal's reason after an abort, and mistakes of its own: what went wrong is in the result, with the evidence of what was done before.
 * @param from - an observation made a moment ago: apps are not read again if AWS still says the same.
 */
export async function reconcile(given: RunContext, intent: Intent, from?: TeamObservation): Promise<TeamResult> {
  const context = intent.kind === 'emergency' ? withoutDeniedRecords(given) : given;
  const memory = new RunMemory();
  let last: Plan | undefined;
  try {
    if (intent.kind === 'emergency') {
      await killAtOnce(context, intent.keyId, memory.evidence);
      memory.began = memory.evidence.length > 0;
    }
    return await rounds(context, memory, intent, from, (planned) => (last = planned));
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!(error instanceof KitError)) throw error;
    return resultOf(context, memory, 'failed', error.message, last, { code: error.code, message: error.message });
  } finally {
    for (const line of memory.making.values()) line.fail(context.signal?.aborted ? context.signal.reason : 'not current yet');
    await context.fence.release();
  }
}

/** A leaked key, which alone retires in an emergency, waits for no record. */
const withoutDeniedRecords = ({ ports, ...context }: RunContext): RunContext => {
  const { holders } = ports;
  if (holders === undefined) return { ...context, ports };
  const read: typeof holders.read = (...of) =>
    holders.read(...of).catch((error: unknown) => {
      if (!isKitError(error, 'aws-denied')) throw error;
      return undefined;
    });
  return { ...context, ports: { ...ports, holders: { ...holders, read } } };
};

/**
 * Hold the lease of the team, and of whatever it was before as far as its users tell: under another name, in another bucket. Another
 * operator's file may still say so. In the order of their places, so that of two runs one gets them all.
 * @returns whether there were any that it did not hold.
 */
async function hold({ ports, fence, owner, clock, isGone, team }: RunContext, intent: Intent, reaches: readonly Place[]): Promise<boolean> {
  const own = await ports.lease(team.name, undefined);
  const wanted = new Map<string, ObjectStore>();
  for (const name of namesOf(team))
    for (const place of [undefined, ...reaches]) {
      const store = await ports.lease(name, place);
      if (store !== undefined && !fence.has(store.place)) wanted.set(store.place, store);
    }
  for (const [place, store] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lease = await takeLease(store, owner, clock, { isGone }).catch((error: unknown) => {
      // A bucket that is gone, or goes with its team, keeps nobody apart. A leaked key is not kept for one that may not be looked at.
      const dispensable = place !== own?.place || intent.kind === 'down';
      if (dispensable && isKitError(error, 'bucket-missing')) return undefined;
      if (dispensable && intent.kind === 'emergency' && isKitError(error, 'aws-denied')) return undefined;
      throw error;
    });
    fence.add(place, lease);
  }
  return wanted.size > 0;
}

/** What the team's users may reach. */
async function reachesOf({ team, ports }: RunContext, seen: TeamObservation | undefined): Promise<Place[]> {
  if (seen !== undefined) return seen.principals.map(({ reach }) => reach);
  return principalsAmong(team, await ports.keys.users(namesOf(team))).map(({ record }) => reachIn(record?.tags));
}

async function rounds(
  context: RunContext,
  memory: RunMemory,
  intent: Intent,
  from: TeamObservation | undefined,
  onPlan: (planned: Plan) => void,
): Promise<TeamResult> {
  const { policy, clock, signal, io, fence } = context;
  let observation: TeamObservation | undefined;
  /** Nothing was done since all of it was seen. */
  let fresh = false;
  /** All of it was seen in this run, and no app was written since. */
  let looked = false;
  let replace: Map<string, string> | undefined;
  let failures = 0;
  const waitUntil = clock.now() + policy.patience;
  const lateUntil = clock.now() + LATE;
  for (let round = 0; round < ROUNDS; round += 1) {
    signal?.throwIfAborted();
    try {
      if (await hold(context, intent, await reachesOf(context, observation ?? from))) observation = undefined;
      if (observation === undefined) {
        observation = await observeFirst(context, from);
        fresh = from === undefined && !observation.apps.some(({ trusted }) => trusted);
        // Others may have been at work until the leases were taken.
        continue;
      }
      // What was seen tells what to do, or that there is nothing, only while nobody else is at work.
      await fence.check();
      replace ??= keysToReplace(observation, intent, policy, clock.now());
      const planned = next(observation, intent, policy, clock.now(), knowledge(context, memory, replace));
      const { steps, waiting, blocked } = planned;
      onPlan(planned);
      if (isLate(context, planned, lateUntil)) {
        await inStep(io, 'Waiting for IAM to list what was just made', () => clock.sleep(LATE_POLL, signal));
        observation = await observeAgain(context, observation, [], { activity: false });
        fresh = false;
      } else if (blocked.length > 0) {
        return resultOf(context, memory, 'blocked', blocked.map(({ text }) => text).join('; '), planned);
      } else if (waiting.some(({ kind }) => kind === 'unobserved')) {
        await letReleasesAge(context, memory.taken);
        observation = await observeAll(context, { activity: true });
        memory.taken.clear();
        fresh = looked = true;
      } else if (steps.length === 0 && memory.taken.size > 0) {
        // That they have it was Heroku's answer; whether another changed it since, one list tells.
        const moved = await context.ports.apps.releasedSince(memory.taken);
        memory.taken.clear();
        if (moved.length > 0) observation = await observeAgain(context, observation, moved, { activity: false });
      } else if (steps.length === 0) {
        const rest = restOf(context, memory, intent, planned, waitUntil);
        if (rest?.status === 'done' && memory.began && intent.kind !== 'down')
          for (const { principal, key } of stayingKeys(observation)) await confirmListed(context, principal, key.id);
        if (rest !== undefined) return rest;
        await pause(context, waiting);
        observation = await observeAgain(context, observation, appsOf(waiting), { activity: true });
        fresh = false;
      } else if (!fresh && steps.some((step) => isFinal(step) && !(looked && step.kind === 'delete-key'))) {
        await letReleasesAge(context, memory.taken);
        observation = await observeAll(context);
        memory.taken.clear();
        fresh = looked = true;
      } else {
        fresh = false;
        // Whatever happens in the steps, only what is looked at afterwards counts; keys that were tried are as they were a moment ago.
        const before = memory.evidence.length;
        const { written, problems } = await applySteps(context, memory, steps, observation, intent);
        if (written.length > 0) looked = false;
        const tried = problems.length === 0 && steps.every(({ kind }) => kind === 'verify');
        if (!tried || clock.now() - Date.parse(observation.at) > MOMENT)
          observation = await observeWritten(context, observation, steps, written);
        // A round that did something is no failure in a row.
        if (problems.length === 0 || memory.evidence.length > before) failures = 0;
        if (problems.length > 0) throw problems[0];
      }
    } catch (error) {
      failures += 1;
      if (!isTransient(error) || failures >= FAILURES) throw error;
      const wait = Math.min(500 * 2 ** failures, 15_000);
      record(context, memory, { step: 'retry', text: (error as Error).message });
      io.debug(`${(error as Error).message}; looking again in ${inWords(wait)}`);
      await clock.sleep(wait, signal);
      observation = from = undefined;
    }
  }
  throw new KitError(
    'no-end',
    `the keys of team ${context.team.name} did not come to rest in ${ROUNDS} rounds; see the evidence, and report it`,
  );
}

/** What a deployment, or a run that broke off, has just made, and IAM's lists may not show yet. */
const isLate = ({ deployed, clock }: RunContext, { blocked }: Plan, until: number): boolean => {
  const isDeployed = (code: string) => deployed === true && clock.now() < until && (code === 'user-missing' || code === 'secret-missing');
  return blocked.length > 0 && blocked.every(({ code }) => code === 'key-unlisted' || isDeployed(code));
};

const appsOf = (waiting: readonly Waiting[]): Set<string> => new Set(waiting.flatMap(({ app }) => (app === undefined ? [] : [app])));

async function pause({ io, policy, clock, signal, fence }: RunContext, waiting: readonly Waiting[]): Promise<void> {
  const step = io.step(`Waiting: ${waiting[0]?.text ?? ''}${waiting.length > 1 ? `, and ${waiting.length - 1} more` : ''}`);
  const now = clock.now();
  const ends = waiting.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until) - now]));
  const ms = Math.max(1, Math.min(policy.poll, ...(ends.length === waiting.length ? ends : [])));
  try {
    await fence.check();
    await clock.sleep(ms, signal);
  } finally {
    step.done();
  }
}

function knowledge({ smoke }: RunContext, memory: RunMemory, replace: ReadonlyMap<string, string>): Knowledge {
  const { verified, smoked, failedApps, began } = memory;
  return { verified, smoked, failedApps, began, replace, canSmoke: smoke !== undefined };
}
