import pMap from 'p-map';
import { halcyonBucket, KEY_CONFIG_VARS, type KeyPair } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import type { AppReport } from '../../heroku/sync.js';
import { inStep, type Step as Line } from '../../io/io-host.js';
import { counted } from '../../io/printable.js';
import type { AppWrite, Intent, PrincipalState, Step, TeamObservation } from '../model.js';
import { isTransient, TRANSIENT } from '../ports/ports.js';
import { requireVersion2, writeApps } from './apps.client.js';
import { changeKeys } from './keys.client.js';
import { beforeEffect, record, type RunContext, type RunMemory } from './run.js';
import { confirmGiven, confirmStays, confirmNotTakenUp, isFinal, stayingKeys } from './stays.client.js';
import { verifyKey } from './verify.client.js';

type WriteStep = Extract<Step, { kind: 'write-apps' }>;
type CopyStep = Extract<Step, { kind: 'copy-packages' }>;
type PrincipalStep = Exclude<Step, { kind: 'wait' | 'write-apps' | 'copy-packages' }>;

/**
 * Carry out the steps of one stage: those for different users a few at a time, those for one in order, until one fails.
 * @returns the apps written, and what went wrong: what cannot be retried comes first.
 */
export async function applySteps(
  context: RunContext,
  memory: RunMemory,
  steps: readonly Step[],
  observation: TeamObservation,
  intent: Intent,
): Promise<{ readonly written: readonly AppReport[]; readonly problems: readonly unknown[] }> {
  const written: AppReport[] = [];
  const problems: unknown[] = [];
  // When the team goes, none stays.
  const staying = intent.kind === 'down' || !steps.some(isFinal) ? [] : stayingKeys(observation);
  const confirmed = new Map<string, Promise<void>>();
  /** Of the same user; for one that the file no longer wants, of all, since its apps may have gone to any. */
  const confirm = async (user: string): Promise<void> => {
    const own = staying.filter(({ principal }) => principal.user === user);
    for (const { principal, key } of own.length > 0 ? own : staying.filter(() => !isDeclared(observation, user))) {
      const confirming = confirmed.get(key.id) ?? confirmStays(context, memory, principal, key.id);
      confirmed.set(key.id, confirming);
      await confirming;
    }
  };
  await pMap(
    [...new Set(steps.map(userOf))].map((user) => steps.filter((step) => userOf(step) === user)),
    async (group) => {
      try {
        for (const step of group) {
          if (step.kind === 'write-apps') {
            written.push(...(await applyWrites(context, memory, step, observation)));
          } else if (step.kind === 'copy-packages') {
            await copyPackages(context, memory, step);
          } else if (step.kind !== 'wait') {
            if (isFinal(step)) {
              await confirm(step.user);
              if ('keyId' in step) await confirmNotTakenUp(context, observation, step.keyId);
            }
            await applyToPrincipal(context, memory, step, observation);
          }
        }
      } catch (error) {
        problems.push(error);
      }
    },
    { concurrency: context.policy.concurrency },
  );
  return { written, problems: problems.sort((a, b) => Number(isTransient(a)) - Number(isTransient(b))) };
}

const isDeclared = ({ principals }: TeamObservation, user: string): boolean => principals.some((one) => one.user === user && one.declared);

const userOf = (step: Step): string => ('user' in step ? step.user : '');

async function applyToPrincipal(context: RunContext, memory: RunMemory, step: PrincipalStep, observation: TeamObservation): Promise<void> {
  const { ports, vault } = context;
  const principal = observation.principals.find(({ user }) => user === step.user) as PrincipalState;
  const before = () => beforeEffect(context);
  const keyId = await inLine(context, memory, step, async (shown) => {
    if (step.kind === 'verify') {
      const say = (detail: string) => shown.update(detail);
      await verifyKey({ ...context, verifier: ports.verifier, before, say }, principal, vault.pairOf(step.keyId) as KeyPair);
      memory.verified.add(step.keyId);
      return step.keyId;
    }
    if (step.kind === 'smoke') {
      await before();
      if (await smoke(context, step, principal)) memory.smoked.add(step.keyId);
      return step.keyId;
    }
    // It must be verified again.
    if (step.kind === 'reactivate') memory.verified.delete(step.keyId);
    const began = () => before().then(() => void (memory.began = true));
    return changeKeys({ ...context, ...ports, gone: observation.gone, by: context.owner.id, before: began }, step, principal);
  });
  const key = keyId === undefined ? {} : { keyId, fingerprint: vault.fingerprintOf(keyId) };
  record(context, memory, { step: step.kind, principal: step.principal, ...key, text: step.reason });
}

/** What makes a key, in this order; each may take a round of its own. */
const MAKING = { 'create-key': 'making it', 'store-pending': 'storing it', verify: 'verifying it', promote: 'making it current' };

const isMaking = (kind: Step['kind']): kind is keyof typeof MAKING => kind in MAKING;

/** A line of its own, or the one that tells of a key from its making until it is current. */
async function inLine(
  { io }: RunContext,
  { making }: RunMemory,
  step: PrincipalStep,
  work: (line: Line) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { kind, principal, user } = step;
  if (!isMaking(kind)) return inStep(io, title(kind, 'keyId' in step ? ` ${step.keyId}` : '', principal), work);
  const line = making.get(user) ?? io.step(`Key of ${principal}`);
  making.set(user, line);
  line.update(MAKING[kind]);
  try {
    const keyId = await work(line);
    if (kind === 'promote' && making.delete(user)) line.done(`${keyId} is verified and current`);
    return keyId;
  } catch (error) {
    making.delete(user);
    line.fail(error);
    throw error;
  }
}

/** What was copied stays copied: cut off, the next run goes on where this one ended. */
async function copyPackages(context: RunContext, memory: RunMemory, { from, to, objects, reason }: CopyStep): Promise<void> {
  const { ports, signal, io } = context;
  memory.began = true;
  const title = `Copying ${counted(objects, 'package')} from ${halcyonBucket(from.bucketName, from.prefix)} to ${halcyonBucket(to.bucketName, to.prefix)}`;
  await inStep(
    io,
    title,
    (shown) =>
      ports.packages?.copy(from, to, {
        guard: () => beforeEffect(context),
        onProgress: (done, of) => shown.update(`${done} of ${of}`),
        signal,
      }) ?? Promise.resolve(undefined),
  );
  record(context, memory, { step: 'copy-packages', text: `${reason}: ${counted(objects, 'object')}` });
}

/** @returns whether it was tried. @throws KitError `canary-failed`. */
async function smoke(
  { smoke: prove, team, vault }: Pick<RunContext, 'smoke' | 'team' | 'vault'>,
  step: Extract<Step, { kind: 'smoke' }>,
  principal: PrincipalState,
): Promise<boolean> {
  const key = vault.pairOf(step.keyId);
  if (prove === undefined || key === undefined) return false;
  try {
    await prove(team, principal.id, step.app, key);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KitError(
      'canary-failed',
      `the new key of ${principal.label} failed its smoke deploy, so only ${step.app} has it: ${reason}; go back with rotate --undo`,
      { cause: error },
    );
  }
}

/** @returns what became of each app; one that was given up counts as not written. */
async function applyWrites(
  context: RunContext,
  memory: RunMemory,
  step: WriteStep,
  observation: TeamObservation,
): Promise<readonly AppReport[]> {
  const { ports, signal } = context;
  signal?.throwIfAborted();
  const apps = step.apps.filter(({ app, changes }) => {
    const contested = (memory.appWrites.get(app) ?? 0) >= WRITES;
    if (contested) memory.failedApps.set(app, contest(app, changes));
    return !contested;
  });
  const tried = new Set(apps);
  const givenUp = step.apps.filter((one) => !tried.has(one)).map(({ app }) => ({ app, ok: false }));
  if (apps.length === 0) return givenUp;
  const given = apps.filter(({ changes }) => changes.some(({ name }) => KEY_CONFIG_VARS.includes(name)));
  await pMap(
    new Set(given.map(({ keyId }) => keyId)),
    async (keyId) => {
      const principal = observation.principals.find(({ keys }) => keys.some(({ id }) => id === keyId));
      const key = context.vault.pairOf(keyId);
      if (principal !== undefined && key !== undefined) await confirmGiven(context, memory, principal, key);
    },
    { concurrency: context.policy.concurrency },
  );
  await requireVersion2({ ...context, verifier: ports.verifier }, apps);
  memory.began = true;
  const written = await writeApps({ ...context, apps: ports.apps }, apps, observation);
  for (const report of written) noteWrite(memory, report, apps);
  record(context, memory, {
    step: 'write-apps',
    text: step.reason,
    apps: written.map(({ ok: _, error, ...rest }) => ({ ...rest, ...(error === undefined ? {} : { error: error.message }) })),
  });
  return [...written, ...givenUp];
}

/** Writes of one app in one run, whatever became of them: each is a release and a restart. */
const WRITES = 3;

function noteWrite({ appWrites, failedApps, taken }: RunMemory, report: AppReport, writes: readonly AppWrite[]): void {
  const { app, ok, error, confirmedAt } = report;
  const times = (appWrites.get(app) ?? 0) + 1;
  appWrites.set(app, times);
  if (ok && confirmedAt !== undefined) taken.set(app, confirmedAt);
  // An app that is gone shows as missing at the next look.
  if (ok || error?.code === 'app-not-found') return;
  if (times >= WRITES && error?.code === 'config-vars-not-taken')
    failedApps.set(app, contest(app, writes.find((write) => write.app === app)?.changes ?? []));
  else if (times >= WRITES || error === undefined || !TRANSIENT.includes(error.code))
    failedApps.set(app, error ?? { code: 'unexpected', message: 'no reason given' });
}

const contest = (app: string, changes: AppWrite['changes']): KitError =>
  new KitError(
    'config-vars-contested',
    `${changes.map(({ name }) => name).join(', ')} of ${app} were written ${WRITES} times and read as something else each time: another file or tool writes them, or Heroku does not show them; settle that and run again`,
  );

function title(kind: Exclude<PrincipalStep['kind'], keyof typeof MAKING>, what: string, principal: string): string {
  const verbs: Record<typeof kind, string> = {
    'delete-orphan': 'Deleting key',
    reactivate: 'Reactivating key',
    'mark-undone': 'Turning away key',
    'mark-revoked': 'Revoking key',
    deactivate: 'Deactivating key',
    'start-soak': 'Noting the soak of key',
    'delete-key': 'Deleting key',
    'delete-unknown': 'Deleting unknown key',
    'tidy-tags': 'Tidying the tags',
    'record-holders': 'Writing down who gets keys',
    'delete-principal': 'Deleting user and secret',
    smoke: 'Proving by a build: key',
  };
  return `${verbs[kind]}${what} of ${principal}`;
}
