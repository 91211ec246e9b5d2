import type { Team } from '../config/model.js';
import { KitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import type { IoHost } from '../io/io-host.js';
import type { SmokeContext } from './context.js';
import { isLeftover } from './name.js';
import { registerOf, whoOf } from './register.client.js';

/** Names of apps that look as if earlier runs had left them behind: by name and age alone, since not every team can write them down. */
export const leftoversAmong = (apps: readonly HerokuApp[], now: Date = new Date()): string[] =>
  apps.filter(({ name, createdAt }) => isLeftover(name, new Date(createdAt), now)).map(({ name }) => name);

/** Remove what looks so, but for `running`. */
export async function sweepApps(
  heroku: Heroku,
  io: IoHost,
  now: Date = new Date(),
  running: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const removed: string[] = [];
  for (const name of leftoversAmong(await heroku.apps(), now)) {
    if (!running.has(name) && (await removeLeftover(heroku, io, name, 'an earlier smoke deploy'))) removed.push(name);
  }
  return removed;
}

/** Remove the noted apps of a team whose smoke deploys were killed, however young: each may hold a live key. Those under way are let be. */
export async function sweepNoted({ aws, heroku, io }: Pick<SmokeContext, 'aws' | 'heroku' | 'io'>, team: Team) {
  const register = registerOf(aws, team);
  const noted = (await register?.all()) ?? [];
  for (const app of noted) {
    if (app.running) io.info(`${app.name} is in use by a smoke deploy of ${whoOf(app)}; it is let be`);
    else if (await removeLeftover(heroku, io, app.name, `a smoke deploy of ${whoOf(app)}`)) await register?.forget(app.name);
  }
  const names = (running: boolean): ReadonlySet<string> => new Set(noted.filter((app) => app.running === running).map(({ name }) => name));
  return { dead: names(false), running: names(true) };
}

/** What cannot be removed is said, and is no reason to stop. @returns whether it is gone. */
async function removeLeftover(heroku: Heroku, io: IoHost, name: string, by: string): Promise<boolean> {
  try {
    await heroku.deleteApp(name);
    io.info(`removed ${name}, left behind by ${by}`);
    return true;
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    io.warn(`${name}, left behind by ${by}, could not be removed: ${error.message}`);
    return false;
  }
}
