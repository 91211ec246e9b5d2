import pMap from 'p-map';
import type { Intent, Policy, Smoke, TeamObservation, TeamResult } from '../engine/index.js';
import type { Heroku } from '../heroku/heroku.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import type { CommandHost } from './command.js';
import { buildpacksWanted } from '../buildpack/signing.js';
import { engineContext } from './look.js';
import { exitCodeOf } from './render.js';
import type { Session } from './session.js';

export interface ConvergeOptions {
  readonly intent: Intent;
  readonly policy?: Partial<Policy>;
  /**
   * Bring the apps' buildpacks up to date as well: by `plans`, or else for `url`, that of the SigV4 buildpack, which is taken out without one.
   * Default: leave them alone.
   */
  readonly buildpacks?: { readonly url?: string; readonly plans?: readonly AppBuildpacks[] };
  /** What was seen of the teams a moment ago, so that it is not read again. */
  readonly from?: ReadonlyArray<{ readonly team: string; readonly observation: TeamObservation }>;
  /** Stacks were deployed just now: what IAM does not list yet may still come. */
  readonly deployed?: boolean;
  /** Proves a key by a real build, where the engine asks for it. */
  readonly smoke?: Smoke;
}

/**
 * The one engine, two teams at a time. Buildpacks come before it, since a build with new config vars needs them. In `down`, and with
 * signature version 2, ours is taken out last, and only when every team came through: until then the apps' builds sign with it.
 */
export async function converge(session: Session, heroku: Heroku, host: CommandHost, options: ConvergeOptions): Promise<TeamResult[]> {
  const { runTeam, DEFAULT_POLICY } = await import('../engine/index.js');
  const last = options.intent.kind === 'down' || session.config.signing.version === 2;
  const setBuildpacks = async () => {
    if (options.buildpacks !== undefined) await bringBuildpacks(session, heroku, host, options.buildpacks);
  };
  if (!last) await setBuildpacks();
  const outcomes = await pMap(
    session.teams,
    async (team) =>
      runTeam(
        { ...engineContext(session, heroku, host, team), ...(options.smoke ? { smoke: options.smoke } : {}), deployed: options.deployed },
        team,
        options.intent,
        { ...DEFAULT_POLICY, ...options.policy },
        options.from?.find((seen) => seen.team === team.name)?.observation,
      ),
    { concurrency: 2 },
  );
  if (last && exitCodeOf(outcomes) === 0) await setBuildpacks();
  return outcomes;
}

/** Observe the apps' buildpacks, unless that was done, and set what differs. */
export async function bringBuildpacks(
  session: Session,
  heroku: Heroku,
  host: CommandHost,
  { url, plans }: NonNullable<ConvergeOptions['buildpacks']>,
): Promise<void> {
  const { observeBuildpacks, syncBuildpacks } = await import('../heroku/buildpacks.sync.js');
  const found = plans ?? (await observeBuildpacks(heroku, buildpacksWanted(session.config, session.teams, url), session.config.buildpack));
  await syncBuildpacks(heroku, found, { io: host.io, signal: host.signal });
}
