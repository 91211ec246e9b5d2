import pMap from 'p-map';
import type { Team } from '../config/model.js';
import { teamStackName } from '../contract/index.js';
import type { Event, Intent, LeftApp, TeamResult, Policy, Smoke } from '../engine/index.js';
import { endOf } from '../engine/run/result.js';
import { throwFirst, type KitError } from '../errors.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { Journal } from './journal.js';
import { Notifier } from './notify.js';
import { isDoing } from './changes.plan.js';
import type { TeamPlan } from './preview.js';
import { exitCodeOf } from './render.js';
import { engineContext, type Session } from './session.js';

export interface RunOptions {
  readonly intent: Intent;
  /** As a person knows it, where the intent does not tell. */
  readonly command?: string;
  readonly policy?: Partial<Policy>;
  /** What was seen of the teams and planned a moment ago, so that it is not read again. */
  readonly from?: readonly TeamPlan[];
  /** Stacks that were deployed just now: what IAM does not list yet may still come. */
  readonly deployed?: readonly string[];
  /** Why a team is not begun, if it is not. */
  readonly lacking?: (team: Team) => KitError | undefined;
  /** Proves a key by a real build, where the engine asks for it. */
  readonly smoke?: Smoke;
}

/** The key engine, a few teams at a time. What is begun is finished first: the account's requests may not last for all. */
export async function runTeams(session: Session, options: RunOptions): Promise<TeamResult[]> {
  const { runTeam, DEFAULT_POLICY } = await import('../engine/index.js');
  const { intent, command, policy, from, deployed = [], smoke, lacking } = options;
  const seenOf = ({ name }: Team) => from?.find((one) => one.team === name);
  const notifier = new Notifier(session);
  const results = await teamByTeam(
    session,
    [...session.teams].sort((a, b) => Number(isBegun(seenOf(b))) - Number(isBegun(seenOf(a)))),
    async (team): Promise<TeamResult> => {
      await sweepApps(session, team);
      const error = lacking?.(team);
      if (error !== undefined) {
        const { code, message } = error;
        const none = { waiting: [], blocked: [], notices: [], left: [], evidence: [] };
        const told = { team: team.name, status: 'failed', summary: `not begun: ${message}` } as const;
        notifier.tell(team.name, await new Journal(session, team, intent, command).end(told));
        return { ...told, ...none, error: { code, message } };
      }
      const seen = seenOf(team);
      if (seen !== undefined && isIdle(seen, intent) && !deployed.includes(teamStackName(team.name))) {
        await tidyUp(session, team);
        return endOf({ team }, intent, seen.plan);
      }
      const journal = new Journal(session, team, intent, command);
      const onEvent = (event: Event) => {
        session.host.evidence.event(team.name, event);
        journal.add(event);
      };
      const running = runTeam(
        { ...(await engineContext(session, team)), ...(smoke ? { smoke } : {}), deployed: deployed.length > 0, onEvent },
        team,
        intent,
        { ...DEFAULT_POLICY, ...policy },
        seen?.observation,
      );
      const result = await running.catch(async (error: Error) => {
        notifier.tell(team.name, await journal.end({ status: 'interrupted', summary: error.message }));
        throw error;
      });
      notifier.tell(team.name, await journal.end(result));
      await session.records.get(team.name)?.save();
      return result;
    },
  ).finally(() => notifier.settled());
  return intent.kind === 'down' ? results : atTheEnd(results);
}

/** What a team waited for another of the same run to do is done by its end. Of one that is not through, its summary has said it. */
function atTheEnd(results: readonly TeamResult[]): TeamResult[] {
  const through = new Set(results.filter((one) => exitCodeOf([one]) === 0).map(({ team }) => team));
  return results.map((result) => ({
    ...result,
    waiting: result.waiting.map((one) =>
      result.status === 'done' && one.team !== undefined && through.has(one.team)
        ? { ...one, text: `${one.app} held ${one.keyId}, and has been moved to team ${one.team} by this run: the next one retires the key` }
        : one,
    ),
  }));
}

/** A few teams at a time. By a mistake in one the others are not left alone: they would go on unreported. After an abort none is begun. */
export const teamByTeam = <T>(
  { host, concurrency }: Pick<Session, 'host' | 'concurrency'>,
  teams: readonly Team[],
  work: (team: Team) => Promise<T>,
): Promise<T[]> => pMap(teams, (team) => (host.signal.throwIfAborted(), work(team)), { concurrency, stopOnError: false }).catch(throwFirst);

/** An app that a killed smoke deploy left behind holds a live key: whoever works on the team next removes it. */
async function sweepApps(session: Session, team: Team): Promise<void> {
  const { sweep } = await import('../smoke/leftovers.client.js');
  if (team.bucket !== undefined) await sweep(await engineContext(session, team), team, { apps: false, objects: false });
}

/** What killed runs left behind goes, and what was seen is kept, also where there is nothing else to do. */
async function tidyUp(session: Session, team: Team): Promise<void> {
  const { removeDeadLease } = await import('../engine/index.js');
  await removeDeadLease(await engineContext(session, team), team);
  await session.records.get(team.name)?.save();
}

/**
 * This run has nothing to do, so nobody was asked: what becomes due meanwhile is another's. What nobody can tell the end of is looked at again,
 * but for `ensure`, where older keys retire in their own time.
 */
const isIdle = ({ plan }: TeamPlan, { kind }: Intent): boolean =>
  ['ensure', 'rotate', 'finish', 'undo'].includes(kind) &&
  !isDoing(plan) &&
  plan.blocked.length === 0 &&
  (kind === 'ensure' || plan.steps.length > 0 || plan.waiting.length === 0);

/** A key is on its way in, or out. */
const isBegun = (seen: TeamPlan | undefined): boolean => seen?.observation.principals.some(({ keys }) => keys.length > 1) === true;

/**
 * Buildpacks, and keys with config vars. Buildpacks come first, since a build with new config vars needs them. Ours is taken out last, and only
 * from apps that came through: until then their builds sign with it.
 */
export async function runWithBuildpacks(
  session: Session,
  buildpacks: readonly AppBuildpacks[],
  run: () => Promise<TeamResult[]>,
): Promise<TeamResult[]> {
  const teams = new Map(session.teams.flatMap((team) => team.apps.map((app) => [app.name, team.name])));
  const teamOf = (app: string) => teams.get(app);
  const left = await setBuildpacks(
    session,
    buildpacks.filter((one) => !takesOut(one)),
  );
  const outcomes = await run();
  const cameThrough = ({ app }: AppBuildpacks) =>
    outcomes.some((one) => one.team === teamOf(app) && exitCodeOf([{ ...one, left: one.left.filter((gone) => gone.app === app) }]) === 0);
  left.push(...(await setBuildpacks(session, buildpacks.filter(takesOut).filter(cameThrough))));
  return outcomes.map((outcome) => ({ ...outcome, left: [...outcome.left, ...left.filter(({ app }) => teamOf(app) === outcome.team)] }));
}

/** Whether our buildpack goes, in place of one that stays. */
const takesOut = ({ plan: { changes } }: AppBuildpacks): boolean =>
  changes.some(({ action }) => action === 'remove') && !changes.some(({ action }) => action === 'replace' || action === 'move');

/** Set what differs. @returns the apps that did not take it. */
export async function setBuildpacks({ heroku, host }: Session, buildpacks: readonly AppBuildpacks[]): Promise<LeftApp[]> {
  const { syncBuildpacks } = await import('../heroku/buildpacks.sync.js');
  return syncBuildpacks(await heroku(), buildpacks, { io: host.io, signal: host.signal });
}
