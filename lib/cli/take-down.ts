import { deleteBucket } from '../aws/bucket.js';
import type { BucketSpec } from '../config/model.js';
import { namesLeft, teamLeft, type LeftStack } from '../deploy/left.plan.js';
import { releaseStack } from '../deploy/retain.client.js';
import { KitError } from '../errors.js';
import type { Intent } from '../engine/model.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { inStep } from '../io/io-host.js';
import { counted } from '../io/printable.js';
import { emptyBucket } from '../smoke/objects.client.js';
import type { Changes } from './changes.plan.js';
import type { CommandResult } from './command.js';
import { planTeams, previewBuildpacks, type TeamPlan } from './preview.js';
import { exitCodeOf, isThrough, renderBuildpacks, renderOutcome, renderPlans } from './render.js';
import { runTeams, setBuildpacks } from './run-teams.js';
import type { Session } from './session.js';

/** What is to go, and what of it stays. */
export interface DownPlan {
  readonly teams: ReadonlyArray<Pick<TeamPlan, 'team' | 'plan'>>;
  readonly buildpacks: readonly AppBuildpacks[];
  readonly stacks: readonly StackThere[];
  readonly buckets: readonly OwnedBucket[];
  readonly kept: readonly OwnedBucket[];
}

/** A bucket that a stack of ours made, and whose it is. */
export type OwnedBucket = BucketSpec & { readonly owner: string; readonly stack: string };

export interface StackThere {
  readonly name: string;
  readonly region: string;
  /** Its bucket stays when it goes, whatever its template says. */
  readonly keep: boolean;
}

export const renderDown = ({ teams, buildpacks, stacks, buckets, kept }: DownPlan, verbose = false): string =>
  [
    [renderBuildpacks(buildpacks, verbose), renderPlans(teams, verbose)].filter((part) => part !== '').join('\n\n'),
    ...stacks.map(({ name, region }) => `- stack ${name} in ${region}`),
    ...buckets.map(({ name, region }) => `- bucket ${name} in ${region}, and everything in it`),
    ...kept.map(({ name }) => `  bucket ${name} is kept; --delete-bucket deletes it`),
  ]
    .filter((line) => line !== '')
    .join('\n');

/** The same as other commands' changes. */
export const changesOfDown = ({ teams, buildpacks, stacks, buckets }: DownPlan): Changes => ({
  ...{ teams, buildpacks },
  gone: [...stacks.map(({ name, region }) => `stack ${name} in ${region}`), ...buckets.map(({ name }) => `bucket ${name}`)],
});

/** Apps first, keys next, the stacks last, then buckets: only where a team's keys came to their end does anything of it go. */
export async function takeDown(session: Session, { stacks, buckets, kept }: DownPlan, intent: Intent): Promise<CommandResult> {
  const { aws, host } = session;
  const outcomes =
    session.teams.length === 0 ? [] : await runTeams(session, { intent, ...(intent === PRUNE ? { command: 'up --prune' } : {}) });
  if (!isThrough(outcomes)) return { data: { outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) };
  // Ours last: until then the apps' builds sign with it.
  const left = session.teams.length > 0 ? await setBuildpacks(session, await previewBuildpacks(session)) : [];
  // CloudFormation deletes no bucket that has something in it.
  for (const bucket of buckets.filter(({ retention }) => !retention.retain)) await empty(session, bucket);
  for (const { name, region, keep } of stacks) {
    host.signal.throwIfAborted();
    await inStep(host.io, `deleting stack ${name}`, () => releaseStack(aws(region), name, keep, host.signal));
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
      ...left.map(({ text }) => `left as it is: ${text}`),
      ...stacks.map(({ name, region }) => `stack ${name} in ${region} deleted`),
      ...buckets.map(({ name }) => `bucket ${name} deleted`),
      ...kept.map(({ name }) => `bucket ${name} is kept; "up" takes it back, --delete-bucket deletes it`),
    ].join('\n'),
    exitCode: left.length > 0 ? 1 : exitCodeOf(outcomes),
  };
}

export const stacksOf = (stacks: readonly LeftStack[]): StackThere[] => stacks.map(({ name, region }) => ({ name, region, keep: true }));

/** All that an earlier file left, but for buckets: the session that takes it down, and what that comes to. */
export async function planPrune(session: Session): Promise<{ readonly session: Session; readonly seen: DownPlan }> {
  const { left } = session;
  if (left.unread !== undefined) throw new KitError('aws-failed', `cannot tell what to retire: ${left.unread}`);
  const gone = {
    ...session,
    teams: namesLeft({ ...left, buckets: [] }).map((name) => ({ ...teamLeft(name, left), deployment: session.config.deployment })),
  };
  const teams = (await planTeams(gone, PRUNE)).map(({ team, plan }) => ({ team, plan }));
  return { session: gone, seen: { teams, buildpacks: [], stacks: stacksOf(left.stacks), buckets: [], kept: [] } };
}

export const PRUNE: Intent = { kind: 'down', force: false };

const empty = ({ aws, host: { io, signal } }: Session, bucket: OwnedBucket): Promise<number> =>
  inStep(
    io,
    `emptying bucket ${bucket.name}`,
    (step) => emptyBucket(aws(bucket.region), bucket, { onProgress: (deleted) => step.update(counted(deleted, 'object')), signal }),
    (deleted) => counted(deleted, 'object'),
  );
