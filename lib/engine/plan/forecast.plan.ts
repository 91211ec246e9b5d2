import { next } from './next.plan.js';
import type { AppState, Intent, KeyState, Knowledge, Policy, PrincipalState, Step, TeamObservation, Waiting } from '../model.js';

interface World {
  readonly observation: TeamObservation;
  readonly knowledge: Knowledge;
  readonly now: number;
}

/** The steps that follow one another if each does what it should: the same `next` as the engine's, on a world that is only imagined. */
export function forecast(observation: TeamObservation, intent: Intent, policy: Policy, now: number, knowledge: Knowledge): Step[] {
  let world: World = { observation, knowledge, now };
  const steps: Step[] = [];
  for (let round = 0; round < 200; round += 1) {
    const look = next(world.observation, intent, policy, world.now, world.knowledge);
    if (look.blocked.length > 0) break;
    if (look.steps.length > 0) {
      steps.push(...look.steps);
      for (const step of look.steps) world = after(world, step);
      continue;
    }
    const after_ = look.waiting.length === 0 ? undefined : afterWait(world, look.waiting);
    if (after_ === undefined) break;
    for (const waiting of look.waiting) if (waiting.kind !== 'unlooked') steps.push({ kind: 'wait', reason: waiting.text });
    world = after_;
  }
  return steps;
}

function after(world: World, step: Step): World {
  const began = { ...world.knowledge, began: true };
  switch (step.kind) {
    case 'wait':
      return world;
    case 'create-key': {
      const id = `(new key of ${step.principal})`;
      const key: KeyState = { id, status: 'Active', createdAt: new Date(world.now).toISOString(), fingerprint: id, stored: false };
      return withPrincipal({ ...world, knowledge: began }, step.user, (p) => ({ ...p, keys: [...p.keys, key] }));
    }
    case 'store-pending':
      return withPrincipal(
        withKey(world, step, (key) => ({ ...key, stored: true })),
        step.user,
        (p) => ({ ...p, pending: step.keyId, secret: 'present' }),
      );
    case 'verify':
      return { ...world, knowledge: { ...world.knowledge, verified: new Set([...world.knowledge.verified, step.keyId]) } };
    case 'smoke':
      return { ...world, knowledge: { ...world.knowledge, smoked: new Set([...world.knowledge.smoked, step.keyId]) } };
    case 'promote':
      return withPrincipal(world, step.user, (p) => ({
        ...p,
        current: step.keyId,
        previous: p.current === step.keyId ? p.previous : p.current,
        pending: p.pending === step.keyId ? undefined : p.pending,
      }));
    case 'reactivate':
      return withKey(world, step, (key) => ({ ...key, status: 'Active', inactiveSince: undefined }));
    case 'mark-undone':
      return withKey({ ...world, knowledge: began }, step, (key) => ({ ...key, refused: 'undone' }));
    case 'mark-revoked':
      return withKey({ ...world, knowledge: began }, step, (key) => ({ ...key, refused: 'revoked' }));
    case 'deactivate':
      return withKey(world, step, (key) => ({ ...key, status: 'Inactive', inactiveSince: new Date(world.now).toISOString() }));
    case 'start-soak':
      return withKey(world, step, (key) => ({ ...key, inactiveSince: new Date(world.now).toISOString() }));
    case 'delete-key':
    case 'delete-orphan':
    case 'delete-unknown':
      return withPrincipal({ ...world, knowledge: began }, step.user, (p) => ({
        ...p,
        keys: p.keys.filter((key) => key.id !== step.keyId),
      }));
    case 'tidy-tags':
      return withPrincipal(world, step.user, (p) => ({ ...p, creating: undefined, stale: undefined }));
    case 'delete-principal':
      return {
        ...world,
        observation: { ...world.observation, principals: world.observation.principals.filter((p) => p.user !== step.user) },
      };
    case 'write-apps':
      return withApps(world, (app) => {
        const write = step.apps.find((candidate) => candidate.app === app.name);
        if (write === undefined) return app;
        const key = world.observation.principals.flatMap((p) => p.keys).find((candidate) => candidate.id === write.keyId);
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
function afterWait(world: World, waiting: readonly Waiting[]): World | undefined {
  if (waiting.some(({ kind, text }) => kind === 'unreadable' || (kind === 'holder' && / holds /.test(text)))) return undefined;
  const until = Math.max(world.now, ...waiting.flatMap((wait) => (wait.until === undefined ? [] : [Date.parse(wait.until)])));
  const quiet = withApps({ ...world, now: until }, (app) => ({ ...app, flight: { unsettled: false, running: [] } }));
  const principals = quiet.observation.principals.map((p) => ({ ...p, keys: p.keys.map((key) => ({ ...key, lastUsedAt: undefined })) }));
  return { ...quiet, observation: { ...quiet.observation, principals } };
}

function withApps(world: World, change: (app: AppState) => AppState): World {
  return { ...world, observation: { ...world.observation, apps: world.observation.apps.map(change) } };
}

function withPrincipal(world: World, user: string, change: (principal: PrincipalState) => PrincipalState): World {
  const principals = world.observation.principals.map((principal) => (principal.user === user ? change(principal) : principal));
  return { ...world, observation: { ...world.observation, principals } };
}

function withKey(world: World, at: { user: string; keyId: string }, change: (key: KeyState) => KeyState): World {
  return withPrincipal(world, at.user, (principal) => ({
    ...principal,
    keys: principal.keys.map((key) => (key.id === at.keyId ? change(key) : key)),
  }));
}
