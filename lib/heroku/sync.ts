import pMap from 'p-map';
import { differing, type ConfigVarName, type DesiredConfigVars } from '../contract/index.js';
import { KitError } from '../errors.js';
import { inOneStep, type IoHost } from '../io/io-host.js';
import type { Heroku, Release } from './heroku.js';
import { settled } from './pause.js';

/** What to write to one app. Without changes nothing is sent: even a PATCH that changes nothing might make a release. */
export interface ConfigVarWrite {
  readonly app: string;
  readonly changes: readonly ConfigVarName[];
  /** What the app should have when it is done; secrets included. */
  readonly desired: DesiredConfigVars;
}

/** The body of the one PATCH. @internal */
export const patchOf = ({ changes, desired }: ConfigVarWrite): Record<string, string | null> =>
  Object.fromEntries(changes.map((name) => [name, desired[name]]));

export interface SyncOptions {
  readonly io: IoHost;
  /** Comes right before every attempt of a PATCH; stops it by throwing. */
  readonly guard?: () => Promise<void>;
  /** Stops before the next app, and ends waiting. What was sent stays sent; a rerun finishes. */
  readonly signal?: AbortSignal;
  /** Apps at a time. Default 5. */
  readonly concurrency?: number;
}

/** What became of one app. */
export interface AppReport {
  readonly app: string;
  readonly ok: boolean;
  /** Version of the release that carried the change. */
  readonly release?: number;
  /** ISO 8601: whatever starts on the app after this has the desired values. The release's end by Heroku's clock, the one that builds and dynos are dated by. */
  readonly confirmedAt?: string;
  readonly error?: Pick<KitError, 'code' | 'message'>;
}

/**
 * Send each app that changes its PATCH, and confirm it on the release it made. Reports come in the order of `writes`; an app that fails
 * stops no other, and nothing is thrown.
 *
 * Requests: two an app, the PATCH and one look at the releases. The PATCH's answer holds the
 * values, and they count once their release has succeeded, so they are read again only where that release was pending, or where
 * the answer was not what was asked for.
 */
export async function syncApps(heroku: Heroku, writes: readonly ConfigVarWrite[], options: SyncOptions): Promise<AppReport[]> {
  const sync = async (write: ConfigVarWrite, io: IoHost): Promise<AppReport> => {
    const { app, changes } = write;
    if (options.signal?.aborted) return { app, ok: false, error: interrupted(app, 'before its config vars were sent') };
    const names = changes.length > 2 ? `${changes.length} config vars` : changes.join(', ');
    const doing = changes.every((name) => write.desired[name] === null) ? 'Unsetting' : 'Setting';
    const step = io.step(`${doing} ${names} on ${app}`);
    try {
      const release = await send(heroku, write, options, (detail) => step.update(detail));
      // A pipeline's stage makes none.
      const made = release.version === 0 ? undefined : release.version;
      step.done(made === undefined ? undefined : `v${made}`);
      return { app, ok: true, ...(made === undefined ? {} : { release: made }), confirmedAt: release.updatedAt };
    } catch (thrown) {
      const error = kitErrorOf(thrown);
      step.fail(error.code === 'interrupted' ? error : error.message);
      const release = error.details?.release;
      return { app, ok: false, error, ...(typeof release === 'number' ? { release } : {}) };
    }
  };
  const changed = writes.filter(({ changes }) => changes.length > 0);
  return inOneStep(options.io, 'Changing config vars of', changed.length, (io) =>
    pMap(changed, (write) => sync(write, io), { concurrency: options.concurrency ?? 5 }),
  );
}

async function send(heroku: Heroku, write: ConfigVarWrite, options: SyncOptions, say: (detail: string) => void): Promise<Release> {
  const { app, changes, desired } = write;
  const sentAt = heroku.now();
  const answered = await heroku.patchConfigVars(app, patchOf(write), options.guard);
  let release = releaseOf(await heroku.releases(app, { max: 10 }), changes, sentAt);
  if (release === undefined) throw new KitError('release-not-found', `app ${app} shows no release for the config vars just set; run again`);

  const { version } = release;
  const details = { app, release: version };
  const waited = release.status === 'pending';
  if (waited) {
    say(`waiting for release v${version}: its release command is running`);
    release = await settled(() => heroku.release(app, version), RELEASE_MS, options.signal).catch((error: unknown) => {
      throw options.signal?.aborted ? interrupted(app, `while release v${version} was pending`, version) : error;
    });
  }
  if (release === undefined)
    throw new KitError(
      'release-pending',
      `release v${version} of ${app} is still pending; see \`heroku releases -a ${app}\` and run again`,
      { details },
    );
  if (release.status !== 'succeeded') {
    throw new KitError(
      'release-failed',
      `release v${version} of ${app} ${release.status}, so its config vars are the old ones; see \`heroku releases:output v${version} -a ${app}\`, mend its release command and run again`,
      { details },
    );
  }
  const left = waited || differing(answered, desired).length > 0 ? differing(await heroku.configVars(app), desired) : [];
  if (left.length > 0) {
    throw new KitError(
      'config-vars-not-taken',
      `app ${app} was released as v${version}, but ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} not as set; someone else may be writing them; run again`,
      { details },
    );
  }
  return release;
}

/**
 * The release that a PATCH of `names` made: the newest that names one of them and is not older than the PATCH (two minutes
 * allowed), else the newest of all, which is that one or came after it and carries its values too.
 * @internal
 */
export function releaseOf(releases: readonly Release[], names: readonly string[], sentAt: number): Release | undefined {
  const recent = releases.filter((release) => Date.parse(release.createdAt) >= sentAt - 120_000);
  return recent.find((release) => names.some((name) => release.description.includes(name))) ?? releases[0];
}

/** How long a release may stay pending: Heroku's own limit for a release command. */
const RELEASE_MS = 3_600_000;

const interrupted = (app: string, when: string, release?: number): KitError =>
  new KitError('interrupted', `stopped ${when} (app ${app}); run again to finish`, { details: { app, release } });

const kitErrorOf = (error: unknown): KitError =>
  error instanceof KitError ? error : new KitError('unexpected', error instanceof Error ? error.message : String(error), { cause: error });
