import { KitError } from '../errors.js';
import type { Outcome } from '../credentials/model.js';
import { bucketExists } from '../aws/bucket.js';
import { createDeployer, type Deployer } from '../deploy/deploy.client.js';
import { importBucket } from '../deploy/import.client.js';
import { stacksFor, type StackTarget } from '../deploy/stacks.plan.js';
import { inStep } from '../io/io-host.js';
import type { Heroku } from '../heroku/heroku.js';
import type { ChangeOptions, CommandHost, CommandResult } from './command.js';
import { converge } from './converge.js';
import { look, principalsKept, renderPicture, type Picture } from './look.js';
import { buildpackWarnings, exitCodeOf, renderOutcome } from './render.js';
import { openSession, preflight, writeEvidence, type Session } from './session.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { proveTeams, renderReports } from './prove.js';

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
  const deployer = await createDeployer({ config: session.config, keep, io: host.io, profile: options.profile });
  try {
    const targets = stacksFor(session.config, session.teams, keep);
    const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
    const picture = await look(session, heroku, host, { deployer, stacks: targets.map(({ name }) => name), buildpackUrl });
    for (const warning of buildpackWarnings(picture.buildpacks)) host.io.warn(warning);
    if (options.dryRun) return { data: picture, text: renderPicture(picture) };
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

async function carryOut(
  session: Session,
  heroku: Heroku,
  host: CommandHost,
  prepared: Prepared,
  options: UpOptions,
): Promise<CommandResult> {
  const { deployer, picture, buildpackUrl } = prepared;
  const changed = picture.stacks.filter((stack) => stack.changes.length > 0);
  await takeBucketsBack(session, host, prepared);
  const deployed = await deployer.deploy(changed.map(({ stack }) => stack));
  host.signal.throwIfAborted();
  await publishIfHosted(session.config, session.teams, (region) => session.aws(region), host.io);
  const outcomes = await converge(session, heroku, host, { intent: { kind: 'ensure' }, buildpacks: { url: buildpackUrl } });
  const failed = exitCodeOf(outcomes) === 1;
  const reports = failed || options.smoke === false ? [] : await proveTeams(session, heroku, host, { buildpackUrl });
  const evidence = { deployed, outcomes, smoke: reports };
  await writeEvidence(options.evidence, evidence, host);
  return {
    data: evidence,
    text: [...outcomes.map(renderOutcome), ...(reports.length > 0 ? ['', renderReports(reports)] : [])].join('\n'),
    exitCode: reports.some((report) => !report.ok) ? 1 : upExitCode(outcomes),
  };
}

/** A key that is soaking after a move between principals does not make `up` unfinished: the next run, or `rotate --finish`, deletes it. */
const upExitCode = (outcomes: readonly Outcome[]): number => (exitCodeOf(outcomes) === 1 ? 1 : 0);

/**
 * A stack that would create a bucket which is there already takes it back in: it was kept when an earlier stack went.
 * @throws KitError `bucket-name-taken` where the bucket belongs to someone else.
 */
async function takeBucketsBack(session: Session, host: CommandHost, { deployer, targets, picture }: Prepared): Promise<void> {
  for (const { stack, changes } of picture.stacks) {
    const target = targets.find(({ name }) => name === stack);
    const creates = changes.some(({ type, action }) => type === 'AWS::S3::Bucket' && action === 'create');
    const found = creates ? deployer.bucketResource(stack) : undefined;
    if (target?.bucket === undefined || found === undefined) continue;
    const { region, bucket } = target;
    if (!(await bucketExists(session.aws(region), bucket))) continue;
    await inStep(host.io, `taking bucket ${bucket.name} back into ${stack}`, () =>
      importBucket(session.aws(region), { stack, bucket: bucket.name, ...found }, host.signal),
    );
  }
}
