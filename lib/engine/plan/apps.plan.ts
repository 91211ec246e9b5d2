import { desiredConfigVars, differing, withKeyVars, type DesiredConfigVars } from '../../contract/index.js';
import type { AppState, AppWrite, Intent, Knowledge, Policy, PrincipalState, Step, TeamObservation } from '../model.js';
import { isPruning, leftHolders, ownerOf } from './holders.plan.js';
import { keyNamed } from './principal.plan.js';

/** Key each principal's apps may be given, by user. */
export type Goals = ReadonlyMap<string, string>;

/** Which apps to write now: all at once, or as far as the next wave goes, with a smoke deploy after the first. */
export function planApps(observation: TeamObservation, goals: Goals, intent: Intent, policy: Policy, knowledge: Knowledge): Step[] {
  const present = observation.apps.filter((app) => app.state === 'present' && app.problem === undefined);
  const failed = present.filter((app) => knowledge.failedApps.has(app.name));
  const left = isPruning(intent) ? leftHolders(observation) : [];
  const writes = [...present.filter((app) => intent.kind !== 'down' || !isOnOthersKey(observation, app)), ...left]
    .filter((app) => !knowledge.failedApps.has(app.name))
    .flatMap((app) => {
      const write = writeOf(observation, app, goals, intent);
      return write === undefined || write.changes.length === 0 ? [] : [{ app, write }];
    });
  if (intent.kind !== 'rotate' && intent.kind !== 'undo' && intent.kind !== 'finish') return all(writes, intent);

  const urgent = writes.filter(({ app }) => !holdsLiveKey(observation, app));
  if (urgent.length > 0) return all(urgent, intent, 'they have no working key');

  // Waves count the apps of principals in motion: those with an older key that still works.
  const moving = new Set(observation.principals.filter((p) => goals.has(p.user) && hasOlder(p, goals.get(p.user))).map((p) => p.user));
  const inMotion = inOrder(present.filter((app) => app.user !== undefined && moving.has(app.user)));
  const writeTo = new Map(writes.map(({ app, write }) => [app.name, write]));
  const moved = inMotion.filter((app) => !writeTo.has(app.name) && !knowledge.failedApps.has(app.name));

  // What a stage of a pipeline has no build of a short-lived app can stand for.
  const first = moved.find(({ stage }) => stage === undefined);
  const unproven = first?.user === undefined ? undefined : goals.get(first.user);
  if (
    intent.kind === 'rotate' &&
    knowledge.canSmoke &&
    first !== undefined &&
    unproven !== undefined &&
    !moved.some((app) => knowledge.smoked.has(goals.get(app.user ?? '') ?? ''))
  ) {
    const principal = observation.principals.find((p) => p.user === first.user)?.label ?? '';
    const reason = 'a build must work with the new key before more apps get it';
    return [{ kind: 'smoke', principal, user: first.user ?? '', keyId: unproven, app: first.name, reason }];
  }
  if (writes.length === 0) return [];

  const moves = new Set(inMotion);
  const outside = writes.filter(({ app }) => !moves.has(app));
  if (outside.length > 0) return all(outside, intent);
  const total = inMotion.length;
  const target = policy.waves.map((wave) => waveSize(wave, total)).find((size) => size > moved.length) ?? total;
  const waiting = inMotion.filter((app) => writeTo.has(app.name));
  const wave = waiting.slice(0, Math.max(1, target - moved.length - failed.length)).map((app) => app.name);
  const reason =
    moved.length === 0 && wave.length < waiting.length
      ? `first ${wave.join(', ')} alone`
      : `wave to ${Math.min(total, moved.length + wave.length)} of ${total} apps`;
  const apps = wave.map((name) => writeTo.get(name)).filter((write) => write !== undefined);
  return [{ kind: 'write-apps', wave: `${Math.min(total, moved.length + wave.length)}/${total}`, reason, apps }];
}

/** `3` apps, or `10%` of `total`, rounded up. */
function waveSize(wave: string, total: number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(wave)?.[1];
  return Math.min(total, percent === undefined ? Number(wave) : Math.ceil((total * Number(percent)) / 100));
}

/** It was moved, by another file: what it has is not this team's to take. */
export const isOnOthersKey = (observation: TeamObservation, app: AppState): boolean =>
  app.vars.HALCYON_AWS_ACCESS_KEY_ID !== undefined && ownerOf(observation, app) === undefined;

/** What differs between an app and what it should hold; undefined while its principal has no key to give. */
function writeOf({ principals }: TeamObservation, app: AppState, goals: Goals, intent: Intent): AppWrite | undefined {
  const write = (keyId: string | null, desired: DesiredConfigVars) => ({
    ...{ app: app.name, keyId },
    changes: differing(app.vars, desired).map((name) => ({ name, from: app.vars[name] ?? null, to: desired[name] })),
  });
  if (intent.kind === 'down' || app.user === undefined) return write(null, desiredConfigVars({ mode: 'public' }));
  const keyId = goals.get(app.user);
  const desired = desiredHolding(keyId, app, principals);
  return keyId === undefined || desired === undefined ? undefined : write(keyId, desired);
}

/** What an app should have when it holds that key, the secret as its fingerprint; undefined where nobody knows it. */
export function desiredHolding(
  keyId: string | undefined,
  { wanted }: AppState,
  principals: readonly PrincipalState[],
): DesiredConfigVars | undefined {
  const secret = principals.flatMap(({ keys }) => keys).find(({ id }) => id === keyId)?.fingerprint;
  return keyId === undefined || secret === undefined ? undefined : withKeyVars(wanted, { accessKeyId: keyId, secretAccessKey: secret });
}

function all(writes: ReadonlyArray<{ app: AppState; write: AppWrite }>, intent: Intent, why?: string): Step[] {
  if (writes.length === 0) return [];
  const reason = why ?? (intent.kind === 'down' ? 'the team goes' : 'they differ from the file or from the current key');
  const writeTo = new Map(writes.map(({ app, write }) => [app, write]));
  const apps = inOrder([...writeTo.keys()]).map((app) => writeTo.get(app) as AppWrite);
  return [{ kind: 'write-apps', wave: 'all', reason, apps }];
}

/** The canary first, then those that upload, then the rest, then stages of pipelines. */
function inOrder(apps: readonly AppState[]): AppState[] {
  const rank = (app: AppState) =>
    app.stage !== undefined ? 4 : app.canary ? 0 : app.access === 'upload' ? 1 : app.access === 'append-only' ? 2 : 3;
  return [...apps].sort((a, b) => rank(a) - rank(b));
}

function hasOlder(principal: PrincipalState, goal: string | undefined): boolean {
  return principal.keys.some((key) => key.id !== goal && key.status === 'Active' && key.fingerprint !== undefined);
}

/** The app can go on working for now: its own principal's key, active, with the right secret. */
function holdsLiveKey(observation: TeamObservation, app: AppState): boolean {
  const principal = observation.principals.find((candidate) => candidate.user === app.user);
  if (principal === undefined) return app.vars.HALCYON_AWS_ACCESS_KEY_ID === undefined;
  const key = keyNamed(principal, app.vars.HALCYON_AWS_ACCESS_KEY_ID);
  return key?.status === 'Active' && key.refused !== 'revoked' && key.fingerprint === app.vars.HALCYON_AWS_SECRET_ACCESS_KEY;
}
