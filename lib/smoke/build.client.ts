import { stripVTControlCharacters } from 'node:util';
import { KitError } from '../errors.js';
import type { Build, Heroku, Release } from '../heroku/heroku.js';
import { pause } from '../heroku/pause.js';
import { redact } from '../io/redaction.js';
import type { Run } from './context.js';
import { parseBuildLog, type BuildLog } from './log.js';
import { proof } from './proofs.plan.js';
import type { Proof } from './report.js';

export interface Built {
  readonly build: Build;
  /** Undefined where the build failed. */
  readonly release?: Release;
  readonly log: BuildLog;
}

/** What a stage built, and what that proves. */
export interface Builds {
  readonly builds: readonly Built[];
  /** The one whose slug the dynos run. */
  readonly last: Built;
  readonly proofs: readonly Proof[];
}

/** Heroku ends a build after 15 minutes, and a release command may follow. */
const PATIENCE_MS = 30 * 60_000;

/** A build of a smoke deploy's; what it uploads of the run's own package is noted. @param what - which of its builds this is. */
export async function buildFor(run: Run, app: string, source: Buffer, what: string): Promise<Built & { readonly proof: Proof }> {
  const { name, heroku, signal, made, storage, say, trace } = run;
  say(`building (${what})`);
  const built = await buildOn(heroku, app, source, { version: `${name}-${what}`, say: trace, signal });
  made.uploads(built.log.requests, storage.bucket);
  return { ...built, proof: proof(`build and release succeed (${what})`, 'succeeded', built.release?.status ?? built.build.status) };
}

/** Build `source` and follow it to the end of its release. @param say - the log's latest line, as it comes. @internal */
export async function buildOn(
  heroku: Heroku,
  app: string,
  source: Buffer,
  options: { version: string; say: (line: string) => void; signal?: AbortSignal },
): Promise<Built> {
  const { say, signal } = options;
  const started = await heroku.startBuild(app, source, { version: options.version });
  let text = '';
  const hear = (chunk: string) => {
    text += chunk;
    const line = stripVTControlCharacters(text.slice(text.lastIndexOf('\n', text.length - 2) + 1)).trim();
    if (line !== '') say(redact(line));
  };
  if (started.outputStreamUrl) await heroku.followStream(started.outputStreamUrl, hear, signal);

  // The stream may end before the status is known.
  const build = await settled(() => heroku.build(app, started.id), 'build', signal);
  const id = build.status === 'succeeded' ? build.releaseId : undefined;
  const release = id === undefined ? undefined : await settled(() => heroku.release(app, id), 'release', signal);
  return { build, release, log: parseBuildLog(text) };
}

async function settled<T extends { status: string }>(read: () => Promise<T>, what: string, signal?: AbortSignal): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
    const now = await read();
    if (now.status !== 'pending') return now;
    if (Date.now() > deadline)
      throw new KitError('smoke-timeout', `the ${what} is still pending after 30 minutes; see \`heroku releases\` and run again`);
    await pause(wait, signal);
  }
}
