import { isKitError, type KitError } from '../errors.js';
import type { Step } from '../io/io-host.js';
import { createShortLived, prepare, withoutUserInfo } from './app.client.js';
import { buildOwnSource, buildPlanted, plantObjects, provePrebuild } from './build.client.js';
import { causesOf } from './causes.plan.js';
import { startRun, type Run, type RunOptions, type SmokeContext } from './context.js';
import { proveRequests } from './dyno.client.js';
import { provePage } from './page.client.js';
import { buildConfigVars, configVarProof, expectedConfigVars, unwrittenProofs } from './proofs.plan.js';
import { proof, reportOf, type Evidence, type SmokeReport } from './report.js';
import type { Subject } from './subject.js';

/**
 * One smoke deploy, from its first request to its last. What an error ended is not proven, the error is its cause, and what was seen until then
 * is told.
 * @throws what stops it otherwise, after everything it made is removed.
 */
export async function prove(context: SmokeContext, subject: Subject, options: RunOptions, step: Step): Promise<SmokeReport> {
  const now = () => new Date(context.aws.network.time.now()).toISOString();
  const startedAt = now();
  const run = startRun(context, subject, step);
  const { seen, store, storage } = run;
  let leftovers: string[] = [];
  const on: On = { smokeApp: '', stack: '', platform: '', buildpacks: [], keyId: undefined };
  let stopped: KitError | undefined;
  try {
    await stages(run, context, subject, options, on);
  } catch (error) {
    if (context.signal?.aborted || !isKitError(error)) throw error;
    stopped = error;
    seen.proofs.push(proof('smoke deploy runs to its end', 'yes', error.code));
  } finally {
    run.say('removing what it made');
    leftovers = await run.made.remove(context.heroku, store?.objects, context.io);
  }
  const evidence = {
    ...on,
    bucket: store?.objects.bucket.name,
    endpoint: storage.endpoint,
    signing: seen.signing,
    builds: seen.builds.map(({ build: { id, status }, release, log }) => ({
      ...{ id, status, release: release?.version, log: log.lines.slice(-200) },
    })),
    dyno: seen.dynoLines.slice(-200),
    ...{ startedAt, finishedAt: now(), leftovers },
  };
  const causes = stopped ? [{ code: stopped.code, message: stopped.message, remedy: 'mend that and run again' }] : causesOf(seen);
  return reportOf(subject, { proofs: seen.proofs, causes, evidence });
}

/** What it is tried on, as far as is known. */
type On = { -readonly [Name in 'smokeApp' | 'stack' | 'platform' | 'buildpacks' | 'keyId']: Evidence[Name] };

async function stages(
  run: Run,
  context: SmokeContext,
  subject: Subject,
  { source, prebuild, key: given }: RunOptions,
  on: On,
): Promise<void> {
  const { name, seen, storage, say } = run;
  say('looking at the app');
  const prepared = await prepare(context, subject, storage, { key: given });
  const { key, buildpacks, configVars } = prepared;
  let { app, place } = prepared;
  on.smokeApp = source === undefined ? name : app.name;
  on.stack = app.stack;
  on.platform = place.platform;
  on.buildpacks = buildpacks.map(withoutUserInfo);
  on.keyId = key?.accessKeyId;
  if (source === undefined) {
    say(`making app ${name}`);
    await run.made.app(name);
    app = await createShortLived(context.heroku, { name, stack: app.stack, team: app.team, buildpacks, configVars });
  }
  await plantObjects(run);
  if (source === undefined) on.platform = (place = await buildPlanted(run, app.name, place)).platform;
  else await buildOwnSource(run, app.name, source);

  const { build, release, log } = seen.builds.at(-1)!;
  const expected = expectedConfigVars(storage, key?.accessKeyId);
  seen.proofs.push(configVarProof('build', buildConfigVars(log, expected)), ...unwrittenProofs(log, storage));
  if (build.status === 'succeeded') {
    await proveRequests(run, app.name, { release: release?.version, expected, config: context.config, team: subject.team, key });
    if (source === undefined && log.deployed !== undefined) await provePage(run, app);
    if (source === undefined && prebuild && subject.mode === 'upload') await provePrebuild(run, app.name, place);
  }
}
