import { QUARANTINE_POLICY } from '../../contract/index.js';
import type { Blocked, KeyState, Knowledge, Plan, PrincipalState, Step } from '../model.js';
import { inWords } from '../clock.js';

/**
 * IAM and the caller's clock may differ: requests signed more than five minutes off are refused, so a key made under an intention was
 * made within this of the time it names, retries included.
 */
const INTENTION_WINDOW = 6 * 60_000;

export const keyNamed = (principal: PrincipalState, id: string | undefined): KeyState | undefined =>
  id === undefined ? undefined : principal.keys.find((key) => key.id === id);

/** The key that AWSPENDING names is gone. */
export const isPendingLost = (principal: PrincipalState): boolean =>
  principal.pending !== undefined && keyNamed(principal, principal.pending) === undefined;

export const isKnown = (key: KeyState): boolean => key.fingerprint !== undefined || key.stored;

/** Active, ours, and not turned away. */
const isUsable = (key: KeyState | undefined): key is KeyState =>
  key !== undefined && key.status === 'Active' && key.fingerprint !== undefined && key.refused === undefined;

/**
 * A key that this kit made and whose answer never arrived: it appeared under a recorded intention, within minutes of it, is the only
 * one that did, has never been used (nobody has its secret), and is in no secret version.
 */
export function isOrphan(principal: PrincipalState, key: KeyState): boolean {
  const { creating } = principal;
  if (creating === undefined || isKnown(key) || key.lastUsedAt !== undefined) return false;
  const ours = (candidate: KeyState) =>
    !isKnown(candidate) &&
    !creating.before.includes(candidate.id) &&
    Math.abs(Date.parse(candidate.createdAt) - Date.parse(creating.at)) <= INTENTION_WINDOW;
  return ours(key) && principal.keys.filter(ours).length === 1;
}

export const unknownKeys = (principal: PrincipalState): KeyState[] =>
  principal.keys.filter((key) => !isKnown(key) && !isOrphan(principal, key) && key.refused !== 'revoked');

export function describeUnknown(principal: PrincipalState, key: KeyState, now: number): string {
  const used = key.lastUsedAt === undefined ? 'never used' : `last used ${inWords(now - Date.parse(key.lastUsedAt))} ago`;
  return `${principal.label} has a key that nobody here made: ${key.id} (${key.status.toLowerCase()}, ${inWords(now - Date.parse(key.createdAt))} old, ${used})`;
}

/** What a person should know, and do, of a user that AWS has quarantined. */
export function quarantineOf({ quarantined, declared, id, label, user, keys }: PrincipalState): Blocked[] {
  if (!quarantined) return [];
  const active = keys.filter(({ status }) => status === 'Active').map((key) => key.id);
  const stop =
    active.length === 0 ? '' : `run "halcyon-kit rotate ${id.team} --emergency" with the one that leaked (${active.join(' or ')}), then `;
  const way = declared
    ? `${stop}run "halcyon-kit up ${id.team}", which makes a successor; never detach ${QUARANTINE_POLICY}… before AWS's case is settled`
    : `${stop}it has a successor, and stays until AWS's case is settled: then detach ${QUARANTINE_POLICY}…, and the next run deletes it`;
  const text = `AWS has quarantined IAM user ${user} of ${label}: a key of it was seen in public, so none of its keys works, nor would a new one; ${way}`;
  return [{ code: 'quarantined', text }];
}

/** What is left to do until a principal has one good current key. */
export interface PrincipalPlan extends Partial<Pick<Plan, 'steps' | 'blocked'>> {
  /** Set once the key is verified, current and usable: apps may be given it. */
  readonly keyId?: string;
  /** A new key is needed and both slots are taken by keys of ours: one that is inactive may go before its time. */
  readonly needsSlot?: true;
}

/** Brings a declared principal to one good current key. Keys that stand in the way are left to `retire`, but for those nobody can hold. */
export function planPrincipal(principal: PrincipalState, knowledge: Knowledge): PrincipalPlan {
  const step = (...about: [KeyStep['kind'], KeyState, string]): PrincipalPlan => ({ steps: [keyStep(principal, ...about)] });
  const current = keyNamed(principal, principal.current);
  const pending = keyNamed(principal, principal.pending);
  const previous = keyNamed(principal, principal.previous);

  const leaked = principal.keys.find((key) => key.refused === 'revoked' && key.status === 'Active');
  if (leaked !== undefined) return { steps: [stopLeaked(principal, leaked)] };
  // Nothing that is made here could work.
  if (principal.quarantined) return {};

  const { making } = principal;
  if (making !== undefined && principal.keys.every(({ id }) => making.before.includes(id))) {
    const text = `${principal.label} may have been given a key at ${making.at} that IAM does not list yet; run again in a minute`;
    return { blocked: [{ code: 'key-unlisted', text }] };
  }
  const held = principal.keys.find((key) => key.fingerprint !== undefined && !key.stored);
  if (held !== undefined) return step('store-pending', held, 'its secret must be kept before anything else');
  const orphan = principal.keys.find((key) => isOrphan(principal, key));
  if (orphan !== undefined) return step('delete-orphan', orphan, 'made here, but the answer with its secret was lost');

  if (isUsable(pending)) return advance(principal, pending, knowledge, 'new');
  if (
    current !== undefined &&
    current.refused !== undefined &&
    previous !== undefined &&
    previous.refused === undefined &&
    previous.fingerprint
  ) {
    // Going back is asked for by an undo; after a leak the other key serves only if it works already.
    if (previous.status === 'Active') return advance(principal, previous, knowledge, 'previous');
    if (current.refused === 'undone') return step('reactivate', previous, `going back to it from ${current.id}`);
  }
  const replace = knowledge.replace.get(principal.user);
  if (isUsable(current) && replace !== current.id) return { keyId: current.id };
  if (!isUsable(current) && isUsable(previous)) return advance(principal, previous, knowledge, 'previous');

  if (principal.keys.length < 2) return create(principal, replace !== undefined && isUsable(current) ? current : undefined, current);
  // Of two that work no more, the one that apps may still be known by goes last: a new key is there before it.
  const dead = principal.keys.filter((key) => key.status === 'Inactive' && (key.refused === 'revoked' || isKnown(key)));
  const spent = principal.keys.some((key) => key.refused === 'revoked') ? (dead.find((key) => key !== current) ?? dead[0]) : undefined;
  if (spent !== undefined) return step('delete-key', spent, 'inactive; its slot is needed for a new key, as one has leaked');
  const strangers = unknownKeys(principal);
  if (strangers.length > 0) {
    const text = `${principal.label} needs a new key, but both its slots are taken, one by ${strangers.map((key) => key.id).join(', ')}`;
    return { blocked: [{ code: 'slots-full', text }] };
  }
  return { needsSlot: true };
}

/** About one existing key. */
type KeyStep = Exclude<Extract<Step, { readonly keyId: string }>, { kind: 'smoke' }>;

export const keyStep = ({ label, user }: PrincipalState, kind: KeyStep['kind'], { id }: KeyState, reason: string): KeyStep => ({
  kind,
  principal: label,
  user,
  keyId: id,
  reason,
});

/** Before all else, and whoever holds it. */
export const stopLeaked = (principal: PrincipalState, key: KeyState): Step => ({
  ...keyStep(principal, 'deactivate', key, 'leaked: it must stop working at once'),
  kind: 'deactivate',
  cause: 'leaked',
});

function advance(principal: PrincipalState, key: KeyState, knowledge: Knowledge, what: 'new' | 'previous'): PrincipalPlan {
  const next = knowledge.verified.has(key.id)
    ? keyStep(principal, 'promote', key, `the ${what} key works everywhere it was tried`)
    : keyStep(principal, 'verify', key, `a ${what === 'new' ? 'new' : 'reactivated'} key is not known everywhere at once`);
  return { steps: [next] };
}

function create(principal: PrincipalState, replacing: KeyState | undefined, current: KeyState | undefined): PrincipalPlan {
  const reason =
    replacing !== undefined
      ? `replaces ${replacing.id}`
      : current === undefined
        ? principal.current === undefined
          ? 'it has no key yet'
          : `its key ${principal.current} is gone`
        : `its key ${current.id} is ${current.refused ?? 'inactive'}`;
  return { steps: [{ kind: 'create-key', principal: principal.label, user: principal.user, reason }] };
}

/** The newest key, where there is one before it to go back to. */
export function keyToUndo(principal: PrincipalState): KeyState | undefined {
  const pending = keyNamed(principal, principal.pending);
  const current = keyNamed(principal, principal.current);
  if (pending !== undefined && pending.id !== principal.current && current?.status === 'Active') return pending;
  const previous = keyNamed(principal, principal.previous);
  return previous?.fingerprint === undefined ? undefined : current;
}
