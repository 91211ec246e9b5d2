import pMap from 'p-map';
import type { Intent, Plan, Policy, TeamObservation } from '../engine/model.js';
import { renderOnV2, type BucketOnV2 } from '../buildpack/sigv2.plan.js';
import { buildpacksWanted } from '../buildpack/signing.js';
import type { Deployer } from '../deploy/deploy.client.js';
import { renderFormerAcls, type FormerAcl } from '../deploy/former-acls.plan.js';
import { renderLeft, type Left } from '../deploy/left.plan.js';
import type { StackChanges, StackTarget } from '../deploy/stacks.plan.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { inStep } from '../io/io-host.js';
import { isChanging, tallyOf, type Changes } from './changes.plan.js';
import { renderBuildpacks, renderPlans, renderStacks } from './render.js';
import { engineContext, type Session } from './session.js';

/** What a command would change: what is shown before asking, and with `--dry-run`. */
export interface Preview {
  readonly stacks: readonly StackChanges[];
  readonly teams: readonly TeamPlan[];
  readonly buildpacks: readonly AppBuildpacks[];
  /** Buckets that still accept signature version 2, and the apps that are why. */
  readonly onV2: readonly BucketOnV2[];
  /** What an earlier file made and this one no longer names. */
  readonly left: Left;
  /** ACLs that a bucket still accepts beside its own, and the principals that are why. */
  readonly formerAcls: readonly FormerAcl[];
  /** Anything at all would change now. */
  readonly changes: boolean;
  /** Some team's keys, or some app, cannot be brought in order without a person. */
  readonly blocked: boolean;
}

export interface TeamPlan {
  readonly team: string;
  readonly observation: TeamObservation;
  readonly plan: Plan;
}

/** Look at every app, key and stack, and change nothing. Without a deployer, stacks are left out. */
export async function preview(
  session: Session,
  options: {
    deployer?: Deployer;
    targets?: readonly StackTarget[];
    buildpackUrl?: string;
    onV2?: readonly BucketOnV2[];
    formerAcls?: readonly FormerAcl[];
    /** Apps that no team of the file has are to give their keys back. */
    prune?: boolean;
  },
): Promise<Preview> {
  const { deployer, targets, buildpackUrl, onV2 = [], formerAcls = [] } = options;
  return inStep(session.host.io, 'looking at stacks, keys and apps', async () => {
    const [stacks, buildpacks, teams] = await Promise.all([
      deployer === undefined || targets === undefined ? [] : deployer.diff(targets.map(({ name }) => name)),
      previewBuildpacks(session, buildpackUrl),
      planTeams(session, { kind: 'ensure', prune: options.prune }, { expect: deployer === undefined ? undefined : afterDeployment }),
    ]);
    const changes = isChanging({ stacks, teams, buildpacks });
    const blocked =
      teams.some(({ plan }) => plan.blocked.length > 0 || plan.left.length > 0) || buildpacks.some(({ refused }) => refused !== undefined);
    return { stacks, buildpacks, teams, onV2, formerAcls, left: session.left, changes, blocked };
  });
}

/** What the engine would do for each team. @param options.expect - what will be seen by then. */
export async function planTeams(
  session: Session,
  intent: Intent,
  options: { policy?: Partial<Policy>; expect?: (observation: TeamObservation) => TeamObservation } = {},
): Promise<TeamPlan[]> {
  const { observeTeam, planTeam, DEFAULT_POLICY } = await import('../engine/index.js');
  const { policy, expect = (observation) => observation } = options;
  return pMap(
    session.teams,
    async (team) => {
      const observation = await observeTeam(await engineContext(session, team), team);
      return { team: team.name, observation, plan: planTeam(expect(observation), intent, { ...DEFAULT_POLICY, ...policy }) };
    },
    { concurrency: session.concurrency },
  );
}

/** What the apps' buildpacks need. Without a URL, that of the SigV4 buildpack, it is to be taken out. */
export async function previewBuildpacks(session: Session, buildpackUrl?: string): Promise<AppBuildpacks[]> {
  const { config, teams, heroku, refused, ids, records } = session;
  const { observeBuildpacks } = await import('../heroku/buildpacks.sync.js');
  const confirmed = new Map(teams.flatMap(({ name, apps }) => apps.map((app) => [app.name, records.get(name)?.confirmed])));
  const wanted = buildpacksWanted(config, teams, buildpackUrl)
    .filter(({ app }) => !refused.some((one) => one.app === app))
    .map((one) => ({ ...one, id: ids.get(one.app), confirmed: confirmed.get(one.app) }));
  return observeBuildpacks(await heroku(), wanted, config.buildpack);
}

/**
 * @param requests - how many Heroku takes at once.
 * @param said - what else is to be known.
 * @param whole - what is counted. Default: what is in the preview.
 */
export function renderPreview(
  seen: Preview,
  verbose: boolean | undefined,
  requests: number,
  said: readonly string[] = [],
  whole: Changes = seen,
): string {
  const { stacks, buildpacks, teams, onV2, formerAcls, left, changes, blocked } = seen;
  const tally = tallyOf(whole, requests);
  return [
    ...(stacks.length > 0 ? [renderStacks(stacks, verbose)] : []),
    renderBuildpacks(buildpacks, verbose),
    renderPlans(teams, verbose),
    ...renderOnV2(onV2),
    renderLeft(left),
    ...renderFormerAcls(formerAcls),
    ...said,
    tally !== '' || changes || blocked ? tally : 'nothing to change',
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
