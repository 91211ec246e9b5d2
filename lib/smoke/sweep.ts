import type { Aws } from '../aws/aws.js';
import type { BucketName } from '../aws/bucket.js';
import { isMissing } from '../aws/errors.js';
import type { Team } from '../config/model.js';
import { keyPrefix } from '../contract/index.js';
import type { IoHost } from '../io/io-host.js';
import { redact } from '../io/redaction.js';
import type { SmokeContext } from './context.js';
import { Objects } from './objects.client.js';
import { SMOKE_OBJECT_PREFIX } from './requests.plan.js';
import { registerOf, whoOf } from './register.client.js';
import { isLeftover, removeLeftover, runOfKey } from './short-lived.client.js';

/** What sweeping works with. `aws` is for the region of the team's bucket. */
type SweepContext = Pick<SmokeContext, 'aws' | 'heroku' | 'io'>;

/** Key of an empty object that notes an archive of `run`: archives are where Halcyon keeps everybody's, too many to look through. */
export const noteOf = (run: string, archiveKey: string): string => `${SMOKE_OBJECT_PREFIX}${run}/archive/${archiveKey}`;

const archiveOf = (key: string): string | undefined => /^[^/]+\/[^/]+\/[^/]+\/archive\/(.+)$/.exec(key)?.[1];

/** What a team's register says of its smoke deploys, by the names of their apps. */
export interface Noted {
  readonly dead: ReadonlySet<string>;
  readonly running: ReadonlySet<string>;
}

/** Remove the noted apps of a team whose smoke deploys were killed, however young: each may hold a live key. Those under way are let be. */
export async function sweepNoted({ aws, heroku, io }: SweepContext, team: Team): Promise<Noted> {
  const register = registerOf(aws, team);
  const noted = (await register?.all()) ?? [];
  for (const app of noted) {
    if (app.running) io.info(`${app.name} is in use by a smoke deploy of ${whoOf(app)}; it is let be`);
    else if (await removeLeftover(heroku, io, app.name, `a smoke deploy of ${whoOf(app)}`)) await register?.forget(app.name);
  }
  const names = (running: boolean) => new Set(noted.filter((app) => app.running === running).map(({ name }) => name));
  return { dead: names(false), running: names(true) };
}

/** The same, with their objects. That it cannot be done is said, and stops nothing. */
export async function sweepKilled(context: SweepContext, team: Team): Promise<void> {
  const { aws, io } = context;
  try {
    const { dead } = await sweepNoted(context, team);
    if (dead.size > 0 && team.bucket) await sweepObjects(aws, team.bucket.spec, team.bucket.prefix, io, new Date(), dead);
  } catch (error) {
    // Its stack is not deployed yet.
    if (!(error instanceof Error) || isMissing(error, 'bucket')) return;
    io.warn(`apps of killed smoke deploys of ${team.name} could not be looked for: ${redact(error.message)}`);
  }
}

/**
 * Remove objects that earlier runs left in a team's part of a bucket, and the archives they noted anywhere in it; those of `dead` runs however
 * young they are. @returns how many.
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
  const archives: string[] = [];
  const leftover = ({ key, modified }: { key: string; modified: Date }) => {
    const run = runOfKey(key);
    if (!dead.has(run ?? '') && !isLeftover(run ?? '', modified, now)) return false;
    const archive = archiveOf(key);
    if (archive !== undefined && runOfKey(archive) === run) archives.push(archive);
    return true;
  };
  let removed = 0;
  for (const place of [`${keyPrefix(prefix)}halcyon-smoke-`, SMOKE_OBJECT_PREFIX]) removed += await objects.remove(place, leftover);
  for (const archive of archives) removed += await objects.removeKey(archive);
  if (removed > 0) io.info(`removed ${removed} objects from ${bucket.name}, left behind by earlier smoke deploys`);
  return removed;
}
