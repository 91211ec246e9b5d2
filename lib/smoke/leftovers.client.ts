import type { Aws } from '../aws/aws.js';
import type { BucketName } from '../aws/bucket.js';
import { isMissing } from '../aws/errors.js';
import type { Team } from '../config/model.js';
import { keyPrefix } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import type { IoHost } from '../io/io-host.js';
import { redact } from '../io/redaction.js';
import type { SmokeContext } from './context.js';
import { isLeftover, purposeOf, runOfKey, SHORT_LIVED } from './name.js';
import { Objects } from './objects.client.js';
import { registerOf, whoOf } from './register.client.js';
import { SMOKE_OBJECT_PREFIX } from './requests.plan.js';

/** What sweeping works with. `aws` is for the region of the team's bucket. */
type SweepContext = Pick<SmokeContext, 'aws' | 'heroku' | 'io'>;

/**
 * What killed runs left behind: apps that they noted, and their objects. That it cannot be done is said, and stops nothing.
 * @param also - what is old enough to look left behind, of whatever run: apps, and objects in the bucket.
 */
export async function sweep(context: SweepContext, team: Team, also: { apps: boolean; objects: boolean }): Promise<void> {
  const { heroku, io, aws } = context;
  const { name, bucket } = team;
  try {
    const { dead, running } = await sweepNoted(context, team);
    await Promise.all([
      also.apps && sweepApps(heroku, io, undefined, running),
      bucket && (also.objects || dead.size > 0) && sweepObjects(aws, bucket.spec, bucket.prefix, io, undefined, dead),
    ]);
  } catch (error) {
    // Its stack is not deployed yet.
    if (isMissing(error, 'bucket')) return;
    io.warn(`what earlier smoke deploys of ${name} left could not be looked for: ${redact((error as Error).message)}`);
  }
}

/** Names of apps that look as if earlier runs had left them behind: by name and age alone, since not every team can write them down. */
export const leftoversOf = async (heroku: Pick<Heroku, 'apps'>, now: Date = new Date()): Promise<string[]> =>
  (await heroku.apps(SHORT_LIVED)).filter(({ name, createdAt }) => isLeftover(name, new Date(createdAt), now)).map(({ name }) => name);

/** Remove what looks so, but for `running`. @internal */
export async function sweepApps(
  heroku: Heroku,
  io: IoHost,
  now: Date = new Date(),
  running: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await leftoversOf(heroku, now)) {
    if (!running.has(name) && (await removeLeftover(heroku, io, name, `an earlier ${purposeOf(name)}`))) removed.push(name);
  }
  return removed;
}

/** Remove the noted apps of a team whose smoke deploys were killed, however young: each may hold a live key. Those under way are let be. */
async function sweepNoted({ aws, heroku, io }: SweepContext, team: Team) {
  const register = registerOf(aws, team);
  const noted = (await register?.all()) ?? [];
  for (const app of noted) {
    if (app.running) io.info(`${app.name} is in use by a ${purposeOf(app.name)} of ${whoOf(app)}; it is let be`);
    else if (await removeLeftover(heroku, io, app.name, `a ${purposeOf(app.name)} of ${whoOf(app)}`)) await register?.forget(app.name);
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

/** Key of an empty object that notes an archive of `run`: archives are where Halcyon keeps everybody's, too many to look through. */
export const noteOf = (run: string, archiveKey: string): string => `${SMOKE_OBJECT_PREFIX}${run}/archive/${archiveKey}`;

const archiveOf = (key: string): string | undefined => /^[^/]+\/[^/]+\/[^/]+\/archive\/(.+)$/.exec(key)?.[1];

/**
 * Remove objects that earlier runs left in a team's part of a bucket, and the archives they noted anywhere in it; those of `dead` runs however
 * young they are. @returns how many. @internal
 */
export async function sweepObjects(
  aws: Aws,
  bucket: BucketName,
  prefix: string | undefined,
  io: IoHost,
  now: Date = new Date(),
  dead: ReadonlySet<string> = new Set(),
): Promise<number> {
  const objects = new Objects(aws, bucket);
  const archives = new Set<string>();
  const leftover = ({ key, modified }: { key: string; modified: Date }) => {
    const run = runOfKey(key);
    if (!dead.has(run ?? '') && !isLeftover(run ?? '', modified, now)) return false;
    const archive = archiveOf(key);
    if (archive !== undefined && runOfKey(archive) === run) archives.add(archive);
    return true;
  };
  let removed = 0;
  for (const place of [`${keyPrefix(prefix)}halcyon-smoke-`, SMOKE_OBJECT_PREFIX])
    removed += await objects.remove(place, (entry) => leftover(entry) && archiveOf(entry.key) === undefined);
  for (const archive of archives) removed += await objects.removeKey(archive);
  // A note goes after what it notes: cut off between, the next sweep still finds that.
  if (archives.size > 0) removed += await objects.remove(SMOKE_OBJECT_PREFIX, leftover);
  if (removed > 0) io.info(`removed ${removed} objects from ${bucket.name}, left behind by earlier smoke deploys`);
  return removed;
}
