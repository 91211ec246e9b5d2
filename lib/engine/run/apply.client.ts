import type { Team } from '../../config/model.js';
import { desiredConfigVars, KEY_TAGS, secretName, secretVersionId, withKeyVars, type PrincipalId } from '../../contract/index.js';
import { isKitError, KitError } from '../../errors.js';
import type { ConfigVarWrite } from '../../heroku/sync.js';
import type { IoHost } from '../../io/io-host.js';
import { inStep } from '../../io/io-host.js';
import type { Holder, Lease } from './lease.client.js';
import type { AppWrite, Event, Policy, PrincipalState, Step, TeamObservation } from '../model.js';
import type { Looking } from './observe.client.js';
import { TRANSIENT, type AppWritten } from '../ports/ports.js';
import { formatIntention, inactiveTag, refusedTag } from '../tags.js';
import { verifyKey } from './verify.client.js';

/** Proves a key by a real build. */
export type Smoke = (team: Team, principal: PrincipalId, app: string, key: { id: string; secret: string }) => Promise<void>;

/** What one run shares: its ports and memory, its lease, and where it speaks and records. */
export interface Run extends Looking {
  readonly policy: Policy;
  readonly io: IoHost;
  readonly signal?: AbortSignal;
  readonly smoke?: Smoke;
  /** The team's stack was deployed a moment ago. */
  readonly deployed?: boolean;
  lease: Lease;
  /** Who takes the lease; default: this process. */
  readonly holder?: Holder;
  /** Whether a holder is known to be dead; default: asks the operating system. */
  readonly isGone?: (other: Holder) => boolean;
  /** Key made last, by user. */
  readonly made: Map<string, string>;
  readonly verified: Set<string>;
  readonly smoked: Set<string>;
  readonly failedApps: Map<string, string>;
  readonly appAttempts: Map<string, number>;
  readonly evidence: Event[];
  began: boolean;
}

/** Carry out one step. Each effect is preceded by a look at the lease and at Ctrl-C. @returns the apps it touched. */
export async function applyStep(run: Run, step: Step, observation: TeamObservation): Promise<readonly string[]> {
  if (step.kind === 'wait') return [];
  if (step.kind === 'write-apps') return writeApps(run, step, observation);
  const principal = observation.principals.find((candidate) => candidate.user === step.user) as PrincipalState;
  const keyId = 'keyId' in step ? step.keyId : undefined;
  await inStep(run.io, title(step), async (shown) => {
    if (step.kind === 'verify') await verifyKey(run, principal, step.keyId, (detail) => shown.update(detail));
    else if (step.kind === 'smoke') await smoke(run, step, principal);
    else await change(run, step, principal);
  });
  const made = step.kind === 'create-key' ? run.made.get(step.user) : keyId;
  record(run, {
    step: step.kind,
    principal: step.principal,
    ...(made === undefined ? {} : { keyId: made, fingerprint: run.vault.fingerprintOf(made) }),
    text: step.reason,
  });
  return [];
}

export function record(run: Run, event: Omit<Event, 'at'>): void {
  run.evidence.push({ at: new Date(run.clock.now()).toISOString(), ...event });
}

type Change = Exclude<Step, { kind: 'wait' | 'write-apps' | 'verify' | 'smoke' }>;

async function change(run: Run, step: Change, principal: PrincipalState): Promise<void> {
  const { keys, secrets } = run.ports;
  const { recent, vault } = run;
  const { user } = step;
  const secret = secretName(principal.id);
  /** Every effect goes through here. */
  const effect = async <T>(work: () => Promise<T>): Promise<T> => {
    run.signal?.throwIfAborted();
    await run.lease.check();
    run.began = true;
    return work();
  };
  const tag = (name: string, value: string) => effect(() => keys.tag(user, name, value)).then(() => recent.tagged(user, name, value));
  const untag = (names: readonly string[]) => effect(() => keys.untag(user, names)).then(() => recent.untagged(user, names));
  const setStatus = (keyId: string, status: 'Active' | 'Inactive') =>
    effect(() => keys.setStatus(user, keyId, status)).then(() => recent.status(user, keyId, status));
  const deleteKey = async (keyId: string) => {
    await effect(() => keys.deleteKey(user, keyId));
    recent.deleted(user, keyId);
  };
  const store = async (keyId: string) => {
    const secretKey = vault.secretOf(keyId) as string;
    await effect(() => secrets.putPending(secret, { accessKeyId: keyId, secretAccessKey: secretKey }));
  };
  const now = () => new Date(run.clock.now()).toISOString();
  switch (step.kind) {
    case 'create-key': {
      // The intention first: if the answer to the creation is lost, it proves whose the key is.
      await tag(KEY_TAGS.creating, formatIntention({ at: now(), by: run.lease.id, before: principal.keys.map((key) => key.id) }));
      const key = await effect(() => keys.createKey(user)).catch(async (error: unknown) => {
        // Refused for certain: what is in the slots is not ours, and must not be taken for it.
        if (isKitError(error, 'state-changed')) await untag([KEY_TAGS.creating]);
        throw error;
      });
      vault.put(key.accessKeyId, key.secretAccessKey);
      run.made.set(user, key.accessKeyId);
      recent.made(user, { id: key.accessKeyId, status: 'Active', createdAt: key.createdAt });
      await store(key.accessKeyId);
      await untag([KEY_TAGS.creating]);
      return;
    }
    case 'store-pending':
      return store(step.keyId);
    case 'promote': {
      const version = principal.versions[step.keyId] ?? secretVersionId(step.keyId);
      const from = principal.current === undefined ? undefined : principal.versions[principal.current];
      if (principal.current !== step.keyId) await effect(() => secrets.promote(secret, version, from));
      if (principal.pending === step.keyId) await effect(() => secrets.dropPending(secret, version));
      return;
    }
    case 'reactivate':
      // In this order, a crash leaves no time of an earlier soak behind.
      await untag([inactiveTag(step.keyId)]);
      run.verified.delete(step.keyId);
      return setStatus(step.keyId, 'Active');
    case 'deactivate':
      await setStatus(step.keyId, 'Inactive');
      return tag(inactiveTag(step.keyId), now());
    case 'start-soak':
      return tag(inactiveTag(step.keyId), now());
    case 'mark-undone':
    case 'mark-revoked':
      return tag(refusedTag(step.keyId), `${step.kind === 'mark-undone' ? 'undone' : 'revoked'} ${now()}`);
    case 'delete-key':
    case 'delete-orphan':
    case 'delete-unknown':
      await deleteKey(step.keyId);
      return untag([inactiveTag(step.keyId), refusedTag(step.keyId), ...(step.kind === 'delete-orphan' ? [KEY_TAGS.creating] : [])]);
    case 'tidy-tags':
      return untag([...(principal.creating === undefined ? [] : [KEY_TAGS.creating]), ...(principal.stale ?? [])]);
    case 'delete-principal':
      await effect(() => keys.deleteUser(user));
      return effect(() => secrets.delete(secret));
  }
}

async function smoke(run: Run, step: Extract<Step, { kind: 'smoke' }>, principal: PrincipalState): Promise<void> {
  run.signal?.throwIfAborted();
  await run.lease.check();
  const secret = run.vault.secretOf(step.keyId);
  if (run.smoke === undefined || secret === undefined) return;
  try {
    await run.smoke(run.team, principal.id, step.app, { id: step.keyId, secret });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KitError(
      'canary-failed',
      `the new key of ${principal.label} failed its smoke deploy, so only ${step.app} has it: ${reason}; go back with rotate --undo`,
      { cause: error },
    );
  }
  run.smoked.add(step.keyId);
}

async function writeApps(run: Run, step: Extract<Step, { kind: 'write-apps' }>, observation: TeamObservation): Promise<readonly string[]> {
  run.signal?.throwIfAborted();
  await requireVersion2(run, step.apps);
  run.began = true;
  const writes = step.apps.map((write) => withSecret(run, write, observation));
  const written = await run.ports.apps.write(writes, { guard: () => run.lease.check(), signal: run.signal });
  const lost = written.find(({ error }) => error?.code === 'lease-lost');
  if (lost?.error !== undefined) throw new KitError(lost.error.code, lost.error.message);
  for (const report of written) if (!report.ok) noteFailure(run, report);
  record(run, {
    step: 'write-apps',
    text: step.reason,
    apps: written.map(({ app, release, confirmedAt, error }) => ({
      app,
      ...(release === undefined ? {} : { release }),
      ...(confirmedAt === undefined ? {} : { confirmedAt }),
      ...(error === undefined ? {} : { error: error.message }),
    })),
  });
  return step.apps.map(({ app }) => app);
}

/** With signature version 2, before any app is told to sign so: it must be accepted. The file's word alone is not enough. */
async function requireVersion2(run: Run, writes: readonly AppWrite[]): Promise<void> {
  if (run.config.signing.version !== 2) return;
  const keyId = writes.find((write) => write.keyId !== null)?.keyId;
  const secretAccessKey = keyId ? run.vault.secretOf(keyId) : undefined;
  if (keyId && secretAccessKey !== undefined) await run.ports.verifier.checkVersion2?.({ accessKeyId: keyId, secretAccessKey });
}

/** The same write with all values: secrets come from the vault only here. */
function withSecret(run: Run, { app, keyId, changes }: AppWrite, { apps }: TeamObservation): ConfigVarWrite {
  const wanted = apps.find(({ name }) => name === app)?.wanted;
  if (keyId === null || wanted === undefined) return { app, changes, desired: desiredConfigVars({ mode: 'public' }) };
  return { app, changes, desired: withKeyVars(wanted, { id: keyId, secret: run.vault.secretOf(keyId) as string }) };
}

const ATTEMPTS = 3;

function noteFailure(run: Run, { app, error }: AppWritten): void {
  const attempts = (run.appAttempts.get(app) ?? 0) + 1;
  run.appAttempts.set(app, attempts);
  const again = error !== undefined && TRANSIENT.includes(error.code) && attempts < ATTEMPTS;
  // An app that is gone shows as missing at the next look.
  if (!again && error?.code !== 'app-not-found') run.failedApps.set(app, error?.message ?? 'no reason given');
}

function title(step: Exclude<Step, { kind: 'wait' | 'write-apps' }>): string {
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
