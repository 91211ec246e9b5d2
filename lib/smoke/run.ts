import type { HerokuApp } from '../heroku/heroku.js';
import type { Step } from '../io/io-host.js';
import type { Built } from './build.client.js';
import { causesOf } from './causes.plan.js';
import { buildConfigVars, configVarProof, expectedConfigVars } from './config-vars.plan.js';
import { startRun, type Run, type RunOptions, type SmokeContext } from './context.js';
import { withoutUserInfo } from './copy.js';
import { buildOwnSource } from './own-source.client.js';
import { provePage } from './page.client.js';
import { buildPlanted, plantObjects, type Place } from './planted.client.js';
import { provePrebuild } from './prebuild.client.js';
import { prepare, type Prepared } from './prepare.client.js';
import { unwrittenProofs } from './proofs.plan.js';
import { reportOf, type Evidence, type Proof, type SmokeReport } from './report.js';
import { proveRequests, type DynoRequests } from './requests.client.js';
import { createShortLived } from './short-lived.client.js';
import type { Subject } from './subject.js';

/**
 * One smoke deploy, from its first request to its last.
 * @throws what stops it, after everything it made is removed.
 */
export async function prove(context: SmokeContext, subject: Subject, options: RunOptions, step: Step): Promise<SmokeReport> {
  const startedAt = new Date().toISOString();
  const run = startRun(context, subject, step);
  let leftovers: string[] = [];
  let seen: Seen;
  try {
    seen = await stages(run, context, subject, options);
  } finally {
    run.say('removing what it made');
    leftovers = await run.made.remove(context.heroku, run.store?.objects, context.io);
  }
  return report(run, subject, context.config.signing.version, seen, { startedAt, finishedAt: new Date().toISOString(), leftovers });
}

/** What the stages showed. */
interface Seen {
  readonly app: string;
  readonly prepared: Prepared;
  readonly place: Place;
  readonly builds: readonly Built[];
  readonly requests?: DynoRequests;
  readonly dynoLines: readonly string[];
  readonly proofs: readonly Proof[];
}

async function stages(run: Run, context: SmokeContext, subject: Subject, options: RunOptions): Promise<Seen> {
  const { source, prebuild } = options;
  run.say('looking at the app');
  const prepared = await prepare(context, subject, run.storage, options);
  const { key } = prepared;
  const app = source === undefined ? await makeApp(run, prepared) : prepared.app;
  await plantObjects(run);

  const planted = source === undefined ? await buildPlanted(run, app.name, prepared.place) : undefined;
  const { builds, last, proofs } = planted ?? (await buildOwnSource(run, app.name, source ?? '.'));
  const expected = expectedConfigVars(run.storage, key?.accessKeyId);
  const inBuild = [configVarProof('build', buildConfigVars(last.log, expected)), ...unwrittenProofs(last.log, run.storage)];
  const place = planted?.place ?? prepared.place;
  const built = { app: app.name, prepared, place, builds, dynoLines: [], proofs: [...proofs, ...inBuild] };
  if (last.build.status !== 'succeeded') return built;

  const asker = { config: context.config, team: subject.team, key };
  const requests = await proveRequests(run, app.name, { release: last.release?.version, expected, ...asker });
  const page = planted && last.log.deployed !== undefined ? [await provePage(run, app)] : [];
  const prebuilt = planted && prebuild && subject.mode === 'upload' && (await provePrebuild(run, app.name, place));
  return {
    ...built,
    builds: [...builds, ...(prebuilt ? prebuilt.builds : [])],
    requests,
    dynoLines: [...requests.dyno.lines, ...(prebuilt ? prebuilt.dyno.lines : [])],
    proofs: [...built.proofs, ...requests.proofs, ...page, ...(prebuilt ? prebuilt.proofs : [])],
  };
}

async function makeApp({ name, heroku, made, say }: Run, { app, buildpacks, configVars }: Prepared): Promise<HerokuApp> {
  say(`making app ${name}`);
  await made.app(name);
  return createShortLived(heroku, { name, stack: app.stack, team: app.team, buildpacks, configVars });
}

function report(
  { storage, store }: Run,
  subject: Subject,
  signing: 2 | 4,
  seen: Seen,
  ending: Pick<Evidence, 'startedAt' | 'finishedAt' | 'leftovers'>,
): SmokeReport {
  const { prepared, place, builds, requests, proofs } = seen;
  const last = builds.at(-1);
  const causes = causesOf({
    proofs,
    signing,
    privateStorage: store !== undefined,
    build: last && { status: last.build.status, release: last.release?.status, log: last.log },
    attempts: requests?.tried ?? [],
    refusals: requests?.refusals ?? [],
    dynoStatus: requests?.dyno.status,
  });
  const evidence = {
    smokeApp: seen.app,
    stack: prepared.app.stack,
    platform: place.platform,
    buildpacks: prepared.buildpacks.map(withoutUserInfo),
    bucket: store?.objects.bucket.name,
    endpoint: storage.endpoint,
    signing,
    keyId: prepared.key?.accessKeyId,
    builds: builds.map(({ build: { id, status }, release, log }) => ({
      id,
      status,
      release: release?.version,
      log: log.lines.slice(-200),
    })),
    dyno: seen.dynoLines.slice(-200),
    ...ending,
  };
  return reportOf(subject, { proofs, causes, evidence });
}
