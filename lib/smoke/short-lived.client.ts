import { isKitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { pause } from '../heroku/pause.js';

/** The app of a smoke deploy. */
export interface ShortLived {
  readonly name: string;
  readonly stack: string;
  readonly team?: string;
  readonly buildpacks: readonly string[];
  readonly configVars: Readonly<Record<string, string>>;
}

/** Make the app. Config vars come before any build, which could not see them otherwise. */
export async function createShortLived(heroku: Heroku, wanted: ShortLived): Promise<HerokuApp> {
  const { name, stack, team, buildpacks, configVars } = wanted;
  const app = await heroku.createApp({ name, stack, ...(team ? { team } : {}) });
  // A new app needs a moment until all of Heroku knows it.
  await untilKnown(() => heroku.setBuildpacks(name, buildpacks));
  if (Object.keys(configVars).length > 0) await untilKnown(() => heroku.patchConfigVars(name, configVars));
  return app;
}

async function untilKnown<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 5 || !isKitError(error, 'app-not-found')) throw error;
      await pause(500 * attempt);
    }
  }
}
