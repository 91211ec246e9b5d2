import type { TeamObservation } from '../model.js';
import {
  needsActivity,
  observeAll,
  observeApps,
  observeOutside,
  observePackages,
  observePrincipals,
  observeRecord,
  type ObserveContext,
} from './observe.client.js';

/** Observing again what may have changed since, and no more. */

/** An observation made so long ago is not built on. */
const OLD = 300_000;

/** Everything; or `from`, where AWS still says the same. */
export async function observeFirst(context: ObserveContext, from: TeamObservation | undefined): Promise<TeamObservation> {
  if (from === undefined || context.clock.now() - Date.parse(from.at) > OLD) return observeAll(context);
  const { principals } = await observeRecord(context, await observePrincipals(context));
  // Last-used times move by themselves.
  const essence = (seen: TeamObservation['principals']) =>
    JSON.stringify(seen, (name, value: unknown) => (name.startsWith('lastUsed') ? undefined : value));
  return essence(principals) === essence(from.principals) ? from : observeAll(context);
}

/** AWS, and some apps; with `activity`, also what runs on them, where some key is to retire. */
export async function observeAgain(
  context: ObserveContext,
  seen: TeamObservation,
  names: Iterable<string>,
  options: { readonly activity: boolean },
): Promise<TeamObservation> {
  const principals = await observePrincipals(context);
  const activity = options.activity && needsActivity(principals);
  // Only what was missing is looked for again: a step may just have copied it. Before a final step all is seen anew.
  const missing = seen.packages?.some(({ objects }) => objects > 0) === true;
  const packages = missing ? await observePackages(context, principals) : seen.packages;
  const noted = await observeRecord(context, principals);
  const again = await observeSome(context, { ...seen, ...noted, packages }, names, { activity });
  return { ...again, at: new Date(context.clock.now()).toISOString() };
}

/** Some apps, and nothing else. */
export async function observeSome(
  context: ObserveContext,
  seen: TeamObservation,
  names: Iterable<string>,
  options: { readonly activity: boolean },
): Promise<TeamObservation> {
  const wanted = new Set(names);
  const apps = new Map((await observeApps(context, { ...options, names: [...wanted] })).map((app) => [app.name, app]));
  const outside = seen.outside?.some(({ name }) => wanted.has(name)) ? await observeOutside(context, seen.recorded, options) : seen.outside;
  return { ...seen, apps: seen.apps.map((app) => apps.get(app.name) ?? app), outside };
}
