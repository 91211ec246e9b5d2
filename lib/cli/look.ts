import type { Plan, TeamObservation } from '../engine/model.js';
import type { Principal, Team } from '../config/model.js';
import type { BucketOnV2 } from '../buildpack/sigv2.plan.js';
import { renderOnV2 } from '../buildpack/sigv2.plan.js';
import type { Deployer } from '../deploy/deploy.client.js';
import { stackState } from '../deploy/stack.client.js';
import { isStackChanged, stackPicture, type StackPicture, type StackTarget } from '../deploy/stacks.plan.js';
import type { Heroku } from '../heroku/heroku.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { renderBuildpacks, renderPlan, renderStacks } from './render.js';
import { buildpacksWanted } from '../buildpack/signing.js';
import { regionOf, type Session } from './session.js';
import type { CommandHost } from './command.js';

/** One picture of what a command would change: what is shown before asking, and with `--dry-run`. */
export interface Picture {
  readonly stacks: readonly StackPicture[];
  readonly teams: ReadonlyArray<{ readonly team: string; readonly observation: TeamObservation; readonly plan: Plan }>;
  readonly buildpacks: readonly AppBuildpacks[];
  /** Buckets that still accept signature version 2, and the apps that are why. */
  readonly onV2: readonly BucketOnV2[];
  /** Anything at all would change. */
  readonly changes: boolean;
  /** Some team's keys cannot be brought in order without a person. */
  readonly blocked: boolean;
}

/** What the engine works with, for one team. */
export function engineContext(session: Session, heroku: Heroku, host: CommandHost, team: Team) {
  return { config: session.config, aws: session.aws(regionOf(team) ?? 'us-east-1'), heroku, io: host.io, signal: host.signal };
}

/** Principals no longer in the file whose keys have not been retired: their users stay in the templates. */
export async function principalsKept(session: Session, teams: readonly Team[]): Promise<Principal[]> {
  const { principalsToKeep } = await import('../engine/index.js');
  return (
    await Promise.all(
      teams.filter((team) => regionOf(team) !== undefined).map((team) => principalsToKeep(session.aws(regionOf(team) ?? ''), team)),
    )
  ).flat();
}

/** Look at everything, change nothing. Without a deployer, stacks are left out of the picture. */
export async function look(
  session: Session,
  heroku: Heroku,
  host: CommandHost,
  options: { deployer?: Deployer; targets?: readonly StackTarget[]; buildpackUrl?: string; onV2?: readonly BucketOnV2[] },
): Promise<Picture> {
  const step = host.io.step('looking at stacks, keys and apps');
  try {
    const [{ observeTeam, planTeam, DEFAULT_POLICY }, { observeBuildpacks }] = await Promise.all([
      import('../engine/index.js'),
      import('../heroku/buildpacks.sync.js'),
    ]);
    const [stacks, buildpacks, teams] = await Promise.all([
      options.deployer === undefined || options.targets === undefined ? [] : lookAtStacks(session, options.deployer, options.targets),
      observeBuildpacks(heroku, buildpacksWanted(session.config, session.teams, options.buildpackUrl), session.config.buildpack),
      Promise.all(
        session.teams.map(async (team) => {
          const observation = await observeTeam(engineContext(session, heroku, host, team), team);
          const expected = options.deployer === undefined ? observation : afterDeployment(observation);
          return { team: team.name, observation, plan: planTeam(expected, { kind: 'ensure' }, DEFAULT_POLICY) };
        }),
      ),
    ]);
    step.done();
    const changes =
      stacks.some(isStackChanged) ||
      teams.some(({ plan }) => plan.steps.length > 0) ||
      buildpacks.some(({ plan, forks }) => plan.changes.length > 0 || Object.keys(forks).length > 0);
    return { stacks, buildpacks, teams, onV2: options.onV2 ?? [], changes, blocked: teams.some(({ plan }) => plan.blocked.length > 0) };
  } catch (error) {
    step.fail(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function lookAtStacks(session: Session, deployer: Deployer, targets: readonly StackTarget[]): Promise<StackPicture[]> {
  const [diffs, states] = await Promise.all([
    deployer.diff(targets.map(({ name }) => name)),
    Promise.all(targets.map(async ({ name, region }) => [name, (await stackState(session.aws(region), name)).status] as const)),
  ]);
  const statuses = new Map(states);
  return diffs.map((diff) => stackPicture(diff, statuses.get(diff.stack)));
}

/** Exit code of a command that only looked. */
export const pictureExitCode = (picture: Picture): number => (picture.blocked ? 1 : 0);

export function renderPicture(picture: Picture): string {
  return [
    ...(picture.stacks.length > 0 ? [renderStacks(picture.stacks)] : []),
    renderBuildpacks(picture.buildpacks),
    ...picture.teams.map(({ team, plan }) => renderPlan(team, plan)),
    ...renderOnV2(picture.onV2),
    ...(picture.changes || picture.blocked ? [] : ['nothing to change']),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** What will be seen once the stacks are deployed: the users that the file wants, without keys. */
const afterDeployment = (observation: TeamObservation): TeamObservation => ({
  ...observation,
  principals: observation.principals.map((principal) =>
    principal.declared && !principal.exists ? { ...principal, exists: true, secret: 'empty' as const } : principal,
  ),
});
