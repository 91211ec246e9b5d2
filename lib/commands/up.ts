import { requirePublicBuildpack } from '../buildpack/home.client.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { observeSignatures } from '../buildpack/sigv2.client.js';
import { bucketsStillOnV2, renderOnV2 } from '../buildpack/sigv2.plan.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { preview, renderPreview, type Preview } from '../cli/preview.js';
import { proveTeams, renderReports } from '../cli/prove.js';
import { buildpackWarnings, exitCodeOf, isThrough, renderOutcome } from '../cli/render.js';
import { runTeams, runWithBuildpacks } from '../cli/run-teams.js';
import { admit, openSession, type Session } from '../cli/session.js';
import { inAccountsOf } from '../config/environments.js';
import { BUILDPACK_STACK } from '../contract/index.js';
import { createDeployer, type Deployer } from '../deploy/deploy.client.js';
import { prepareStack } from '../deploy/prepare.client.js';
import { isStackChanged, stacksFor, type StackTarget } from '../deploy/stacks.plan.js';
import { KitError } from '../errors.js';

export interface UpOptions extends ChangeOptions {
  readonly all?: boolean;
  readonly smoke?: boolean;
  readonly evidence?: string;
}

/** Deploy, make keys, write config vars, prove. With `dryRun` a preview of all that, and nothing else. */
export async function up(names: readonly string[], options: UpOptions, host: CommandHost): Promise<CommandResult> {
  const session = await admit(await openSession(names, options, host), { deploying: true });
  await requirePublicBuildpack(session.config, session.teams, session.aws);
  const config = inAccountsOf(session.config, session.teams);
  const onV2 = bucketsStillOnV2(await observeSignatures(config, session.teams, { aws: session.aws, heroku: await session.heroku() }));
  const acceptSigV2 = new Set(onV2.map(({ bucket }) => bucket));
  const deployer = await createDeployer({ config, acceptSigV2, io: host.io, profile: options.profile, network: session.network });
  try {
    const targets = stacksFor(session.config, session.teams);
    const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
    await refuseTampered(buildpackUrl, { network: session.network, signal: host.signal });
    const seen = await preview(session, { deployer, targets, buildpackUrl, onV2 });
    for (const warning of buildpackWarnings(seen.buildpacks, session.config.buildpack.url)) host.io.warn(warning);
    if (options.dryRun) return { data: seen, text: renderPreview(seen), exitCode: seen.blocked ? 1 : 0 };
    if (seen.changes) {
      host.io.info(`${renderPreview(seen)}\n`);
      if (!(await host.confirm('Go on?'))) throw new KitError('declined', 'nothing was changed');
    }
    return await carryOut(session, { deployer, targets, seen, buildpackUrl }, options);
  } finally {
    await deployer.close();
  }
}

interface Prepared {
  readonly deployer: Deployer;
  readonly targets: readonly StackTarget[];
  readonly seen: Preview;
  readonly buildpackUrl?: string;
}

/**
 * The buildpack is served and set before any bucket refuses version 2: until then apps sign with it, from then on they sign with version 4.
 * Keys come last, when their users are there. Back to version 2 it is the other way round: the buildpack goes when all else is done.
 */
async function carryOut(session: Session, prepared: Prepared, options: UpOptions): Promise<CommandResult> {
  const { config, teams, aws, host } = session;
  const { seen, buildpackUrl } = prepared;
  const deployed = await deploy(session, prepared, (stack) => stack === BUILDPACK_STACK);
  await publishIfHosted(config, teams, aws, host.io);
  const outcomes = await runWithBuildpacks(session, seen.buildpacks, async () => {
    deployed.push(...(await deploy(session, prepared, (stack) => stack !== BUILDPACK_STACK)));
    for (const notice of renderOnV2(seen.onV2)) host.io.warn(notice);
    return runTeams(session, {
      intent: { kind: 'ensure' },
      // What was seen before a deployment says nothing of the users that it made.
      ...(deployed.length > 0 ? {} : { from: seen.teams }),
      deployed: deployed.length > 0,
    });
  });
  // A key that is soaking after a move between principals does not make `up` unfinished: the next run, or `rotate --finish`, deletes it.
  const reports = !isThrough(outcomes) || options.smoke === false ? [] : await proveTeams(session, { buildpackUrl });
  const evidence = { deployed, outcomes, smoke: reports };
  host.evidence.note(evidence);
  return {
    data: evidence,
    text: [
      ...outcomes.map(renderOutcome),
      ...(reports.length > 0 ? ['', renderReports(reports)] : []),
      // Said again at the end: an app that cannot build must not hide behind proofs that hold.
      ...buildpackWarnings(seen.buildpacks, config.buildpack.url).map((warning) => `! ${warning}`),
    ].join('\n'),
    exitCode: exitCodeOf(outcomes) === 1 || reports.some((report) => !report.ok) ? 1 : 0,
  };
}

async function deploy({ aws, host }: Session, { deployer, targets, seen }: Prepared, which: (stack: string) => boolean) {
  const changed = seen.stacks.filter((one) => isStackChanged(one) && which(one.stack));
  for (const one of changed) {
    const target = targets.find(({ name }) => name === one.stack);
    if (target !== undefined) await prepareStack(one, target, { aws: aws(target.region), deployer, io: host.io, signal: host.signal });
  }
  const done = await deployer.deploy(changed.map(({ stack }) => stack));
  host.signal.throwIfAborted();
  return done;
}
