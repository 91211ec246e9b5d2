import pMap from 'p-map';
import { bucketExists, requireOwnBucket } from '../aws/bucket.js';
import { checkAccount, identity } from '../aws/identity.js';
import { namesOf } from '../config/derive.js';
import type { BucketSpec } from '../config/model.js';
import { bucketStackName, isOf, teamStackName } from '../contract/index.js';
import { namesLeft, NOTHING_LEFT, teamLeft, type Left, type LeftStack } from '../deploy/left.plan.js';
import { requireOwnStack, stackState } from '../deploy/stack.client.js';
import { KitError } from '../errors.js';
import type { Intent } from '../engine/model.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { dryRunExitCode, tallyOf } from '../cli/changes.plan.js';
import { planTeams, previewBuildpacks } from '../cli/preview.js';
import { lookForLeft } from '../cli/principals.js';
import { admit, openSession, selectTeams, type Session } from '../cli/session.js';
import { changesOfDown, renderDown, stacksOf, takeDown, type DownPlan, type OwnedBucket, type StackThere } from '../cli/take-down.js';

export interface DownOptions extends ChangeOptions {
  readonly bucket?: string[];
  readonly deleteBucket?: boolean;
  readonly force?: boolean;
}

/** Apps first, keys next, the stack last; a bucket only when asked for by name of the option. Of a team that the file has, or had. */
export async function down(names: readonly string[], options: DownOptions, host: CommandHost): Promise<CommandResult> {
  const onlyBuckets = names.length === 0 && !options.all && options.bucket !== undefined;
  const opened = await openSession([], { ...options, all: true }, host);
  const have = opened.config.teams;
  const left = names.every((name) => have.some((team) => team.name === name)) ? NOTHING_LEFT : await lookForLeft(opened);
  const all = [...have, ...namesLeft(left).map((name) => teamLeft(name, left))];
  const teams = onlyBuckets ? [] : selectTeams({ ...opened.config, teams: all }, names, options.all === true);
  // What is being taken down is not set up on the way.
  const config = { ...opened.config, buildpack: { ...opened.config.buildpack, install: false } };
  const { session, seen } = await planDown({ ...opened, config, teams }, left, options);
  const text =
    [renderDown(seen, options.verbose), tallyOf(changesOfDown(seen))].filter((part) => part !== '').join('\n\n') || 'nothing to take down';
  if (options.dryRun) {
    const [stacks, buckets, kept] = [seen.stacks, seen.buckets, seen.kept].map((some) =>
      some.map(({ name, region }) => ({ name, region })),
    );
    return { data: { teams: seen.teams, stacks, buckets, kept }, text, exitCode: dryRunExitCode(options, changesOfDown(seen)) };
  }
  host.io.info(`${text}\n`);
  const lost = seen.buckets.length > 0 ? ' What is in the buckets cannot be brought back.' : '';
  if (renderDown(seen) !== '' && !(await host.confirm(`Take all of this down?${lost}`)))
    throw new KitError('declined', 'nothing was changed');
  return takeDown(session, seen, intentOf(options));
}

/** Look at everything, refuse what cannot be, change nothing. */
async function planDown(whole: Session, left: Left, options: DownOptions): Promise<{ session: Session; seen: DownPlan }> {
  const { aws, teams } = whole;
  const shared = sharedBuckets(whole, options.bucket ?? []);
  const session = teams.length > 0 ? await admit(whole) : whole;
  if (shared[0] !== undefined)
    checkAccount(
      await identity(aws(shared[0].region)),
      shared.map(({ id, account }) => ({ account, by: `shared bucket ${id}` })),
    );
  const going = left.stacks.filter(({ team }) => teams.some(({ name }) => name === team));
  const stacks = [...(await stacksThere(session, shared, going)), ...stacksOf(going)];
  for (const bucket of shared) await refuseWhileUsed(session, bucket.id);
  const owned: OwnedBucket[] = [
    ...teams.flatMap(({ name, was, bucket }) =>
      bucket?.kind === 'own' ? [{ ...bucket.spec, owner: was ?? name, stack: teamStackName(name) }] : [],
    ),
    ...shared.map((bucket) => ({ ...bucket, owner: bucket.id, stack: bucketStackName(bucket.id) })),
  ];
  const there: OwnedBucket[] = [];
  for (const bucket of options.deleteBucket ? owned : []) {
    await requireOwnBucket(aws(bucket.region), { ...bucket, deployment: session.config.deployment });
    if (await bucketExists(aws(bucket.region), bucket)) there.push(bucket);
  }
  if (!options.deleteBucket) refuseUnretained(owned, stacks);
  const seen =
    teams.length === 0
      ? { teams: [], buildpacks: [] }
      : {
          buildpacks: await previewBuildpacks(session),
          teams: (await planTeams(session, intentOf(options))).map(({ team, plan }) => ({ team, plan })),
        };
  return {
    session,
    seen: { ...seen, stacks, buckets: there, kept: options.deleteBucket ? [] : owned },
  };
}

const intentOf = ({ force }: DownOptions): Intent => ({ kind: 'down', force: force === true });

async function stacksThere(
  { teams, aws, config, concurrency }: Session,
  shared: ReadonlyArray<BucketSpec & { id: string }>,
  but: readonly LeftStack[],
): Promise<StackThere[]> {
  const wanted: StackThere[] = [
    ...teams.flatMap(({ name, was, bucket }) =>
      bucket === undefined
        ? []
        : namesOf({ name, was }).map((one) => ({
            name: teamStackName(one),
            region: bucket.spec.region,
            keep: one === was,
          })),
    ),
    ...shared.map(({ id, region }) => ({ name: bucketStackName(id), region, keep: false })),
  ].filter((one) => !but.some(({ name, region }) => name === one.name && region === one.region));
  const was = new Set(teams.flatMap((team) => (team.was === undefined ? [] : [teamStackName(team.was)])));
  const there = await pMap(
    wanted,
    async ({ name, region }) => {
      // A name that a team gave up may have come to be another file's.
      const former = was.has(name) ? await stackState(aws(region), name) : undefined;
      if (former !== undefined) return former.exists && isOf(config.deployment, former.tags);
      return (await requireOwnStack(aws(region), name, config.deployment)).exists;
    },
    { concurrency },
  );
  return wanted.filter((_, index) => there[index]);
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
