import type { Intent, KeyState, Knowledge, Plan, Policy, PrincipalState, Step, TeamObservation } from '../model.js';
import { planApps } from './apps.plan.js';
import { recordSteps } from './holders.plan.js';
import { leftApps, notices, obstacles } from './obstacles.plan.js';
import {
  isKnown,
  isOrphan,
  isPendingLost,
  keyNamed,
  keyStep,
  keyToUndo,
  planPrincipal,
  quarantineOf,
  stopLeaked,
  type PrincipalPlan,
} from './principal.plan.js';
import { planRetirement } from './retire.plan.js';

/**
 * Which keys a rotation replaces: fixed at the first look, so that running again after a crash finishes what was begun and does not
 * begin another. A principal with a second key of ours is being rotated already.
 */
export function keysToReplace(observation: TeamObservation, intent: Intent, policy: Policy, now: number): Map<string, string> {
  const replace = new Map<string, string>();
  if (intent.kind !== 'rotate') return replace;
  for (const principal of observation.principals) {
    const current = keyNamed(principal, principal.current);
    if (!principal.declared || current === undefined || current.status !== 'Active' || current.refused !== undefined) continue;
    if (principal.pending === current.id || principal.keys.some((key) => key !== current && isKnown(key))) continue;
    if (intent.due && now - Date.parse(current.createdAt) <= policy.maxAge) continue;
    replace.set(principal.user, current.id);
  }
  return replace;
}

/** What can be done at once: the steps of the first stage that has any (mark, keys, apps, retire, tidy), else what is waited for. */
export function next(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Plan {
  const stage = firstStage(observation, intent, policy, now, knowledge);
  const said = notices(observation, intent, now).filter((text) => !stage.blocked?.some((one) => one.text === text));
  return { steps: [], waiting: [], blocked: [], ...stage, notices: said, left: leftApps(observation, intent) };
}

function firstStage(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Partial<Plan> {
  const blocked = obstacles(observation, intent, knowledge, now);
  if (blocked.length > 0) return { blocked };
  const marks = markSteps(observation, intent);
  if (marks.length > 0) return { steps: marks };
  if (intent.kind === 'delete-unknown') return {};

  const kept = (principal: PrincipalState) => principal.declared && intent.kind !== 'down';
  const plans = new Map(observation.principals.filter(kept).map((principal) => [principal.user, planPrincipal(principal, knowledge)]));
  const lost = observation.principals.filter((principal) => !kept(principal)).flatMap(dropOrphans);
  const keySteps = [...[...plans.values()].flatMap(({ steps = [] }) => steps), ...lost];
  if (keySteps.length > 0) return { steps: keySteps };
  const full = [...plans.values()].flatMap(({ blocked = [] }) => blocked);
  if (full.length > 0) return { blocked: full };

  const goals = new Map([...plans].flatMap(([user, { keyId }]) => (keyId === undefined ? [] : [[user, keyId] as const])));
  const copies = intent.kind === 'down' ? [] : copySteps(observation);
  if (copies.length > 0) return { steps: copies };

  const records = intent.kind === 'down' ? [] : recordSteps(observation, goals);
  if (records.length > 0) return { steps: records };

  const writes = planApps(observation, goals, intent, policy, knowledge);
  if (writes.length > 0) return { steps: writes };

  const retirements = observation.principals.flatMap((principal) => {
    const planned = plans.get(principal.user);
    // What has not leaked can wait for a run that asks every holder.
    const hurries = intent.kind === 'emergency' && planned?.needsSlot !== true;
    // Without a key to hold nothing retires, but for what makes room for one.
    const old = principal.keys.filter((key) => retires(principal, key, planned) && (!hurries || key.refused === 'revoked'));
    const during = planned?.needsSlot === true ? { ...policy, soak: 0 } : policy;
    return old.map((key) => planRetirement(observation, principal, key, intent, during, now));
  });
  // What an app holds that could not be written is not known.
  const steps = knowledge.failedApps.size > 0 ? [] : retirements.flatMap(({ steps = [] }) => steps);
  if (steps.length > 0) return { steps };
  const quarantined = observation.principals.filter(kept).flatMap(quarantineOf);
  if (quarantined.length > 0) return { blocked: quarantined };
  const waiting = retirements.flatMap(({ waiting = [] }) => waiting);
  if (waiting.length > 0) return { waiting };
  const stuck = observation.principals.filter(({ user }) => plans.get(user)?.needsSlot === true);
  if (stuck.length > 0) {
    const text = (principal: PrincipalState) =>
      `${principal.label} needs a new key, and neither of the two it has can go; delete one by hand: ${principal.keys.map(({ id }) => id).join(', ')}`;
    return { blocked: stuck.map((principal) => ({ code: 'slots-full', text: text(principal) })) };
  }
  return { steps: observation.principals.flatMap((principal) => tidy(principal, intent)) };
}

function retires(principal: PrincipalState, key: KeyState, planned: PrincipalPlan | undefined): boolean {
  if (!isKnown(key) && key.refused !== 'revoked') return false;
  if (planned === undefined) return true;
  if (planned.keyId !== undefined) return key.id !== planned.keyId;
  return planned.needsSlot === true && key.id !== principal.current && (key.status === 'Inactive' || key.refused !== undefined);
}

/** Packages are there before any app looks for them, and before the last that could archive more where they were is stopped. */
const copySteps = ({ packages = [] }: TeamObservation): Step[] =>
  packages
    .filter(({ objects }) => objects > 0)
    .map((move) => ({ kind: 'copy-packages', ...move, reason: 'the storage moved, and builds look for them there' }));

/** A leaked key, and keys nobody can hold, of a principal that is no longer wanted. */
function dropOrphans(principal: PrincipalState): Step[] {
  return principal.keys.flatMap((key): Step[] => {
    if (key.refused === 'revoked' && key.status === 'Active') return [stopLeaked(principal, key)];
    const lost = isOrphan(principal, key) || (isKnown(key) && !key.stored);
    return lost ? [keyStep(principal, 'delete-orphan', key, 'made here, and never stored')] : [];
  });
}

function tidy(principal: PrincipalState, intent: Intent): Step[] {
  const of = { principal: principal.label, user: principal.user };
  const lost = isPendingLost(principal);
  if (principal.creating !== undefined || principal.stale !== undefined || lost) {
    const reason = principal.creating !== undefined ? 'no key is being made any more' : 'they are about keys that are gone';
    return [{ kind: 'tidy-tags', ...of, reason }];
  }
  const unwanted = !principal.declared || intent.kind === 'down';
  // One that AWS has quarantined is kept until its case is settled: without keys it is nobody's way in.
  const deletable = principal.exists && principal.keys.length === 0 && !principal.quarantined && principal.attached === undefined;
  return unwanted && deletable && intent.kind !== 'emergency'
    ? [{ kind: 'delete-principal', ...of, reason: 'nobody needs it, and its keys are gone' }]
    : [];
}

/** Marks on users that record what was asked, so that any later run goes on with it; and what is asked for by a key's id. */
function markSteps({ principals }: TeamObservation, intent: Intent): Step[] {
  return principals.flatMap((principal) => {
    if (intent.kind === 'undo') {
      if (!principal.declared || principal.keys.some((key) => key.refused !== undefined)) return [];
      const key = keyToUndo(principal);
      return key === undefined ? [] : [keyStep(principal, 'mark-undone', key, 'turned away; the key before it comes back')];
    }
    if (intent.kind !== 'emergency' && intent.kind !== 'delete-unknown') return [];
    const key = keyNamed(principal, intent.keyId);
    if (key === undefined) return [];
    if (intent.kind === 'delete-unknown') return [keyStep(principal, 'delete-unknown', key, 'asked for by its id')];
    if (key.refused === 'revoked') return [];
    const stop = key.status === 'Active' ? [stopLeaked(principal, key)] : [];
    return [...stop, keyStep(principal, 'mark-revoked', key, 'leaked: it must never come back')];
  });
}
