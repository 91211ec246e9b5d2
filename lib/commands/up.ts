import pMap from 'p-map';
import { requirePublicBuildpack } from '../buildpack/home.client.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { observeSignatures } from '../buildpack/sigv2.client.js';
import { bucketsStillOnV2, renderOnV2 } from '../buildpack/sigv2.plan.js';
import { dryRunExitCode, sentencesOf } from '../cli/changes.plan.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { preview, renderPreview, type Preview } from '../cli/preview.js';
import { proveTeams, renderReports } from '../cli/prove.js';
import { provenAfter, renderDue, renderHeld, toProve, type ToProve } from '../cli/proven.js';
import { buildpackWarnings, exitCodeOf, isThrough, renderOutcome } from '../cli/render.js';
import { runTeams, runWithBuildpacks } from '../cli/run-teams.js';
import { admit, openSession, type Session } from '../cli/session.js';
import { isPlanFile, readPlan, requireSame, savePlan, type SavedPlan } from '../cli/saved-plan.js';
import { changesOfDown, planPrune, PRUNE, renderDown, takeDown } from '../cli/take-down.js';
import { inAccountsOf } from '../config/environments.js';
import { readDocument } from '../config/document.js';
import { configText } from '../config/load.js';
import type { Team } from '../config/model.js';
import { BUILDPACK_STACK, DEFAULT_DEPLOYMENT } from '../contract/index.js';
import { createDeployer, type Deployer, type Hands } from '../deploy/deploy.client.js';
import { formerStack, prepareStack } from '../deploy/prepare.client.js';
import { isStackChanged, stackFailed, stacksFor, type StackTarget } from '../deploy/stacks.plan.js';
import { observeFormerAcls } from '../deploy/former-acls.client.js';
import { aclsByBucket, renderFormerAcls } from '../deploy/former-acls.plan.js';
import { KitError } from '../errors.js';
import { outgoing } from '../io/redaction.js';

export interface UpOptions extends ChangeOptions {
  /** `true`: also what has been proven. Default: what no proof holds for. */
  readonly smoke?: boolean;
  /** Also retire what an earlier file made and this one no longer names. */
  readonly prune?: boolean;
  /** Where to write the plan. */
  readonly out?: string;
}

/** Deploy, make keys, write config vars, prove. With `dryRun` a preview of all that, and nothing else. */
export async function up(names: readonly string[], options: UpOptions, host: CommandHost): Promise<CommandResult> {
  if (options.out !== undefined && !isPlanFile(options.out))
    throw new KitError(
      'options-conflict',
      `--out takes a name with a dot or a slash, such as next.plan, which no team has; got "${options.out}"`,
    );
  const saved = names[0] !== undefined && isPlanFile(names[0]) ? await readPlan(names[0], names, options) : undefined;
  if (saved !== undefined) return carryOutPlan(saved.teams, { ...options, prune: saved.prune, forget: saved.forget, saved }, host);
  const all = options.all || (options.prune && names.length === 0);
  return carryOutPlan(names, { ...options, all }, host);
}

async function carryOutPlan(
  names: readonly string[],
  options: UpOptions & { saved?: SavedPlan },
  host: CommandHost,
): Promise<CommandResult> {
  const { saved } = options;
  const opened = await openSession(names, options, host);
  if (saved !== undefined && saved.file !== opened.fileDigest) requireSame(saved, { file: opened.fileDigest, changes: [] });
  const session = await admit(opened, { deploying: true, everywhere: options.prune });
  await requirePublicBuildpack(session.config, session.teams, session.aws);
  const config = inAccountsOf(session.config, session.teams);
  const onV2 = bucketsStillOnV2(await observeSignatures(config, session.teams, { aws: session.aws, heroku: await session.heroku() }));
  const acceptSigV2 = new Set(onV2.map(({ bucket }) => bucket));
  const formerAcls = await observeFormerAcls(config, session.teams, session.aws);
  const deployer = await createDeployer({
    ...{ config, acceptSigV2, formerAcls: aclsByBucket(formerAcls) },
    io: host.io,
    profile: options.profile,
    network: session.network,
    concurrency: session.concurrency,
    signal: host.signal,
  });
  const targets = stacksFor(session.config, session.teams);
  const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
  await refuseTampered(buildpackUrl, { network: session.network, signal: host.signal });
  const seen = await preview(session, { deployer, targets, buildpackUrl, onV2, formerAcls, prune: options.prune });
  const proofs = options.smoke === false ? undefined : await toProve(session, seen, { deployer, buildpackUrl, again: options.smoke });
  const pruning = options.prune ? await planPrune(session) : undefined;
  const goes = pruning === undefined ? '' : renderDown(pruning.seen, options.verbose);
  const renamed = await pMap(targets, async (target) => {
    const goes = seen.stacks.some((one) => one.stack === target.name && isStackChanged(one));
    const name = goes ? await formerStack(session.aws(target.region), target) : undefined;
    return name === undefined ? [] : [{ name, region: target.region, by: target.name }];
  });
  const retired = pruning === undefined ? undefined : changesOfDown(pruning.seen);
  const former = renamed.flat();
  const whole = {
    ...seen,
    teams: [...seen.teams, ...(retired?.teams ?? [])],
    gone: [...former.map(({ name, region }) => `stack ${name} in ${region}`), ...(retired?.gone ?? [])],
  };
  const said = [
    ...former.map(({ name, by }) => `Stack ${name} goes, as ${by} takes its place; its users and its bucket stay.`),
    ...(proofs ? [...renderDue(proofs), ...renderHeld(proofs, session.network.time.now())] : []),
    ...(goes === '' ? [] : [`No longer in the file, and to be retired:\n${goes}`]),
  ];
  const requests = (await session.heroku()).remaining();
  // What is about to go is not told as left.
  const shown = retired === undefined ? seen : { ...seen, left: { ...seen.left, teams: [], stacks: [] } };
  const text = renderPreview(shown, options.verbose, requests, said, whole);
  for (const warning of buildpackWarnings(seen.buildpacks, session.config.buildpack.url)) host.io.warn(warning);
  const blocked = seen.blocked || pruning?.seen.teams.some(({ plan }) => plan.blocked.length > 0);
  const now = { file: session.fileDigest, changes: sentencesOf(whole).map(outgoing) };
  if (saved !== undefined) requireSame(saved, now);
  if (options.out !== undefined) {
    const teams = session.teams.map(({ name }) => name);
    await savePlan(options.out, { ...now, teams, prune: options.prune === true, forget: [...(options.forget ?? [])] });
    host.io.info(`plan written to ${options.out}; halcyon-kit up ${options.out} does exactly that`);
  }
  if (options.dryRun) {
    const data = { ...seen, ...(proofs && { prove: proofs.due }), ...(pruning && { prune: pruning.seen }) };
    return { data, text, exitCode: dryRunExitCode(options, whole, blocked) };
  }
  if (saved === undefined && options.yes) await refuseUnsaid(options.config, pruning?.seen.teams ?? []);
  if (saved === undefined && (seen.changes || goes !== '')) {
    host.io.info(`${text}\n`);
    if (!(await host.confirm('Go on?'))) throw new KitError('declined', 'nothing was changed');
  } else for (const line of proofs ? renderDue(proofs) : []) host.io.info(line);
  const done = await carryOut(session, { deployer, targets, seen, buildpackUrl, proofs }, options);
  // Where an app could not be moved it may hold a key of a team that is to go.
  if (pruning === undefined || goes === '') return done;
  if (done.exitCode !== 0)
    return { ...done, text: `${done.text}\n! nothing was retired, as not all of the rest came through: run it again` };
  const pruned = await takeDown(pruning.session, pruning.seen, PRUNE);
  const data = { ...(done.data as object), pruned: pruned.data };
  host.evidence.note(data);
  return { data, text: `${done.text}\n${pruned.text}`, exitCode: pruned.exitCode };
}

/**
 * Files that do not say their deployment all have the same, so what goes may be another file's: then a person has to look at it.
 * @throws KitError `deployment-unsaid`.
 */
async function refuseUnsaid(file: string, teams: ReadonlyArray<{ readonly team: string }>): Promise<void> {
  const { data } = readDocument(await configText(file));
  if (teams.length === 0 || (typeof data === 'object' && data !== null && 'deployment' in data)) return;
  throw new KitError(
    'deployment-unsaid',
    `retiring ${teams.map(({ team }) => team).join(', ')} without a question needs "deployment: ${DEFAULT_DEPLOYMENT}" in the file: another file of this account that says none may have made that. Add it, which changes nothing else, or leave --yes out`,
  );
}

interface Prepared {
  readonly deployer: Deployer;
  readonly targets: readonly StackTarget[];
  readonly seen: Preview;
  readonly buildpackUrl?: string;
  /** Undefined where nothing is to be proven. */
  readonly proofs?: ToProve;
}

/**
 * The buildpack is served and set before any bucket refuses version 2: until then apps sign with it, from then on they sign with version 4.
 * Keys come last, when their users are there. Back to version 2 it is the other way round: the buildpack goes when all else is done.
 */
async function carryOut(session: Session, prepared: Prepared, options: UpOptions): Promise<CommandResult> {
  const { config, teams, aws, host } = session;
  const { seen, buildpackUrl, proofs } = prepared;
  const hosted = await deploy(session, prepared, (stack) => stack === BUILDPACK_STACK);
  // Whatever else is deployed may refuse what apps sign without it.
  for (const [, error] of hosted.failed) throw error;
  await publishIfHosted(config, teams, aws, host.io);
  const deployed = [...hosted.deployed];
  const outcomes = await runWithBuildpacks(session, seen.buildpacks, async () => {
    const rest = await deploy(session, prepared, (stack) => stack !== BUILDPACK_STACK);
    deployed.push(...rest.deployed);
    const lacking = (team: Team) => stackFailed(config, team, rest.failed);
    for (const [, error] of rest.failed) if (teams.every(lacking)) throw error;
    for (const notice of [...renderOnV2(seen.onV2), ...renderFormerAcls(seen.formerAcls)]) host.io.warn(notice);
    return runTeams(session, {
      intent: { kind: 'ensure', prune: options.prune },
      from: seen.teams,
      deployed: deployed.map(({ stack }) => stack),
      lacking,
    });
  });
  // A key that is soaking after a move between principals does not make `up` unfinished: the next run, or `rotate --finish`, deletes it.
  const through = teams.filter(({ name }) => isThrough(outcomes.filter(({ team }) => team === name)));
  const after = proofs && provenAfter(proofs, through);
  const reports = after === undefined ? [] : await proveTeams({ ...session, teams: through }, { buildpackUrl, due: after.due });
  const evidence = { deployed, outcomes, smoke: reports, ...(after && { proven: after.held }) };
  host.evidence.note(evidence);
  return {
    data: evidence,
    text: [
      ...outcomes.map(renderOutcome),
      ...(reports.length > 0 ? ['', renderReports(reports)] : []),
      ...(after ? renderHeld(after, session.network.time.now()) : []),
      // Said again at the end: an app that cannot build must not hide behind proofs that hold.
      ...buildpackWarnings(seen.buildpacks, config.buildpack.url).map((warning) => `! ${warning}`),
    ].join('\n'),
    exitCode: reports.some((report) => !report.ok) ? 1 : exitCodeOf(outcomes),
  };
}

async function deploy({ aws, host }: Session, { deployer, targets, seen }: Prepared, which: (stack: string) => boolean) {
  const changed = seen.stacks.filter((one) => isStackChanged(one) && which(one.stack));
  const prepare = async (stack: string, hands: Hands) => {
    host.signal.throwIfAborted();
    const [one, target] = [changed.find((other) => other.stack === stack), targets.find(({ name }) => name === stack)];
    if (one === undefined || target === undefined) return;
    await prepareStack(one, target, { aws: aws(target.region), deployer, io: host.io, signal: host.signal, hands });
  };
  const done = await deployer.deploy(
    changed.map(({ stack }) => stack),
    prepare,
  );
  host.signal.throwIfAborted();
  return done;
}
