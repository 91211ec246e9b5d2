import type { TeamObservation, Waiting } from '../model.js';
import { needsActivity, observeAll, observeApps, observePrincipals, type ObserveContext } from './observe.client.js';

/** Observing again what may have changed since, and no more. */

/** An observation made so long ago is not built on. */
const OLD = 300_000;

/** Everything; or `from`, where AWS still says the same. */
export async function observeFirst(context: ObserveContext, from: TeamObservation | undefined): Promise<TeamObservation> {
  if (from === undefined || context.clock.now() - Date.parse(from.at) > OLD) return observeAll(context);
  const principals = await observePrincipals(context);
  // Last-used times move by themselves.
  const essence = (seen: TeamObservation['principals']) =>
    JSON.stringify(seen, (name, value: unknown) => (name.startsWith('lastUsed') ? undefined : value));
  return essence(principals) === essence(from.principals) ? from : observeAll(context);
}

/** After steps: AWS, and those apps that were touched; what runs on them is asked when it matters. */
export async function observeTouched(
  context: ObserveContext,
  seen: TeamObservation,
  touched: ReadonlySet<string>,
): Promise<TeamObservation> {
  const principals = await observePrincipals(context);
  const apps = touched.size === 0 ? [] : await observeApps(context, { names: [...touched], activity: false });
  return withApps({ ...seen, at: new Date(context.clock.now()).toISOString(), principals }, apps);
}

/** After a pause: AWS, and those apps that are waited for. */
export async function observeWaiting(
  context: ObserveContext,
  seen: TeamObservation,
  waiting: readonly Waiting[],
): Promise<TeamObservation> {
  const names = appsOf(waiting);
  const principals = await observePrincipals(context);
  const apps = names.length === 0 ? [] : await observeApps(context, { names, activity: needsActivity(principals) });
  return withApps({ ...seen, at: new Date(context.clock.now()).toISOString(), principals }, apps);
}

/** What is running on the apps that are waited for. */
export async function observeActivity(
  context: ObserveContext,
  seen: TeamObservation,
  waiting: readonly Waiting[],
): Promise<TeamObservation> {
  return withApps(seen, await observeApps(context, { names: appsOf(waiting), activity: true }));
}

const appsOf = (waiting: readonly Waiting[]): string[] => [...new Set(waiting.flatMap(({ app }) => (app === undefined ? [] : [app])))];

function withApps(seen: TeamObservation, apps: TeamObservation['apps']): TeamObservation {
  const byName = new Map(apps.map((app) => [app.name, app]));
  return { ...seen, apps: seen.apps.map((app) => byName.get(app.name) ?? app) };
}
