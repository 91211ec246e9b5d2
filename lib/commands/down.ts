import { emptyBucket, deleteBucket, requireOwnBucket } from '../aws/bucket.js';
import { checkAccount, identity } from '../aws/identity.js';
import type { BucketSpec } from '../config/model.js';
import { bucketStackName, teamStackName } from '../contract/index.js';
import { deleteStack, stackState } from '../deploy/stack.client.js';
import { KitError } from '../errors.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import type { Intent } from '../engine/model.js';
import { inStep } from '../io/io-host.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { planTeams, previewBuildpacks, type TeamPlan } from '../cli/preview.js';
import { exitCodeOf, renderBuildpacks, renderOutcome, renderPlan } from '../cli/render.js';
import { runTeams, setBuildpacks } from '../cli/run-teams.js';
import { checkAccess, openSession, type Session } from '../cli/session.js';

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
  const chosen: Session = { ...opened, config, teams: onlyBuckets ? [] : opened.teams };
  const session = onlyBuckets ? chosen : await checkAccess(chosen);
  const seen = await planDown(session, options);
  const text = renderDown(seen) || 'nothing to take down';
  const stacks = seen.stacks.map(({ name }) => name);
  if (options.dryRun) return { data: { teams: seen.teams, stacks, buckets: seen.buckets.map(({ name }) => name) }, text };
  host.io.info(`${text}\n`);
  const lost = seen.buckets.length > 0 ? ' What is in the buckets cannot be brought back.' : '';
  if (renderDown(seen) !== '' && !(await host.confirm(`Take all of this down?${lost}`)))
    throw new KitError('declined', 'nothing was changed');
  return carryOut(session, seen, options);
}

/** What is to go, and what of it stays. */
interface DownPlan {
  readonly teams: ReadonlyArray<Pick<TeamPlan, 'team' | 'plan'>>;
  readonly buildpacks: readonly AppBuildpacks[];
  readonly stacks: readonly StackThere[];
  readonly buckets: readonly OwnedBucket[];
  readonly kept: readonly OwnedBucket[];
}

/** A bucket that a stack of ours made, and whose it is. */
type OwnedBucket = BucketSpec & { readonly owner: string; readonly stack: string };

interface StackThere {
  readonly name: string;
  readonly region: string;
}

/** Look at everything, refuse what cannot be, change nothing. */
async function planDown(session: Session, options: DownOptions): Promise<DownPlan> {
  const { aws, teams } = session;
  const shared = sharedBuckets(session, options.bucket ?? []);
  if (shared[0] !== undefined)
    checkAccount(
      await identity(aws(shared[0].region)),
      shared.map(({ id, account }) => ({ account, by: `shared bucket ${id}` })),
    );
  const stacks = await stacksThere(session, shared);
  for (const bucket of shared) await refuseWhileUsed(session, bucket.id);
  const owned: OwnedBucket[] = [
    ...teams.flatMap(({ name, bucket }) => (bucket?.kind === 'own' ? [{ ...bucket.spec, owner: name, stack: teamStackName(name) }] : [])),
    ...shared.map((bucket) => ({ ...bucket, owner: bucket.id, stack: bucketStackName(bucket.id) })),
  ];
  for (const bucket of options.deleteBucket ? owned : []) await requireOwnBucket(aws(bucket.region), bucket);
  if (!options.deleteBucket) refuseUnretained(owned, stacks);
  const seen =
    teams.length === 0
      ? { teams: [], buildpacks: [] }
      : {
          buildpacks: await previewBuildpacks(session),
          teams: (await planTeams(session, intentOf(options))).map(({ team, plan }) => ({ team, plan })),
        };
  return { ...seen, stacks, buckets: options.deleteBucket ? owned : [], kept: options.deleteBucket ? [] : owned };
}

const intentOf = ({ force }: DownOptions): Intent => ({ kind: 'down', force: force === true });

const renderDown = ({ teams, buildpacks, stacks, buckets }: DownPlan): string =>
  [
    [renderBuildpacks(buildpacks), ...teams.map(({ team, plan }) => renderPlan(team, plan))].filter((part) => part !== '').join('\n\n'),
    ...stacks.map(({ name }) => `- stack ${name}`),
    ...buckets.map(({ name }) => `- bucket ${name} and everything in it`),
  ]
    .filter((line) => line !== '')
    .join('\n');

async function carryOut(session: Session, { stacks, buckets, kept }: DownPlan, options: DownOptions): Promise<CommandResult> {
  const { aws, host } = session;
  const outcomes = session.teams.length === 0 ? [] : await runTeams(session, { intent: intentOf(options) });
  if (exitCodeOf(outcomes) !== 0)
    return { data: { outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) };
  // Ours last: until then the apps' builds sign with it.
  if (session.teams.length > 0) await setBuildpacks(session, await previewBuildpacks(session));
  // CloudFormation deletes no bucket that has something in it.
  for (const bucket of buckets.filter(({ retention }) => !retention.retain)) await empty(session, bucket);
  for (const { name, region } of stacks) {
    host.signal.throwIfAborted();
    await inStep(host.io, `deleting stack ${name}`, () => deleteStack(aws(region), name, host.signal));
  }
  for (const bucket of buckets) {
    await empty(session, bucket);
    await deleteBucket(aws(bucket.region), bucket);
  }
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

async function stacksThere({ teams, aws }: Session, shared: ReadonlyArray<BucketSpec & { id: string }>): Promise<StackThere[]> {
  const wanted = [
    ...teams.flatMap(({ name, bucket }) => (bucket === undefined ? [] : [{ name: teamStackName(name), region: bucket.spec.region }])),
    ...shared.map(({ id, region }) => ({ name: bucketStackName(id), region })),
  ];
  const states = await Promise.all(wanted.map(({ name, region }) => stackState(aws(region), name)));
  return wanted.filter((_, index) => states[index]?.exists);
}

/** A bucket that its stack would take with it, with what is in it. */
function refuseUnretained(owned: readonly OwnedBucket[], stacks: readonly StackThere[]): void {
  const lost = owned.find((bucket) => !bucket.retention.retain && stacks.some(({ name }) => name === bucket.stack));
  if (lost === undefined) return;
  throw new KitError(
    'bucket-not-retained',
    `bucket ${lost.name} goes with its stack (retention.retain: false); add --delete-bucket to delete it and what is in it, or set retain: true and run "halcyon-kit up" first`,
  );
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

const empty = ({ aws, host: { io, signal } }: Session, bucket: OwnedBucket): Promise<number> =>
  inStep(
    io,
    `emptying bucket ${bucket.name}`,
    (step) => emptyBucket(aws(bucket.region), bucket, { onProgress: (deleted) => step.update(`${deleted} objects`), signal }),
    (deleted) => `${deleted} objects`,
  );
