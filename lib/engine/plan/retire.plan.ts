import { inWords } from '../clock.js';
import type { Activity, AppState, Intent, KeyState, Plan, Policy, PrincipalState, TeamObservation, Waiting } from '../model.js';
import { everyHolder } from './holders.plan.js';
import { keyStep } from './principal.plan.js';

export type RetirePlan = Partial<Pick<Plan, 'steps' | 'waiting'>>;

/** Uses seen up to this long after apps moved are laid to the coarseness of AWS's last-used time. */
const COARSE = 60_000;

/**
 * The retire barrier. An older key is deactivated when no app holds it, nothing that began while one did is still running, and nothing
 * else uses it; it soaks; then it is deleted. Whatever cannot be looked at counts as a holder.
 */
export function planRetirement(
  observation: TeamObservation,
  principal: PrincipalState,
  key: KeyState,
  intent: Intent,
  policy: Policy,
  now: number,
): RetirePlan {
  const of = { principal: principal.label, keyId: key.id };
  const act = (kind: 'deactivate' | 'start-soak' | 'delete-key', reason: string) => ({ steps: [keyStep(principal, kind, key, reason)] });
  const held = holders(observation, key, intent, now).map((reason) => ({ ...reason, ...of }));

  if (key.refused === 'revoked' && key.status === 'Inactive') {
    const apps = observation.apps.filter((app) => app.vars.HALCYON_AWS_ACCESS_KEY_ID === key.id && app.state === 'present');
    if (apps.length === 0) return act('delete-key', 'leaked, inactive, and no app holds it');
  }
  if (held.length > 0) return { waiting: held };
  if (key.status === 'Active') {
    const use = recentUse(observation, key, intent, policy, now);
    if (use !== undefined) return { waiting: [{ ...use, ...of }] };
    return act('deactivate', 'no app holds it, and nothing that began with it is still running');
  }
  if (intent.kind === 'down') return act('delete-key', 'the team goes');
  // A key that was never current was never given to an app, so there is nothing to come back for.
  if (key.id === principal.pending && key.id !== principal.current) return act('delete-key', 'it was never given to an app');
  if (key.inactiveSince === undefined) {
    return policy.soak === 0
      ? act('delete-key', 'inactive, and no soak is asked for')
      : act('start-soak', 'inactive since an unknown time');
  }
  const end = Date.parse(key.inactiveSince) + policy.soak;
  if (now < end) {
    const until = new Date(end).toISOString();
    const text = `${key.id}: inactive until ${until.slice(0, 16).replace('T', ' ')} UTC, in case something still needs it`;
    return { waiting: [{ kind: 'soak', ...of, text, since: key.inactiveSince, until }] };
  }
  return act('delete-key', `after its soak of ${inWords(policy.soak)}, as nothing missed it`);
}

/** Of an app that is none of the team's: what is to be done about it. */
function elsewhere({ outside = [] }: TeamObservation, { name }: AppState): { text: string; stays?: true; team?: string } {
  const app = outside.find((one) => one.name === name);
  if (app === undefined) return { text: '' };
  if (app.team !== undefined) return { text: ` until halcyon-kit up ${app.team} moves it to that team`, team: app.team };
  return { text: ', and no team of the file has it', stays: true };
}

type Reason = Pick<Waiting, 'kind' | 'app' | 'text' | 'since' | 'stays' | 'team'>;

/** Why the key may still be held, app by app. What runs with one that is inactive has lost nothing more when it goes. */
function holders(observation: TeamObservation, { id: keyId, status }: KeyState, intent: Intent, now: number): Reason[] {
  return everyHolder(observation).flatMap((app): Reason[] => {
    const of = { app: app.name };
    if (app.state === 'missing') return [];
    if (app.state === 'unreadable')
      return [
        { ...of, kind: 'unreadable', text: `${app.name} cannot be read, so it may hold ${keyId}: ${app.problem ?? 'no reason given'}` },
      ];
    if (app.vars.HALCYON_AWS_ACCESS_KEY_ID === keyId) {
      if (app.problem === undefined) {
        const { text, ...more } = elsewhere(observation, app);
        return [{ ...of, kind: 'holds', text: `${app.name} holds ${keyId}${text}`, ...more }];
      }
      return [{ ...of, kind: 'unreadable', text: `${app.name} holds ${keyId}, and is not to be written: ${app.problem}` }];
    }
    if (status === 'Inactive') return [];
    const { activity } = app;
    if (activity === undefined) return [{ ...of, kind: 'unobserved', text: `what is running on ${app.name} has not been looked at` }];
    if (activity.releasePending) return [{ ...of, kind: 'release-pending', text: `the newest release of ${app.name} has not ended` }];
    if (intent.kind === 'down' && intent.force) return [];
    return activity.running
      .filter((running) => mayHoldOlder(activity, running))
      .map((running) => ({
        ...of,
        kind: 'in-flight',
        since: running.startedAt,
        text: `${running.kind} ${running.id} of ${app.name} began ${inWords(now - Date.parse(running.startedAt))} ago, before the app had its present key`,
      }));
  });
}

function mayHoldOlder({ keyRelease }: Activity, running: Activity['running'][number]): boolean {
  if (keyRelease === undefined) return false;
  if (running.release !== undefined && running.release >= keyRelease.version) return false;
  // Heroku's times are whole seconds: what began in the same second may have begun before.
  return Date.parse(running.startedAt) <= Date.parse(keyRelease.at);
}

/** A use after every app had moved, that no build explains: something unknown holds the key, until it has been quiet for a while. */
function recentUse(
  observation: TeamObservation,
  key: KeyState,
  intent: Intent,
  policy: Policy,
  now: number,
): (Reason & { until?: string }) | undefined {
  if (key.lastUsedAt === undefined || (intent.kind === 'down' && intent.force)) return undefined;
  const used = Date.parse(key.lastUsedAt);
  const explained = Math.max(
    0,
    // When a stage was given its key is not known: what it was given for has ended, or is in flight.
    ...everyHolder(observation).flatMap(({ name, stage, activity }) =>
      [name === stage ? undefined : activity?.keyRelease?.at, activity?.lastEnded].flatMap((at) =>
        at === undefined ? [] : [Date.parse(at)],
      ),
    ),
  );
  if (used <= explained + COARSE || now - used >= policy.quiet) return undefined;
  const text = `${key.id} was used ${inWords(now - used)} ago (${key.lastUsedService ?? 'service unknown'}), after every app had moved: something the file does not name holds it`;
  return { kind: 'recent-use', text, since: key.lastUsedAt, until: new Date(used + policy.quiet).toISOString() };
}
