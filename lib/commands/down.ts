import { emptyBucket, deleteBucket, requireOwnBucket } from '../aws/bucket.js';
import { checkAccount, identity } from '../aws/identity.js';
import type { BucketSpec, Team } from '../config/model.js';
import { bucketStackName, teamStackName } from '../contract/index.js';
import { deleteStack, stackState } from '../deploy/stack.client.js';
import { KitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import { inStep } from '../io/io-host.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { engineContext } from '../cli/look.js';
import { exitCodeOf, renderBuildpacks, renderOutcome, renderPlan } from '../cli/render.js';
import { openSession, preflight, type Session } from '../cli/session.js';
import { buildpacksWanted } from '../buildpack/signing.js';
import { converge } from '../cli/converge.js';

export interface DownOptions extends ChangeOptions {
  readonly all?: boolean;
  readonly bucket?: string[];
  readonly deleteBucket?: boolean;
  readonly force?: boolean;
}

/** Apps first, keys next, the stack last; a bucket only when asked for by name of the option. */
export async function down(names: readonly string[], options: DownOptions, host: CommandHost): Promise<CommandResult> {
  const onlyBuckets = names.length === 0 && !options.all && options.bucket !== undefined;
  const opened = await openSession(names, { ...options, all: onlyBuckets || options.all }, host);
  // What is being taken down is not set up on the way.
  const config = { ...opened.config, buildpack: { ...opened.config.buildpack, install: false } };
  const session: Session = { ...opened, config, teams: onlyBuckets ? [] : opened.teams };
  const shared = sharedBuckets(session, options.bucket ?? []);
  const heroku = session.teams.length > 0 ? (await preflight(session, host)).heroku : undefined;
  if (shared[0] !== undefined)
    checkAccount(
      await identity(session.aws(shared[0].region)),
      shared.map(({ id, account }) => ({ account, by: `shared bucket ${id}` })),
    );
  const stacks = await stacksThere(session, shared);
  for (const bucket of shared) await refuseWhileUsed(session, bucket.id);

  const owned: OwnedBucket[] = [
    ...session.teams.flatMap((team) =>
      team.bucket?.kind === 'own' ? [{ ...team.bucket.spec, owner: team.name, stack: teamStackName(team.name) }] : [],
    ),
    ...shared.map((bucket) => ({ ...bucket, owner: bucket.id, stack: bucketStackName(bucket.id) })),
  ];
  const buckets = options.deleteBucket ? owned : [];
  for (const bucket of owned) {
    if (!options.deleteBucket && !bucket.retention.retain && stacks.some(({ name }) => name === bucket.stack)) {
      throw new KitError(
        'bucket-not-retained',
        `bucket ${bucket.name} goes with its stack (retention.retain: false); add --delete-bucket to delete it and what is in it, or set retain: true and run "halcyon-kit up" first`,
      );
    }
  }
  for (const bucket of buckets) await requireOwnBucket(session.aws(bucket.region), bucket);

  const picture = heroku === undefined ? { text: '', data: [] } : await lookAhead(session, heroku, host, options.force === true);
  const text = [
    picture.text,
    ...stacks.map(({ name }) => `- stack ${name}`),
    ...buckets.map(({ name }) => `- bucket ${name} and everything in it`),
  ]
    .filter((line) => line !== '')
    .join('\n');
  if (options.dryRun)
    return {
      data: { teams: picture.data, stacks: stacks.map(({ name }) => name), buckets: buckets.map(({ name }) => name) },
      text: text || 'nothing to take down',
    };
  host.io.info(`${text || 'nothing to take down'}\n`);
  if (
    text !== '' &&
    !(await host.confirm(
      buckets.length > 0 ? 'Take all of this down? What is in the buckets cannot be brought back.' : 'Take all of this down?',
    ))
  ) {
    throw new KitError('declined', 'nothing was changed');
  }

  const outcomes =
    heroku === undefined
      ? []
      : await converge(session, heroku, host, { intent: { kind: 'down', force: options.force === true }, buildpacks: {} });
  if (exitCodeOf(outcomes) !== 0)
    return { data: { outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) };
  // CloudFormation deletes no bucket that has something in it.
  for (const bucket of buckets.filter(({ retention }) => !retention.retain)) await empty(session, bucket, host);
  await destroy(session, host, stacks);
  for (const bucket of buckets) {
    await empty(session, bucket, host);
    await deleteBucket(session.aws(bucket.region), bucket);
  }
  const kept = owned.filter((bucket) => !buckets.includes(bucket));
  return {
    data: {
      outcomes,
      destroyed: stacks.map(({ name }) => name),
      deletedBuckets: buckets.map(({ name }) => name),
      keptBuckets: kept.map(({ name }) => name),
    },
    text: [
      ...outcomes.map(renderOutcome),
      ...stacks.map(({ name }) => `${name} destroyed`),
      ...buckets.map(({ name }) => `bucket ${name} deleted`),
      ...kept.map(({ name }) => `bucket ${name} is kept; "up" takes it back, --delete-bucket deletes it`),
    ].join('\n'),
  };
}

async function lookAhead(session: Session, heroku: Heroku, host: CommandHost, force: boolean) {
  const [{ observeTeam, planTeam, DEFAULT_POLICY }, { observeBuildpacks }] = await Promise.all([
    import('../engine/index.js'),
    import('../heroku/buildpacks.sync.js'),
  ]);
  const buildpacks = await observeBuildpacks(heroku, buildpacksWanted(session.config, session.teams, undefined), session.config.buildpack);
  const teams = await Promise.all(
    session.teams.map(async (team) => ({
      team: team.name,
      plan: planTeam(await observeTeam(engineContext(session, heroku, host, team), team), { kind: 'down', force }, DEFAULT_POLICY),
    })),
  );
  return {
    data: teams,
    text: [renderBuildpacks(buildpacks), ...teams.map(({ team, plan }) => renderPlan(team, plan))]
      .filter((part) => part !== '')
      .join('\n\n'),
  };
}

/** A bucket that a stack of ours made, and whose it is. */
type OwnedBucket = BucketSpec & { readonly owner: string; readonly stack: string };

interface StackThere {
  readonly name: string;
  readonly region: string;
}

async function stacksThere(session: Session, shared: ReadonlyArray<BucketSpec & { id: string }>): Promise<StackThere[]> {
  const wanted = [
    ...session.teams.flatMap((team: Team) =>
      team.bucket === undefined ? [] : [{ name: teamStackName(team.name), region: team.bucket.spec.region }],
    ),
    ...shared.map((bucket) => ({ name: bucketStackName(bucket.id), region: bucket.region })),
  ];
  const states = await Promise.all(wanted.map(({ name, region }) => stackState(session.aws(region), name)));
  return wanted.filter((_, index) => states[index]?.exists);
}

function sharedBuckets(session: Session, ids: readonly string[]) {
  return ids.map((id) => {
    const bucket = session.config.buckets.find((one) => one.id === id);
    if (bucket === undefined)
      throw new KitError(
        'bucket-not-found',
        `shared bucket "${id}" is not in the file; there are: ${session.config.buckets.map((one) => one.id).join(', ') || 'none'}`,
      );
    return bucket;
  });
}

/** A shared bucket's stack holds the policy that keeps its teams apart. */
async function refuseWhileUsed(session: Session, id: string): Promise<void> {
  const going = new Set(session.teams.map((team) => team.name));
  for (const team of session.config.teams) {
    if (team.bucket?.kind !== 'shared' || team.bucket.shared !== id || going.has(team.name)) continue;
    if ((await stackState(session.aws(team.bucket.spec.region), teamStackName(team.name))).exists) {
      throw new KitError(
        'bucket-in-use',
        `shared bucket ${id} is still used by team ${team.name}; take it down first, or name it as well: "halcyon-kit down ${team.name} --bucket ${id}"`,
      );
    }
  }
}

async function destroy(session: Session, host: CommandHost, stacks: readonly StackThere[]): Promise<void> {
  for (const { name, region } of stacks) {
    host.signal.throwIfAborted();
    await inStep(host.io, `deleting stack ${name}`, () => deleteStack(session.aws(region), name, host.signal));
  }
}

const empty = (session: Session, bucket: OwnedBucket, host: CommandHost): Promise<number> =>
  inStep(
    host.io,
    `emptying bucket ${bucket.name}`,
    (step) =>
      emptyBucket(session.aws(bucket.region), bucket, { onProgress: (deleted) => step.update(`${deleted} objects`), signal: host.signal }),
    (deleted) => `${deleted} objects`,
  );
