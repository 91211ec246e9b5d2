import type { AppState, Intent, KeyState, Knowledge, Plan, Policy, PrincipalState, Step, TeamObservation, Waiting } from '../model.js';
import { next } from './next.plan.js';
import { isPendingLost } from './principal.plan.js';
import { isOver, soonestOf, waitsOf } from './waiting.plan.js';

/**
 * The whole way from what is to what is wanted: pure and serialisable. The engine does the first stage of it, looks again, and plans again.
 * What is waited for or blocked, and what a person should know, is that of the first stage.
 */
export function plan(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Plan {
  const first = next(observation, intent, policy, now, knowledge);
  return { ...first, steps: first.blocked.length > 0 ? [] : forecast(observation, intent, policy, now, knowledge) };
}

/** A team as it is imagined to become. */
interface Imagined {
  readonly observation: TeamObservation;
  readonly knowledge: Knowledge;
  readonly now: number;
}

/** The steps that follow one another if each does what it should: the same `next` as the engine's, on a team that is only imagined. */
function forecast(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Step[] {
  let team: Imagined = { observation, knowledge, now };
  const steps: Step[] = [];
  for (let round = 0; round < 200; round += 1) {
    const stage = next(team.observation, intent, policy, team.now, team.knowledge);
    if (stage.blocked.length > 0) break;
    if (stage.steps.length > 0) {
      steps.push(...stage.steps);
      for (const step of stage.steps) team = after(team, step);
      continue;
    }
    // What is not known yet is looked at before anything is waited for.
    const unknown = stage.waiting.filter(({ kind }) => kind === 'unobserved');
    const awaited = unknown.length > 0 ? unknown : endingFirst(stage.waiting);
    const later = awaited.length === 0 ? undefined : afterWait(team, awaited);
    if (later === undefined) break;
    const isLater = isOver(intent, stage.waiting) || soonestOf(awaited, team.now) > now + policy.patience;
    if (unknown.length === 0)
      for (const reason of waitsOf(awaited)) steps.push({ kind: 'wait', reason, ...(isLater ? { later: true } : {}) });
    team = later;
  }
  return steps;
}

function after(team: Imagined, step: Step): Imagined {
  const now = new Date(team.now).toISOString();
  const began = { ...team, knowledge: { ...team.knowledge, began: true } };
  switch (step.kind) {
    case 'wait':
      return team;
    case 'create-key': {
      const id = `(new key of ${step.principal})`;
      const key: KeyState = { id, status: 'Active', createdAt: now, fingerprint: id, stored: false };
      return withPrincipal(began, step.user, ({ keys }) => ({ keys: [...keys, key] }));
    }
    case 'store-pending': {
      const stored = withKey(team, step, { stored: true });
      return withPrincipal(stored, step.user, () => ({ pending: step.keyId, secret: 'present' }));
    }
    case 'verify':
      return { ...team, knowledge: { ...team.knowledge, verified: new Set([...team.knowledge.verified, step.keyId]) } };
    case 'smoke':
      return { ...team, knowledge: { ...team.knowledge, smoked: new Set([...team.knowledge.smoked, step.keyId]) } };
    case 'promote':
      return withPrincipal(team, step.user, ({ current, pending, previous }) => ({
        current: step.keyId,
        previous: current === step.keyId ? previous : current,
        pending: pending === step.keyId ? undefined : pending,
      }));
    case 'reactivate':
      return withKey(team, step, { status: 'Active', inactiveSince: undefined });
    case 'mark-undone':
      return withKey(began, step, { refused: 'undone' });
    case 'mark-revoked':
      return withKey(began, step, { refused: 'revoked' });
    case 'deactivate':
      return withKey(team, step, { status: 'Inactive', inactiveSince: now });
    case 'start-soak':
      return withKey(team, step, { inactiveSince: now });
    case 'delete-key':
    case 'delete-orphan':
    case 'delete-unknown':
      return withPrincipal(began, step.user, ({ keys }) => ({ keys: keys.filter(({ id }) => id !== step.keyId) }));
    case 'tidy-tags':
      return withPrincipal(team, step.user, (principal) => ({
        ...{ creating: undefined, stale: undefined },
        ...(isPendingLost(principal) ? { pending: undefined } : {}),
      }));
    case 'delete-principal':
      return withPrincipals(team, (principal) => (principal.user === step.user ? [] : [principal]));
    case 'record-holders': {
      const { recorded = {} } = team.observation;
      const all = [...(recorded[step.user] ?? []), ...step.holders];
      return { ...team, observation: { ...team.observation, recorded: { ...recorded, [step.user]: all } } };
    }
    case 'copy-packages':
      return { ...began, observation: { ...began.observation, packages: [] } };
    case 'write-apps': {
      const writes = new Map(step.apps.map((write) => [write.app, write]));
      return withApps(team, (app) => {
        const write = writes.get(app.name);
        if (write === undefined) return app;
        const released = app.activity && { activity: { ...app.activity, keyRelease: { version: Infinity, at: now } } };
        if (write.keyId === null) return { ...app, vars: {}, ...released };
        const key = team.observation.principals.flatMap(({ keys }) => keys).find(({ id }) => id === write.keyId);
        const held = { HALCYON_AWS_ACCESS_KEY_ID: write.keyId, HALCYON_AWS_SECRET_ACCESS_KEY: key?.fingerprint ?? null };
        const vars = Object.fromEntries(Object.entries({ ...app.wanted, ...held }).filter((entry) => entry[1] !== null));
        return { ...app, vars, ...released };
      });
    }
  }
}

/** What nobody can tell the end of may be over at once; else what ends in the same minute. */
function endingFirst(waiting: readonly Waiting[]): readonly Waiting[] {
  const first = waiting.map(({ until = '' }) => until.slice(0, 16)).sort()[0];
  return waiting.filter(({ until = '' }) => until.slice(0, 16) === first);
}

/** What was waited for is over: builds have ended, and soaks; undefined where nobody can tell. */
function afterWait(team: Imagined, waiting: readonly Waiting[]): Imagined | undefined {
  if (waiting.some(({ kind }) => kind === 'unreadable' || kind === 'holds')) return undefined;
  const awaited = new Set(waiting.map(({ keyId }) => keyId));
  const now = Math.max(team.now, ...waiting.flatMap(({ until }) => (until === undefined ? [] : [Date.parse(until)])));
  const quiet = withApps({ ...team, now }, (app) => ({ ...app, activity: { releasePending: false, running: [] } }));
  return withPrincipals(quiet, (principal) => [
    { ...principal, keys: principal.keys.map((key) => (awaited.has(key.id) ? { ...key, lastUsedAt: undefined } : key)) },
  ]);
}

function withApps(team: Imagined, change: (app: AppState) => AppState): Imagined {
  const { outside } = team.observation;
  const others = outside === undefined ? {} : { outside: outside.map((app) => ({ ...app, ...change(app) })) };
  return { ...team, observation: { ...team.observation, apps: team.observation.apps.map(change), ...others } };
}

function withPrincipals(team: Imagined, change: (principal: PrincipalState) => PrincipalState[]): Imagined {
  return { ...team, observation: { ...team.observation, principals: team.observation.principals.flatMap(change) } };
}

function withPrincipal(team: Imagined, user: string, change: (principal: PrincipalState) => Partial<PrincipalState>): Imagined {
  return withPrincipals(team, (principal) => [principal.user === user ? { ...principal, ...change(principal) } : principal]);
}

function withKey(team: Imagined, { user, keyId }: { user: string; keyId: string }, change: Partial<KeyState>): Imagined {
  return withPrincipal(team, user, ({ keys }) => ({ keys: keys.map((key) => (key.id === keyId ? { ...key, ...change } : key)) }));
}
