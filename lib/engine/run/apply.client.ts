import pMap from 'p-map';
import { halcyonBucket, type KeyPair } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import { inStep } from '../../io/io-host.js';
import type { PrincipalState, Step, TeamObservation } from '../model.js';
import { isTransient, TRANSIENT, type AppWritten } from '../ports/ports.js';
import { requireVersion2, writeApps } from './apps.client.js';
import { changeKeys } from './keys.client.js';
import { beforeEffect, record, type RunContext, type RunMemory } from './run.js';
import { verifyKey } from './verify.client.js';

type WriteStep = Extract<Step, { kind: 'write-apps' }>;
type CopyStep = Extract<Step, { kind: 'copy-packages' }>;
type PrincipalStep = Exclude<Step, { kind: 'wait' | 'write-apps' | 'copy-packages' }>;

/**
 * Carry out the steps of one stage: those for different users a few at a time, those for one in order, until one fails.
 * @returns the apps touched, and what went wrong: what cannot be retried comes first.
 */
export async function applySteps(
  context: RunContext,
  memory: RunMemory,
  steps: readonly Step[],
  observation: TeamObservation,
): Promise<{ readonly touched: ReadonlySet<string>; readonly problems: readonly unknown[] }> {
  const touched = new Set<string>();
  const problems: unknown[] = [];
  await pMap(
    [...new Set(steps.map(userOf))].map((user) => steps.filter((step) => userOf(step) === user)),
    async (group) => {
      try {
        for (const step of group) {
          if (step.kind === 'write-apps') {
            await applyWrites(context, memory, step, observation);
            for (const { app } of step.apps) touched.add(app);
          } else if (step.kind === 'copy-packages') {
            await copyPackages(context, memory, step);
          } else if (step.kind !== 'wait') {
            await applyToPrincipal(context, memory, step, observation);
          }
        }
      } catch (error) {
        problems.push(error);
      }
    },
    { concurrency: context.policy.concurrency },
  );
  return { touched, problems: problems.sort((a, b) => Number(isTransient(a)) - Number(isTransient(b))) };
}

const userOf = (step: Step): string => ('user' in step ? step.user : '');

async function applyToPrincipal(context: RunContext, memory: RunMemory, step: PrincipalStep, observation: TeamObservation): Promise<void> {
  const { ports, vault } = context;
  const principal = observation.principals.find(({ user }) => user === step.user) as PrincipalState;
  const before = () => beforeEffect(context, memory);
  const keyId = await inStep(context.io, title(step), async (shown) => {
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
    return changeKeys({ ...context, ...ports, by: memory.lease.id, before: began }, step, principal);
  });
  const key = keyId === undefined ? {} : { keyId, fingerprint: vault.fingerprintOf(keyId) };
  record(context, memory, { step: step.kind, principal: step.principal, ...key, text: step.reason });
}

/** What was copied stays copied: cut off, the next run goes on where this one ended. */
async function copyPackages(context: RunContext, memory: RunMemory, { from, to, objects, reason }: CopyStep): Promise<void> {
  const { ports, signal, io } = context;
  memory.began = true;
  const title = `Copying ${objects} packages from ${halcyonBucket(from.bucketName, from.prefix)} to ${halcyonBucket(to.bucketName, to.prefix)}`;
  await inStep(
    io,
    title,
    (shown) =>
      ports.packages?.copy(from, to, {
        guard: () => beforeEffect(context, memory),
        onProgress: (done, of) => shown.update(`${done} of ${of}`),
        signal,
      }) ?? Promise.resolve(undefined),
  );
  record(context, memory, { step: 'copy-packages', text: `${reason}: ${objects} objects` });
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

async function applyWrites(context: RunContext, memory: RunMemory, step: WriteStep, observation: TeamObservation): Promise<void> {
  const { ports, signal } = context;
  signal?.throwIfAborted();
  await requireVersion2({ ...context, verifier: ports.verifier }, step.apps);
  memory.began = true;
  const written = await writeApps({ ...context, apps: ports.apps, guard: () => memory.lease.check() }, step.apps, observation);
  for (const report of written) if (!report.ok) noteFailure(memory, report);
  record(context, memory, {
    step: 'write-apps',
    text: step.reason,
    apps: written.map(({ ok: _, error, ...rest }) => ({ ...rest, ...(error === undefined ? {} : { error: error.message }) })),
  });
}

const ATTEMPTS = 3;

function noteFailure({ appAttempts, failedApps }: RunMemory, { app, error }: AppWritten): void {
  const attempts = (appAttempts.get(app) ?? 0) + 1;
  appAttempts.set(app, attempts);
  const again = error !== undefined && TRANSIENT.includes(error.code) && attempts < ATTEMPTS;
  // An app that is gone shows as missing at the next look.
  if (!again && error?.code !== 'app-not-found') failedApps.set(app, error?.message ?? 'no reason given');
}

function title(step: PrincipalStep): string {
  const what = 'keyId' in step ? ` ${step.keyId}` : '';
  const verbs: Record<typeof step.kind, string> = {
    'create-key': 'Making a key',
    'store-pending': 'Storing key',
    'delete-orphan': 'Deleting key',
    verify: 'Verifying key',
    promote: 'Making current: key',
    reactivate: 'Reactivating key',
    'mark-undone': 'Turning away key',
    'mark-revoked': 'Revoking key',
    deactivate: 'Deactivating key',
    'start-soak': 'Noting the soak of key',
    'delete-key': 'Deleting key',
    'delete-unknown': 'Deleting unknown key',
    'tidy-tags': 'Tidying the tags',
    'delete-principal': 'Deleting user and secret',
    smoke: 'Proving by a build: key',
  };
  return `${verbs[step.kind]}${what} of ${step.principal}`;
}
