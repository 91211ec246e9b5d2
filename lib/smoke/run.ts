import type { Step } from '../io/io-host.js';
import { createShortLived, prepare, withoutUserInfo } from './app.client.js';
import { buildOwnSource, buildPlanted, plantObjects, provePrebuild } from './build.client.js';
import { causesOf } from './causes.plan.js';
import { startRun, type Run, type RunOptions, type SmokeContext } from './context.js';
import { proveRequests } from './dyno.client.js';
import { provePage } from './page.client.js';
import { buildConfigVars, configVarProof, expectedConfigVars, unwrittenProofs } from './proofs.plan.js';
import { reportOf, type Evidence, type SmokeReport } from './report.js';
import type { Subject } from './subject.js';

/**
 * One smoke deploy, from its first request to its last.
 * @throws what stops it, after everything it made is removed.
 */
export async function prove(context: SmokeContext, subject: Subject, options: RunOptions, step: Step): Promise<SmokeReport> {
  const startedAt = new Date().toISOString();
  const run = startRun(context, subject, step);
  const { seen, store, storage } = run;
  let leftovers: string[] = [];
  let on: On;
  try {
    on = await stages(run, context, subject, options);
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
    ...{ startedAt, finishedAt: new Date().toISOString(), leftovers },
  };
  return reportOf(subject, { proofs: seen.proofs, causes: causesOf(seen), evidence });
}

/** What it was tried on. */
type On = Pick<Evidence, 'smokeApp' | 'stack' | 'platform' | 'buildpacks' | 'keyId'>;

async function stages(run: Run, context: SmokeContext, subject: Subject, { source, prebuild, key: given }: RunOptions): Promise<On> {
  const { name, seen, storage, say } = run;
  say('looking at the app');
  const prepared = await prepare(context, subject, storage, { key: given });
  const { key, buildpacks, configVars } = prepared;
  let { app, place } = prepared;
  if (source === undefined) {
    say(`making app ${name}`);
    await run.made.app(name);
    app = await createShortLived(context.heroku, { name, stack: app.stack, team: app.team, buildpacks, configVars });
  }
  await plantObjects(run);
  if (source === undefined) place = await buildPlanted(run, app.name, place);
  else await buildOwnSource(run, app.name, source);

  const { build, release, log } = seen.builds.at(-1)!;
  const expected = expectedConfigVars(storage, key?.accessKeyId);
  seen.proofs.push(configVarProof('build', buildConfigVars(log, expected)), ...unwrittenProofs(log, storage));
  if (build.status === 'succeeded') {
    await proveRequests(run, app.name, { release: release?.version, expected, config: context.config, team: subject.team, key });
    if (source === undefined && log.deployed !== undefined) await provePage(run, app);
    if (source === undefined && prebuild && subject.mode === 'upload') await provePrebuild(run, app.name, place);
  }
  const { stack } = prepared.app;
  return { smokeApp: app.name, stack, platform: place.platform, buildpacks: buildpacks.map(withoutUserInfo), keyId: key?.accessKeyId };
}
