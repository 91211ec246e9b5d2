import pMap from 'p-map';
import type { Intent, TeamResult, Policy, Smoke, TeamObservation } from '../engine/index.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
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
  return pMap(
    session.teams,
    async (team) =>
      runTeam(
        { ...(await engineContext(session, team)), ...(smoke ? { smoke } : {}), deployed },
        team,
        intent,
        { ...DEFAULT_POLICY, ...policy },
        from?.find((seen) => seen.team === team.name)?.observation,
      ),
    { concurrency: 2 },
  );
}

/**
 * Buildpacks, and keys with config vars. Buildpacks come first, since a build with new config vars needs them. With signature version 2,
 * ours is taken out last, and only when every team came through: until then the apps' builds sign with it.
 */
export async function runWithBuildpacks(
  session: Session,
  buildpacks: readonly AppBuildpacks[],
  run: () => Promise<TeamResult[]>,
): Promise<TeamResult[]> {
  const last = session.config.signing.version === 2;
  if (!last) await setBuildpacks(session, buildpacks);
  const outcomes = await run();
  if (last && exitCodeOf(outcomes) === 0) await setBuildpacks(session, buildpacks);
  return outcomes;
}

/** Set what differs. */
export async function setBuildpacks({ heroku, host }: Session, buildpacks: readonly AppBuildpacks[]): Promise<void> {
  const { syncBuildpacks } = await import('../heroku/buildpacks.sync.js');
  await syncBuildpacks(await heroku(), buildpacks, { io: host.io, signal: host.signal });
}
