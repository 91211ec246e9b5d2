import { desiredConfigVars, heldOf } from '../../contract/index.js';
import type { AppReport } from '../../heroku/sync.js';
import type { AppState, Step, TeamObservation } from '../model.js';
import { desiredHolding } from '../plan/apps.plan.js';
import type { ObserveContext } from './looking.js';
import { needsActivity, observeAll, observePackages, observePrincipals, observeRecord } from './observe.client.js';
import { observeApps, observeOutside } from './observe-apps.client.js';

/** Observing again what may have changed since, and no more. */

/** An observation made so long ago is not built on. */
const OLD = 300_000;

/** Everything, but for apps that have not changed since they were confirmed; what `from` says of apps, and of AWS where it still says the same. */
export async function observeFirst(context: ObserveContext, from: TeamObservation | undefined): Promise<TeamObservation> {
  if (from === undefined || context.clock.now() - Date.parse(from.at) > OLD) return observeAll(context, { trust: true });
  const { principals } = await observeRecord(context, await observePrincipals(context));
  // Last-used times move by themselves.
  const essence = (seen: TeamObservation['principals']) =>
    JSON.stringify(seen, (name, value: unknown) => (name.startsWith('lastUsed') ? undefined : value));
  if (essence(principals) === essence(from.principals)) return from;
  return { ...(await observeAll(context, { trust: true, apps: from.apps })), since: from.since };
}

/** AWS, and some apps; with `activity`, also what runs on them, where some key is to retire, and what used keys since. */
export async function observeAgain(
  context: ObserveContext,
  seen: TeamObservation,
  names: Iterable<string>,
  options: { readonly activity: boolean },
): Promise<TeamObservation> {
  const principals = await observePrincipals(context, options.activity ? [] : seen.principals);
  const activity = options.activity && needsActivity(principals);
  // Only what was missing is looked for again: a step may just have copied it. Before a final step all is seen anew.
  const missing = seen.packages?.some(({ objects }) => objects > 0) === true;
  const packages = missing ? await observePackages(context, principals) : seen.packages;
  const noted = await observeRecord(context, principals);
  const wanted = new Set(names);
  const apps = new Map((await observeApps(context, { activity, names: [...wanted] })).map((app) => [app.name, app]));
  const others = seen.outside?.some(({ name }) => wanted.has(name))
    ? await observeOutside(context, noted.recorded, { activity, seen: seen.apps })
    : {};
  // A review app goes with its pull request.
  const gone = ({ name, stage = name }: AppState) => stage !== name && wanted.has(name) && !apps.has(name);
  const kept = seen.apps.filter((app) => !gone(app)).map((app) => apps.get(app.name) ?? app);
  return { ...seen, ...noted, packages, apps: kept, ...others, at: new Date(context.clock.now()).toISOString() };
}

/** AWS, and the apps that did not take what they were sent; the others have it, as Heroku answered. What runs on them is asked when it matters. */
export async function observeWritten(
  context: ObserveContext,
  seen: TeamObservation,
  steps: readonly Step[],
  written: readonly AppReport[],
): Promise<TeamObservation> {
  const writes = steps.flatMap((step) => (step.kind === 'write-apps' ? step.apps : []));
  const since = new Map(written.flatMap(({ app, ok, confirmedAt }) => (ok ? [[app, confirmedAt]] : [])));
  const taken = new Map(writes.flatMap(({ app, keyId }) => (since.has(app) ? [[app, keyId]] : [])));
  const apps = seen.apps.map((app): AppState => {
    const keyId = taken.get(app.name);
    if (keyId === undefined) return app;
    const desired = keyId === null ? desiredConfigVars({ mode: 'public' }) : desiredHolding(keyId, app, seen.principals);
    if (desired === undefined) return app;
    const at = since.get(app.name);
    if (at !== undefined) context.confirmed?.gave(app.id, desired, at);
    const { activity: _, trusted: __, ...asked } = app;
    return { ...asked, vars: heldOf(desired) };
  });
  const own = new Set(apps.map(({ name }) => name));
  const unsure = written.filter(({ app, ok }) => !ok || !own.has(app)).map(({ app }) => app);
  return observeAgain(context, { ...seen, apps }, unsure, { activity: false });
}
