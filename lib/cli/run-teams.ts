import pMap from 'p-map';
import type { Team } from '../config/model.js';
import type { Event, Intent, LeftApp, TeamResult, Policy, Smoke, TeamObservation } from '../engine/index.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { Journal } from './journal.js';
import { Notifier } from './notify.js';
import { exitCodeOf } from './render.js';
import { engineContext, type Session } from './session.js';

export interface RunOptions {
  readonly intent: Intent;
  readonly policy?: Partial<Policy>;
  /** What was seen of the teams a moment ago, so that it is not read again. */
  readonly from?: ReadonlyArray<{ readonly team: string; readonly observation: TeamObservation }>;
  /** Stacks were deployed just now: what IAM does not list yet may still come. */
  readonly deployed?: boolean;
  /** Proves a key by a real build, where the engine asks for it. */
  readonly smoke?: Smoke;
}

/** The key engine, two teams at a time. */
export async function runTeams(session: Session, options: RunOptions): Promise<TeamResult[]> {
  const { runTeam, DEFAULT_POLICY } = await import('../engine/index.js');
  const { intent, policy, from, deployed, smoke } = options;
  const notifier = new Notifier(session);
  return pMap(
    session.teams,
    async (team) => {
      await sweepApps(session, team);
      const journal = new Journal(session, team, intent);
      const onEvent = (event: Event) => {
        session.host.evidence.event(team.name, event);
        journal.add(event);
      };
      const running = runTeam(
        { ...(await engineContext(session, team)), ...(smoke ? { smoke } : {}), deployed, onEvent },
        team,
        intent,
        { ...DEFAULT_POLICY, ...policy },
        from?.find((seen) => seen.team === team.name)?.observation,
      );
      const result = await running.catch(async (error: Error) => {
        notifier.tell(team.name, await journal.end({ status: 'interrupted', summary: error.message }));
        throw error;
      });
      notifier.tell(team.name, await journal.end(result));
      await session.records.get(team.name)?.save();
      return result;
    },
    { concurrency: 2 },
  ).finally(() => notifier.settled());
}

/** An app that a killed smoke deploy left behind holds a live key: whoever works on the team next removes it. */
async function sweepApps(session: Session, team: Team): Promise<void> {
  const sweep = await import('../smoke/leftovers.client.js');
  if (team.bucket !== undefined) await sweep.sweepKilled(await engineContext(session, team), team);
}

/** What killed runs left behind goes, and what was seen is kept, also where there is nothing else to do. */
export async function sweepKilled(session: Session): Promise<void> {
  const { removeDeadLease } = await import('../engine/index.js');
  for (const team of session.teams) {
    await sweepApps(session, team);
    await removeDeadLease(await engineContext(session, team), team);
    await session.records.get(team.name)?.save();
  }
}

/**
 * Buildpacks, and keys with config vars. Buildpacks come first, since a build with new config vars needs them. Ours is taken out last, and only
 * from apps that came through: until then their builds sign with it.
 */
export async function runWithBuildpacks(
  session: Session,
  buildpacks: readonly AppBuildpacks[],
  run: () => Promise<TeamResult[]>,
): Promise<TeamResult[]> {
  const teamOf = (app: string) => session.teams.find(({ apps }) => apps.some(({ name }) => name === app))?.name;
  const left = await setBuildpacks(
    session,
    buildpacks.filter((one) => !takesOut(one)),
  );
  const outcomes = await run();
  const cameThrough = ({ app }: AppBuildpacks) =>
    outcomes.some((one) => one.team === teamOf(app) && exitCodeOf([{ ...one, left: one.left.filter((gone) => gone.app === app) }]) !== 1);
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
