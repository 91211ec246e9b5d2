import { bucketExists, requireOwnBucket } from '../aws/bucket.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { observeSignatures } from '../buildpack/sigv2.client.js';
import { bucketsStillOnV2, renderOnV2 } from '../buildpack/sigv2.plan.js';
import { BUILDPACK_STACK } from '../contract/index.js';
import type { Outcome } from '../engine/model.js';
import { createDeployer, type Deployer } from '../deploy/deploy.client.js';
import { importBucket } from '../deploy/import.client.js';
import { deleteStack } from '../deploy/stack.client.js';
import { isStackChanged, stacksFor, type StackTarget } from '../deploy/stacks.plan.js';
import { KitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import { inStep } from '../io/io-host.js';
import { inAccountsOf } from '../config/environments.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { bringBuildpacks, converge } from '../cli/converge.js';
import { look, pictureExitCode, principalsKept, renderPicture, type Picture } from '../cli/look.js';
import { proveTeams, renderReports } from '../cli/prove.js';
import { buildpackWarnings, exitCodeOf, renderOutcome } from '../cli/render.js';
import { openSession, preflight, writeEvidence, type Session } from '../cli/session.js';

export interface UpOptions extends ChangeOptions {
  readonly all?: boolean;
  readonly smoke?: boolean;
  readonly evidence?: string;
}

/** Deploy, make keys, write config vars, prove. With `dryRun` the picture of all that, and nothing else. */
export async function up(names: readonly string[], options: UpOptions, host: CommandHost): Promise<CommandResult> {
  const session = await openSession(names, options, host);
  const { heroku } = await preflight(session, host);
  const keep = await principalsKept(session, session.teams);
  const config = inAccountsOf(session.config, session.teams);
  const onV2 = bucketsStillOnV2(await observeSignatures(config, session.teams, { aws: (region) => session.aws(region), heroku }));
  const acceptSigV2 = new Set(onV2.map(({ bucket }) => bucket));
  const deployer = await createDeployer({ config, keep, acceptSigV2, io: host.io, profile: options.profile, network: session.network });
  try {
    const targets = stacksFor(session.config, session.teams, keep);
    const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
    const picture = await look(session, heroku, host, { deployer, targets, buildpackUrl, onV2 });
    for (const warning of buildpackWarnings(picture.buildpacks, session.config.buildpack.url)) host.io.warn(warning);
    if (options.dryRun) return { data: picture, text: renderPicture(picture), exitCode: pictureExitCode(picture) };
    if (picture.changes) {
      host.io.info(`${renderPicture(picture)}\n`);
      if (!(await host.confirm('Go on?'))) throw new KitError('declined', 'nothing was changed');
    }
    return await carryOut(session, heroku, host, { deployer, targets, picture, buildpackUrl }, options);
  } finally {
    await deployer.close();
  }
}

interface Prepared {
  readonly deployer: Deployer;
  readonly targets: readonly StackTarget[];
  readonly picture: Picture;
  readonly buildpackUrl?: string;
}

/**
 * The buildpack is served and set before any bucket refuses version 2: until then apps sign with it, from then on they sign with version 4.
 * Keys come last, when their users are there. Back to version 2 it is the other way round: the buildpack goes when all else is done.
 */
async function carryOut(
  session: Session,
  heroku: Heroku,
  host: CommandHost,
  prepared: Prepared,
  options: UpOptions,
): Promise<CommandResult> {
  const { deployer, picture, buildpackUrl } = prepared;
  const changed = picture.stacks.filter(isStackChanged).map(({ stack }) => stack);
  const deploy = async (stacks: readonly string[]) => {
    for (const stack of stacks) await clearFailedDeletion(session, host, prepared, stack);
    await takeBucketsBack(session, host, prepared, stacks);
    const done = await deployer.deploy(stacks);
    host.signal.throwIfAborted();
    return done;
  };
  const serving = await deploy(changed.filter((stack) => stack === BUILDPACK_STACK));
  await publishIfHosted(session.config, session.teams, (region) => session.aws(region), host.io);
  const buildpacks = { plans: picture.buildpacks };
  const before = session.config.signing.version === 4;
  if (before) await bringBuildpacks(session, heroku, host, buildpacks);
  const deployed = [...serving, ...(await deploy(changed.filter((stack) => stack !== BUILDPACK_STACK)))];
  for (const notice of renderOnV2(picture.onV2)) host.io.warn(notice);
  const outcomes = await converge(session, heroku, host, {
    intent: { kind: 'ensure' },
    // What was seen before a deployment says nothing of the users that it made.
    ...(deployed.length > 0 ? {} : { from: picture.teams }),
    deployed: deployed.length > 0,
    ...(before ? {} : { buildpacks }),
  });
  const failed = exitCodeOf(outcomes) === 1;
  const reports = failed || options.smoke === false ? [] : await proveTeams(session, heroku, host, { buildpackUrl });
  const evidence = { deployed, outcomes, smoke: reports };
  await writeEvidence(options.evidence, evidence, host);
  return {
    data: evidence,
    text: [
      ...outcomes.map(renderOutcome),
      ...(reports.length > 0 ? ['', renderReports(reports)] : []),
      // Said again at the end: an app that cannot build must not hide behind proofs that hold.
      ...buildpackWarnings(picture.buildpacks, session.config.buildpack.url).map((warning) => `! ${warning}`),
    ].join('\n'),
    exitCode: reports.some((report) => !report.ok) ? 1 : upExitCode(outcomes),
  };
}

/** A key that is soaking after a move between principals does not make `up` unfinished: the next run, or `rotate --finish`, deletes it. */
const upExitCode = (outcomes: readonly Outcome[]): number => (exitCodeOf(outcomes) === 1 ? 1 : 0);

/**
 * A stack that would create a bucket which is there already takes it back in: it was kept when an earlier stack went.
 * @throws KitError `bucket-name-taken` where the bucket belongs to someone else, `bucket-not-ours` where the kit did not make it.
 */
async function takeBucketsBack(
  session: Session,
  host: CommandHost,
  { deployer, targets, picture }: Prepared,
  stacks: readonly string[],
): Promise<void> {
  for (const { stack, changes, failed } of picture.stacks) {
    if (!stacks.includes(stack)) continue;
    const anew = failed === 'ROLLBACK_COMPLETE' || failed === 'DELETE_FAILED';
    const target = targets.find(({ name }) => name === stack);
    const creates = anew || changes.some(({ type, action }) => type === 'AWS::S3::Bucket' && action === 'create');
    const found = creates ? deployer.bucketResource(stack) : undefined;
    if (target?.bucket === undefined || found === undefined) continue;
    const { region, bucket } = target;
    if (!(await bucketExists(session.aws(region), bucket))) continue;
    await requireOwnBucket(session.aws(region), { ...bucket, region, stack });
    await inStep(host.io, `taking bucket ${bucket.name} back into ${stack}`, () =>
      importBucket(session.aws(region), { stack, bucket: bucket.name, ...found }, host.signal),
    );
  }
}

/** CloudFormation takes no change to a stack whose deletion failed half way: it must go first. What it retains stays. */
async function clearFailedDeletion(session: Session, host: CommandHost, { targets, picture }: Prepared, stack: string): Promise<void> {
  const target = targets.find(({ name }) => name === stack);
  if (target === undefined || picture.stacks.find((one) => one.stack === stack)?.failed !== 'DELETE_FAILED') return;
  await inStep(host.io, `completing the deletion of ${stack}`, () => deleteStack(session.aws(target.region), stack, host.signal));
}
