import { planApps } from './apps.plan.js';
import { inWords } from '../clock.js';
import { forecast } from './forecast.plan.js';
import type { Blocked, Intent, KeyState, Knowledge, Plan, Policy, PrincipalState, Step, TeamObservation, Waiting } from '../model.js';
import { describeUnknown, goalOf, isKnown, isOrphan, keyNamed, unknownKeys } from './principal.plan.js';
import { planRetirement } from './retire.plan.js';

/** What can be done at once, from this observation alone; or what keeps it from being done. */
export interface Next {
  readonly steps: readonly Step[];
  readonly waiting: readonly Waiting[];
  readonly blocked: readonly Blocked[];
  readonly notices: readonly string[];
}

export const NO_KNOWLEDGE: Knowledge = {
  verified: new Set(),
  smoked: new Set(),
  failedApps: new Map(),
  canSmoke: false,
  began: false,
  replace: new Map(),
};

/**
 * The whole way from what is to what is wanted: pure and serialisable. The first `ready` steps can be done now, the rest is what
 * follows if all goes well; the engine does the ready ones, looks again, and plans again.
 */
export function plan(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge = NO_KNOWLEDGE): Plan {
  const first = next(observation, intent, policy, now, knowledge);
  const steps = first.blocked.length > 0 ? [] : forecast(observation, intent, policy, now, knowledge);
  return {
    steps,
    ready: first.blocked.length > 0 ? 0 : first.steps.length,
    waiting: first.waiting,
    blocked: first.blocked,
    notices: first.notices,
  };
}

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

/** One look: blocked, else the steps of the first stage that has any (mark, keys, apps, retire, tidy), else what is waited for. */
export function next(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Next {
  return { ...stage(observation, intent, policy, now, knowledge), notices: notices(observation, intent, now) };
}

function stage(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Omit<Next, 'notices'> {
  const blocked = obstacles(observation, intent, knowledge, now);
  if (blocked.length > 0) return { steps: [], waiting: [], blocked };
  const marks = markSteps(observation, intent);
  if (marks.length > 0) return { steps: marks, waiting: [], blocked: [] };
  if (intent.kind === 'delete-unknown') return { steps: [], waiting: [], blocked: [] };

  const kept = (principal: PrincipalState) => principal.declared && intent.kind !== 'down';
  const ways = new Map(observation.principals.filter(kept).map((principal) => [principal.user, goalOf(principal, knowledge)]));
  const lost = observation.principals.filter((principal) => !kept(principal)).flatMap(dropOrphans);
  const keySteps = [...[...ways.values()].flatMap((way) => way.steps), ...lost];
  if (keySteps.length > 0) return { steps: keySteps, waiting: [], blocked: [] };
  const full = [...ways.values()].flatMap((way) => way.blocked);
  if (full.length > 0) return { steps: [], waiting: [], blocked: full };

  const goals = new Map([...ways].flatMap(([user, way]) => (way.keyId === undefined ? [] : [[user, way.keyId] as const])));
  const apps = planApps(observation, goals, intent, policy, knowledge);
  if (apps.steps.length > 0) return { steps: apps.steps, waiting: [], blocked: [] };

  const retirements = observation.principals.flatMap((principal) => {
    const way = ways.get(principal.user);
    // Without a goal nothing retires, but for what makes room for one.
    const old = principal.keys.filter((key) => retires(principal, key, way?.keyId, way !== undefined, way?.needsSlot === true));
    const during = way?.needsSlot === true ? { ...policy, soak: 0 } : policy;
    return old.map((key) => planRetirement(observation, principal, key, intent, during, now));
  });
  const steps = retirements.flatMap((retirement) => retirement.steps);
  if (steps.length > 0) return { steps, waiting: [], blocked: [] };
  const waiting = retirements.flatMap((retirement) => retirement.waiting);
  const stuck = waiting.length > 0 ? [] : observation.principals.filter(({ user }) => ways.get(user)?.needsSlot === true);
  if (stuck.length > 0) {
    const text = (principal: PrincipalState) =>
      `${principal.label} needs a new key, and neither of the two it has can go; delete one by hand: ${principal.keys.map(({ id }) => id).join(', ')}`;
    return { steps: [], waiting: [], blocked: stuck.map((principal) => ({ code: 'slots-full', text: text(principal) })) };
  }
  return { steps: waiting.length > 0 ? [] : observation.principals.flatMap((principal) => tidy(principal, intent)), waiting, blocked: [] };
}

function retires(principal: PrincipalState, key: KeyState, goal: string | undefined, kept: boolean, needsSlot: boolean): boolean {
  if (!isKnown(key) && key.refused !== 'revoked') return false;
  if (!kept) return true;
  if (goal !== undefined) return key.id !== goal;
  return needsSlot && key.id !== principal.current && (key.status === 'Inactive' || key.refused !== undefined);
}

/** A leaked key, and keys nobody can hold, of a principal that is no longer wanted. */
function dropOrphans(principal: PrincipalState): Step[] {
  const of = { principal: principal.label, user: principal.user };
  return principal.keys.flatMap((key): Step[] => {
    if (key.refused === 'revoked' && key.status === 'Active')
      return [{ kind: 'deactivate', ...of, keyId: key.id, reason: 'leaked: it must stop working at once' }];
    const lost = isOrphan(principal, key) || (isKnown(key) && !key.stored);
    return lost ? [{ kind: 'delete-orphan', ...of, keyId: key.id, reason: 'made here, and never stored' }] : [];
  });
}

function tidy(principal: PrincipalState, intent: Intent): Step[] {
  const of = { principal: principal.label, user: principal.user };
  if (principal.creating !== undefined || principal.stale !== undefined) {
    return [
      {
        kind: 'tidy-tags',
        ...of,
        reason: principal.creating !== undefined ? 'no key is being made any more' : 'they are about keys that are gone',
      },
    ];
  }
  const gone = !principal.declared && principal.exists && principal.keys.length === 0 && principal.inStack === false;
  return gone && intent.kind !== 'emergency'
    ? [{ kind: 'delete-principal', ...of, reason: 'neither the file nor the stack holds it, and its keys are gone' }]
    : [];
}

/** Marks on users that record what was asked, so that any later run goes on with it. */
function markSteps(observation: TeamObservation, intent: Intent): Step[] {
  const everything = observation.principals.flatMap((principal) => principal.keys.map((key) => ({ principal, key })));
  const mark = (
    kind: 'mark-revoked' | 'mark-undone' | 'delete-unknown',
    { principal, key }: (typeof everything)[number],
    reason: string,
  ): Step => ({
    kind,
    principal: principal.label,
    user: principal.user,
    keyId: key.id,
    reason,
  });
  if (intent.kind === 'emergency') {
    return everything
      .filter(({ key }) => key.id === intent.keyId && key.refused !== 'revoked')
      .map((at) => mark('mark-revoked', at, 'leaked: it must never come back'));
  }
  if (intent.kind === 'delete-unknown') {
    return everything.filter(({ key }) => key.id === intent.keyId).map((at) => mark('delete-unknown', at, 'asked for by its id'));
  }
  if (intent.kind !== 'undo') return [];
  return observation.principals.flatMap((principal) => {
    if (!principal.declared || principal.keys.some((key) => key.refused !== undefined)) return [];
    const key = keyToUndo(principal);
    return key === undefined ? [] : [mark('mark-undone', { principal, key }, 'turned away; the key before it comes back')];
  });
}

/** The newest key, where there is one before it to go back to. */
function keyToUndo(principal: PrincipalState): KeyState | undefined {
  const pending = keyNamed(principal, principal.pending);
  const current = keyNamed(principal, principal.current);
  if (pending !== undefined && pending.id !== principal.current && current?.status === 'Active') return pending;
  const previous = keyNamed(principal, principal.previous);
  return previous?.fingerprint === undefined ? undefined : current;
}

/** Whatever must be settled by a person first. */
function obstacles(observation: TeamObservation, intent: Intent, knowledge: Knowledge, now: number): Blocked[] {
  const found: Blocked[] = [];
  const { principals, apps, team } = observation;
  if (intent.kind === 'emergency' || intent.kind === 'delete-unknown') {
    const owner = principals.find((principal) => principal.keys.some((key) => key.id === intent.keyId));
    if (owner === undefined && !knowledge.began)
      found.push({ code: 'key-not-found', text: `no user of team ${team} has a key ${intent.keyId}` });
    if (intent.kind === 'delete-unknown' && owner !== undefined) {
      const key = keyNamed(owner, intent.keyId) as KeyState;
      const holder = apps.find((app) => app.vars.HALCYON_AWS_ACCESS_KEY_ID === key.id);
      if (isKnown(key))
        found.push({ code: 'key-known', text: `${key.id} is a key of ${owner.label} that the kit made; rotate it instead` });
      else if (holder !== undefined)
        found.push({
          code: 'key-in-use',
          text: `${key.id} is held by app ${holder.name}; run sync first, which gives it ${owner.label}'s own key`,
        });
    }
    return found;
  }
  if (intent.kind !== 'down') {
    for (const principal of principals.filter((candidate) => candidate.declared)) {
      if (!principal.exists)
        found.push({ code: 'user-missing', text: `IAM user ${principal.user} does not exist; deploy the stack of team ${team} first` });
      else if (principal.secret === 'missing')
        found.push({ code: 'secret-missing', text: `${principal.label} has no secret; deploy the stack of team ${team} first` });
    }
  }
  if (intent.kind === 'ensure' && !knowledge.began) {
    for (const app of apps.filter((candidate) => candidate.state === 'missing')) {
      found.push({ code: 'app-not-found', text: `app ${app.name} does not exist; create it, or take it out of the file` });
    }
  }
  if (intent.kind !== 'ensure') {
    for (const principal of principals) {
      for (const key of unknownKeys(principal)) {
        found.push({
          code: 'unknown-key',
          text: `${describeUnknown(principal, key, now)}; if it may go, run rotate with --delete-unknown-key ${key.id}`,
        });
      }
    }
  }
  if (
    intent.kind === 'undo' &&
    !knowledge.began &&
    principals.every((p) => keyToUndo(p) === undefined && !p.keys.some((key) => key.refused !== undefined))
  ) {
    found.push({
      code: 'nothing-to-undo',
      text: `no key of team ${team} has one before it: an undo is possible until the old key is deleted`,
    });
  }
  return found;
}

/** What a person should know, though it stops nothing. */
function notices(observation: TeamObservation, intent: Intent, now: number): string[] {
  const said: string[] = [];
  if (intent.kind === 'ensure') {
    for (const principal of observation.principals)
      for (const key of unknownKeys(principal)) said.push(describeUnknown(principal, key, now));
  }
  for (const app of observation.apps) {
    if (app.state === 'missing' && intent.kind !== 'ensure') said.push(`app ${app.name} does not exist any more; take it out of the file`);
    if (app.state === 'unreadable') said.push(`app ${app.name} cannot be read: ${app.problem ?? 'no reason given'}`);
  }
  if (intent.kind === 'emergency') {
    const hit = observation.apps.filter((app) => app.vars.HALCYON_AWS_ACCESS_KEY_ID === intent.keyId).map((app) => app.name);
    said.push(
      hit.length === 0
        ? `no app holds ${intent.keyId}`
        : `without a working key until theirs is replaced, about ${inWords(30_000 + 2000 * hit.length)}: ${hit.join(', ')}; builds that run meanwhile may fail`,
    );
  }
  return said;
}
