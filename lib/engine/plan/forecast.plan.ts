import type { AppState, Intent, KeyState, Knowledge, Plan, Policy, PrincipalState, Step, TeamObservation, Waiting } from '../model.js';
import { next } from './next.plan.js';

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
    const later = stage.waiting.length === 0 ? undefined : afterWait(team, stage.waiting);
    if (later === undefined) break;
    for (const waiting of stage.waiting) if (waiting.kind !== 'unobserved') steps.push({ kind: 'wait', reason: waiting.text });
    team = later;
  }
  return steps;
}

function after(team: Imagined, step: Step): Imagined {
  const began = { ...team.knowledge, began: true };
  switch (step.kind) {
    case 'wait':
      return team;
    case 'create-key': {
      const id = `(new key of ${step.principal})`;
      const key: KeyState = { id, status: 'Active', createdAt: new Date(team.now).toISOString(), fingerprint: id, stored: false };
      return withPrincipal({ ...team, knowledge: began }, step.user, (p) => ({ ...p, keys: [...p.keys, key] }));
    }
    case 'store-pending':
      return withPrincipal(
        withKey(team, step, (key) => ({ ...key, stored: true })),
        step.user,
        (p) => ({ ...p, pending: step.keyId, secret: 'present' }),
      );
    case 'verify':
      return { ...team, knowledge: { ...team.knowledge, verified: new Set([...team.knowledge.verified, step.keyId]) } };
    case 'smoke':
      return { ...team, knowledge: { ...team.knowledge, smoked: new Set([...team.knowledge.smoked, step.keyId]) } };
    case 'promote':
      return withPrincipal(team, step.user, (p) => ({
        ...p,
        current: step.keyId,
        previous: p.current === step.keyId ? p.previous : p.current,
        pending: p.pending === step.keyId ? undefined : p.pending,
      }));
    case 'reactivate':
      return withKey(team, step, (key) => ({ ...key, status: 'Active', inactiveSince: undefined }));
    case 'mark-undone':
      return withKey({ ...team, knowledge: began }, step, (key) => ({ ...key, refused: 'undone' }));
    case 'mark-revoked':
      return withKey({ ...team, knowledge: began }, step, (key) => ({ ...key, refused: 'revoked' }));
    case 'deactivate':
      return withKey(team, step, (key) => ({ ...key, status: 'Inactive', inactiveSince: new Date(team.now).toISOString() }));
    case 'start-soak':
      return withKey(team, step, (key) => ({ ...key, inactiveSince: new Date(team.now).toISOString() }));
    case 'delete-key':
    case 'delete-orphan':
    case 'delete-unknown':
      return withPrincipal({ ...team, knowledge: began }, step.user, (p) => ({
        ...p,
        keys: p.keys.filter((key) => key.id !== step.keyId),
      }));
    case 'tidy-tags':
      return withPrincipal(team, step.user, (p) => ({ ...p, creating: undefined, stale: undefined }));
    case 'delete-principal':
      return {
        ...team,
        observation: { ...team.observation, principals: team.observation.principals.filter((p) => p.user !== step.user) },
      };
    case 'write-apps':
      return withApps(team, (app) => {
        const write = step.apps.find((candidate) => candidate.app === app.name);
        if (write === undefined) return app;
        const key = team.observation.principals.flatMap((p) => p.keys).find((candidate) => candidate.id === write.keyId);
        const vars =
          write.keyId === null
            ? {}
            : Object.fromEntries(
                Object.entries({
                  ...app.wanted,
                  HALCYON_AWS_ACCESS_KEY_ID: write.keyId,
                  HALCYON_AWS_SECRET_ACCESS_KEY: key?.fingerprint ?? null,
                }).filter((entry) => entry[1] !== null),
              );
        return { ...app, vars };
      });
  }
}

/** What was waited for is over: builds have ended, and soaks; undefined where nobody can tell. */
function afterWait(team: Imagined, waiting: readonly Waiting[]): Imagined | undefined {
  if (waiting.some(({ kind }) => kind === 'unreadable' || kind === 'holds')) return undefined;
  const until = Math.max(team.now, ...waiting.flatMap((wait) => (wait.until === undefined ? [] : [Date.parse(wait.until)])));
  const quiet = withApps({ ...team, now: until }, (app) => ({ ...app, activity: { releasePending: false, running: [] } }));
  const principals = quiet.observation.principals.map((p) => ({ ...p, keys: p.keys.map((key) => ({ ...key, lastUsedAt: undefined })) }));
  return { ...quiet, observation: { ...quiet.observation, principals } };
}

function withApps(team: Imagined, change: (app: AppState) => AppState): Imagined {
  return { ...team, observation: { ...team.observation, apps: team.observation.apps.map(change) } };
}

function withPrincipal(team: Imagined, user: string, change: (principal: PrincipalState) => PrincipalState): Imagined {
  const principals = team.observation.principals.map((principal) => (principal.user === user ? change(principal) : principal));
  return { ...team, observation: { ...team.observation, principals } };
}

function withKey(team: Imagined, at: { user: string; keyId: string }, change: (key: KeyState) => KeyState): Imagined {
  return withPrincipal(team, at.user, (principal) => ({
    ...principal,
    keys: principal.keys.map((key) => (key.id === at.keyId ? change(key) : key)),
  }));
}
