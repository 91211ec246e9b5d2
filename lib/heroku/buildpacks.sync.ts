import pMap from 'p-map';
import type { BuildpackSettings } from '../config/model.js';
import { isKitError } from '../errors.js';
import { inOneStep, inStep, type IoHost } from '../io/io-host.js';
import { planBuildpacks, type BuildpackPlan, type DesiredBuildpacks } from './buildpacks.plan.js';
import type { Confirmed } from './confirmed.js';
import type { Heroku } from './heroku.js';

/** What an app's list of buildpacks needs, and where its upstream comes from. */
export interface AppBuildpacks {
  readonly app: string;
  /** What a list would need for the same wish. */
  readonly planOf: (list: readonly string[]) => BuildpackPlan;
  readonly plan: BuildpackPlan;
  /** `HALCYON_URL` and `BASHMENOT_URL` to set: forks named in the file, on apps that the kit sets up. */
  readonly forks: Readonly<Record<string, string>>;
  /** Its list could not be read, and why; then nothing is set. */
  readonly refused?: string;
}

/** What concerns one app alone, and stops no other. */
const unlessOwn = (app: string, error: unknown): string => {
  if (!isKitError(error, 'app-not-found', 'heroku-forbidden', 'heroku-invalid')) throw error;
  return `the buildpacks of ${app}: ${error.message}`;
};

interface WantedBuildpacks {
  readonly app: string;
  readonly desired: DesiredBuildpacks;
  readonly id?: string;
  /** An app that has not changed since it was confirmed is not asked. */
  readonly confirmed?: Confirmed;
}

/** One look at each app, two where the file names forks. Changes nothing. */
export async function observeBuildpacks(
  heroku: Heroku,
  apps: readonly WantedBuildpacks[],
  settings: BuildpackSettings,
): Promise<AppBuildpacks[]> {
  const wanted = settings.install ? forksOf(settings) : {};
  return pMap(
    apps,
    async ({ app, desired, id, confirmed }) => {
      const planOf = (list: readonly string[]) => planBuildpacks(list, desired);
      const inOrder = { app, planOf, plan: { urls: [], changes: [] }, forks: {} };
      if (Object.keys(wanted).length === 0 && confirmed?.has(id, 'buildpacks', desired)) return inOrder;
      const list = await heroku.buildpacks(app).catch((error: unknown) => unlessOwn(app, error));
      if (typeof list === 'string') return { ...inOrder, refused: list };
      const plan = planOf(list);
      confirmed?.saw(id, 'buildpacks', desired, plan.changes.length === 0);
      if (Object.keys(wanted).length === 0) return { ...inOrder, plan };
      const vars = await heroku.configVars(app);
      return { ...inOrder, plan, forks: Object.fromEntries(Object.entries(wanted).filter(([name, url]) => vars[name] !== url)) };
    },
    { concurrency: 5 },
  );
}

/**
 * Carry the plans out. A list is set whole, so it is read again right before: what the team has changed meanwhile stays. It takes effect at the
 * app's next build.
 * @returns the apps that did not take theirs, and why.
 */
export async function syncBuildpacks(
  heroku: Heroku,
  plans: readonly AppBuildpacks[],
  options: { io: IoHost; signal?: AbortSignal },
): Promise<Array<{ app: string; text: string }>> {
  const left = plans.flatMap(({ app, refused }) => (refused === undefined ? [] : [{ app, text: refused }]));
  const changed = plans.filter(({ plan, forks }) => plan.changes.length > 0 || Object.keys(forks).length > 0);
  const set = ({ app, planOf, plan, forks }: AppBuildpacks, io: IoHost): Promise<void> =>
    inStep(io, `Setting buildpacks of ${app}`, async () => {
      options.signal?.throwIfAborted();
      const { urls, changes } = plan.changes.length > 0 ? planOf(await heroku.buildpacks(app)) : plan;
      if (changes.length > 0) await heroku.setBuildpacks(app, urls);
      if (Object.keys(forks).length > 0) await heroku.patchConfigVars(app, forks);
    }).catch((error: unknown) => void left.push({ app, text: unlessOwn(app, error) }));
  await inOneStep(options.io, 'Setting buildpacks of', changed.length, (io) => pMap(changed, (one) => set(one, io), { concurrency: 5 }));
  return left;
}

/** Config vars that name the file's forks. */
export const forksOf = ({ halcyonUrl, bashmenotUrl }: BuildpackSettings): Record<string, string> => ({
  ...(halcyonUrl === undefined ? {} : { HALCYON_URL: halcyonUrl }),
  ...(bashmenotUrl === undefined ? {} : { BASHMENOT_URL: bashmenotUrl }),
});
