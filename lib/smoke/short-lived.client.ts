import { randomInt } from 'node:crypto';
import { isKitError, KitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import type { IoHost } from '../io/io-host.js';

/** Apps of smoke deploys: a name of their own, and a short life. */

const NAME = /^halcyon-smoke-[a-z]{8}$/;
/** Older ones were left behind: a smoke deploy takes minutes, a build at most 15. */
const LEFTOVER_MS = 2 * 3_600_000;

/** Letters only: it is also the name of a Cabal package, whose parts may not be digits. 22 characters of Heroku's 30. */
export const smokeName = (): string => `halcyon-smoke-${Array.from({ length: 8 }, () => String.fromCharCode(97 + randomInt(26))).join('')}`;

/** Whether a smoke deploy named it so. @internal */
export const isSmokeName = (name: string): boolean => NAME.test(name);

export const isLeftover = (name: string, made: Date, now: Date = new Date()): boolean =>
  isSmokeName(name) && now.getTime() - made.getTime() > LEFTOVER_MS;

/** Name of the run that a storage key belongs to. */
export const runOfKey = (key: string): string | undefined => /halcyon-smoke-[a-z]{8}(?![a-z])/.exec(key)?.[0];

/** Remove apps that earlier runs left behind. What cannot be removed is said, and is no reason to stop. */
export async function sweepApps(heroku: Heroku, io: IoHost, now: Date = new Date()): Promise<string[]> {
  const left = (await heroku.apps()).filter((app) => isLeftover(app.name, new Date(app.createdAt), now));
  const removed: string[] = [];
  for (const { name } of left) {
    try {
      await heroku.deleteApp(name);
      removed.push(name);
      io.info(`removed ${name}, left behind by an earlier smoke deploy`);
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      io.warn(`${name}, left behind by an earlier smoke deploy, could not be removed: ${error.message}`);
    }
  }
  return removed;
}

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
      await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
    }
  }
}
