import pMap from 'p-map';
import { storageOf } from '../config/derive.js';
import { keyPrefix, userName } from '../contract/index.js';
import { holdersOf } from '../engine/index.js';
import { isKitError, KitError, throwFirst } from '../errors.js';
import type { Step } from '../io/io-host.js';
import { redact } from '../io/redaction.js';
import { createShortLived, prepare, type Prepared } from '../smoke/app.client.js';
import { buildOn } from '../smoke/build.client.js';
import { causesOf, type Built } from '../smoke/causes.plan.js';
import { causesInLog, type Whose } from '../smoke/log-causes.plan.js';
import type { SmokeContext } from '../smoke/context.js';
import { runScript, type DynoRun } from '../smoke/dyno.client.js';
import { parseBuildLog, type StorageLine } from '../smoke/log.js';
import { Made } from '../smoke/made.client.js';
import { shortLivedName } from '../smoke/name.js';
import { registerOf } from '../smoke/register.client.js';
import { proof, type Cause, type Proof } from '../smoke/report.js';
import { buildScript } from '../smoke/script.js';
import type { Subject } from '../smoke/subject.js';
import { storedPackages } from '../storage/packages.client.js';
import { COPIED, refusalOf, type Job, type Size } from './prebuild.plan.js';
import type { Source } from './source.client.js';
import { installIn, isStored } from './usage.client.js';

/** An app that is to be prebuilt, with all that is known beforehand. */
export interface Prebuild extends Job {
  readonly subject: Subject;
  readonly prepared: Prepared;
  readonly source: Source;
}

export interface PrebuildOptions {
  readonly size: Size;
  /** How long `build` may take. */
  readonly timeoutMs: number;
  /** Afterwards the same source is deployed to the app itself. */
  readonly deploy: boolean;
}

/** What came of one app. Plain data without secrets. */
export interface PrebuildReport {
  readonly team: string;
  readonly app: string;
  readonly ok: boolean;
  /** `there`: nothing had to be built. */
  readonly state: 'prebuilt' | 'there' | 'failed';
  /** `s3://bucket/…`, the install archive that the app's next build of this source takes. */
  readonly archive?: string;
  /** Of the app itself, with `deploy`. */
  readonly release?: number;
  readonly proofs: readonly Proof[];
  readonly causes: readonly Cause[];
  /** What the dyno printed, its last 200 lines. */
  readonly dyno: readonly string[];
}

/**
 * Look at an app, and at what is stored for it; nothing is made.
 * @throws KitError `prebuild-refused`, `app-cnb` and the like, `key-missing`.
 */
export async function lookAt(context: SmokeContext, subject: Subject, source: Source): Promise<Prebuild> {
  const { team, app } = subject;
  const refused = refusalOf(app);
  if (refused !== undefined) throw new KitError('prebuild-refused', refused);
  const prepared = await prepare(context, subject, storageOf(context.config, team, app), { copied: COPIED });
  const { spec, prefix } = team.bucket!;
  const { platform } = prepared.place;
  const place = `${keyPrefix(prefix)}${platform}/`;
  const stored = platform === '' ? [] : await storedPackages(context.aws, spec, place, context.signal);
  const compiler = stored.some(({ kind }) => kind === 'ghc');
  // A stack that we do not know, and a fork, may have a compiler of their own.
  if (!compiler && platform !== '' && prepared.configVars.HALCYON_URL === undefined)
    throw new KitError(
      'prebuild-refused',
      `app ${app.name} is on ${prepared.app.stack}, for which upstream Halcyon has no GHC, and there is none under s3://${spec.name}/${place}; put a GHC archive there, or name a fork that has one with buildpack.halcyonUrl`,
    );
  const job = { app: app.name, place: `${spec.name}/${place}`, compiler, constraints: source.constraints };
  return { ...job, subject, prepared, source };
}

/** Apps at a time: accounts have few dynos of this size. */
const CONCURRENCY = 3;

/** One wave after another; an app that fails stops no other. @throws KitError `interrupted`, when everything made is removed. */
export async function prebuildAll(
  contextOf: (job: Prebuild) => SmokeContext,
  waves: readonly Prebuild[][],
  options: PrebuildOptions,
): Promise<PrebuildReport[]> {
  const reports: PrebuildReport[] = [];
  for (const wave of waves) {
    const run = (job: Prebuild) => runOne(contextOf(job), job, options);
    // Each removes what it made before any error goes on.
    reports.push(...(await pMap(wave, run, { concurrency: CONCURRENCY, stopOnError: false }).catch(throwFirst)));
  }
  return reports;
}

async function runOne(context: SmokeContext, job: Prebuild, options: PrebuildOptions): Promise<PrebuildReport> {
  const { team, app } = job.subject;
  const seen: Seen = { proofs: [], causes: [], state: 'failed', dyno: [] };
  const step = context.io.step(`prebuilding ${app.name}`);
  try {
    context.signal?.throwIfAborted();
    await prebuildOne(context, job, options, seen, step);
    if (options.deploy && seen.proofs.every(({ ok }) => ok)) await deploy(context, job, seen, step);
  } catch (error) {
    if (!isKitError(error) || context.signal?.aborted) {
      step.fail(error);
      throw error;
    }
    seen.proofs.push(proof('prebuild runs to its end', 'yes', error.code));
    seen.causes.push({ code: error.code, message: error.message, remedy: 'mend that and run again: what was archived is not built again' });
  }
  const ok = seen.proofs.every((one) => one.ok);
  const said = { prebuilt: 'App built', there: 'is prebuilt already', failed: 'failed' }[ok ? seen.state : 'failed'];
  if (ok) step.done(said);
  else step.fail(said);
  const report: PrebuildReport = {
    ...seen,
    team: team.name,
    app: app.name,
    ok,
    state: ok ? seen.state : 'failed',
    dyno: seen.dyno.slice(-200),
  };
  return JSON.parse(redact(JSON.stringify(report))) as PrebuildReport;
}

/** What one prebuild has shown so far. */
interface Seen {
  readonly proofs: Proof[];
  readonly causes: Cause[];
  state: PrebuildReport['state'];
  archive?: string;
  release?: number;
  dyno: readonly string[];
}

async function prebuildOne(context: SmokeContext, job: Prebuild, options: PrebuildOptions, seen: Seen, step: Step): Promise<void> {
  const { aws, heroku, io, signal } = context;
  const { subject, prepared, source } = job;
  const { team, principal } = subject;
  const name = shortLivedName('prebuild');
  const say = (detail: string) => step.update(redact(detail));
  const made = new Made(name, registerOf(aws, team));
  const holders = holdersOf(aws, team.bucket!.spec);
  const user = userName(principal!);
  let id: string | undefined;
  try {
    say(`making app ${name}`);
    await made.app(name);
    const { app: like, buildpacks, configVars } = prepared;
    const wanted = { name, stack: like.stack, team: like.team, buildpacks, configVars };
    // Its key must not retire while it builds.
    await createShortLived(heroku, wanted, async (app) => {
      await holders.add(user, { id: (id = app.id), app: name });
    });
    const first = await buildOn(heroku, name, source.tarball, { version: `${name}-first`, say, signal });
    const { log, release } = first;
    seen.proofs.push(proof('the source is taken, and released', 'succeeded', release?.status ?? first.build.status));
    let archive = installIn(log);
    if (log.deployed !== undefined) seen.state = archive?.outcome === 'done' && archive.action === 'Downloading' ? 'there' : 'prebuilt';
    else if (log.buildpackOnly && release?.status === 'succeeded') {
      const { size, timeoutMs } = options;
      say(`running build on a ${size} dyno`);
      const timeToLive = Math.ceil(timeoutMs / 1000);
      const how = { mark: name, timeToLive, size, release: release.version, say, signal, long: true };
      const dyno = await runScript(heroku, name, buildScript(name), how);
      seen.dyno = dyno.lines;
      seen.state = 'prebuilt';
      const said = parseBuildLog(dyno.lines.join('\n'));
      archive = installIn(said) ?? archive;
      seen.proofs.push(proof('`build` on a one-off dyno', 'App built', said.built === undefined ? endOf(dyno, said.errors) : 'App built'));
      if (said.built === undefined) seen.causes.push(...causesInLog(said, whose(job)).map(({ line: _, ...cause }) => cause), NOT_BUILT);
    } else {
      seen.proofs.push(proof('Halcyon is reached, and finds what is to be built', 'yes', log.errors.join('; ') || 'no'));
      return void seen.causes.push(...causes(context, job, seen, first));
    }
    await proveArchive(context, job, archive, seen);
  } finally {
    say('removing what it made');
    const left = await made.remove(heroku, undefined, io);
    // While the app is there, it holds the key.
    if (id !== undefined && left.length === 0) await holders.forget(user, id).catch(() => undefined);
  }
}

const NOT_BUILT: Cause = {
  code: 'build-failed',
  message: '`build` did not come to its end on the dyno',
  remedy: 'see what it printed (--json), or raise --size or --timeout; what it archived is not built again',
};

const endOf = ({ status, lines }: DynoRun, errors: readonly string[]): string => {
  const why = errors.length > 0 ? errors : lines.slice(-3);
  return [status === undefined ? 'no end was seen: its time was over, or it was stopped' : `exit ${status}`, ...why].join('; ');
};

/** `App built` is said where nothing was archived, too: what counts is what the app's next build can find. */
async function proveArchive(
  { aws, signal }: SmokeContext,
  { subject }: Prebuild,
  asked: StorageLine | undefined,
  seen: Seen,
): Promise<void> {
  const there = asked && (await isStored(aws, subject.team.bucket!, asked.url, signal));
  if (there) seen.archive = asked.url;
  const observed = there ? asked.url : there === undefined ? 'nothing was archived' : `${asked?.outcome}, and not there`;
  seen.proofs.push(proof('the install archive is in the bucket', asked?.url ?? 'yes', observed));
}

/** The very same bytes to the app itself. */
async function deploy(context: SmokeContext, job: Prebuild, seen: Seen, step: Step): Promise<void> {
  const { app, source } = job;
  const say = (detail: string) => step.update(redact(detail));
  say(`deploying to ${app}`);
  const built = await buildOn(context.heroku, app, source.tarball, { version: 'prebuilt', say, signal: context.signal });
  const { build, release, log } = built;
  if (release !== undefined) seen.release = release.version;
  const nothing = log.buildpackOnly ? 'buildpack only, which replaced what ran there: heroku rollback brings it back' : 'no';
  seen.proofs.push(
    proof('the app is deployed', 'yes', log.deployed === undefined ? nothing : 'yes'),
    proof('its release succeeds', 'succeeded', release?.status ?? build.status),
  );
  if (seen.proofs.some(({ ok }) => !ok)) seen.causes.push(...causes(context, job, seen, built));
}

const whose = ({ app, subject }: Prebuild): Whose => ({ app, team: subject.team.name });
const causes = ({ config }: SmokeContext, job: Prebuild, { proofs }: Seen, built: Built): Cause[] =>
  causesOf({
    ...{ proofs, signing: config.signing.version, privateStorage: true, about: whose(job) },
    ...{ builds: [built], attempts: [], refusals: [] },
  });
