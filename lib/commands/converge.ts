import pMap from 'p-map';
import type { Intent, Outcome, Policy, Smoke } from '../credentials/index.js';
import type { Heroku } from '../heroku/heroku.js';
import type { CommandHost } from './command.js';
import { buildpacksWanted } from '../buildpack/signing.js';
import { engineContext } from './look.js';
import type { Session } from './session.js';

export interface ConvergeOptions {
  readonly intent: Intent;
  readonly policy?: Partial<Policy>;
  /** Bring the apps' buildpacks up to date as well: `url` is that of the SigV4 buildpack, and without one it is taken out. Default: leave them alone. */
  readonly buildpacks?: { readonly url?: string };
  /** Proves a key by a real build, where the engine asks for it. */
  readonly smoke?: Smoke;
}

/** Buildpacks first, since a build with new config vars needs them; then the one engine, two teams at a time. */
export async function converge(session: Session, heroku: Heroku, host: CommandHost, options: ConvergeOptions): Promise<Outcome[]> {
  const [{ runTeam, DEFAULT_POLICY }, { observeBuildpacks, syncBuildpacks }] = await Promise.all([
    import('../credentials/index.js'),
    import('../heroku/buildpacks.sync.js'),
  ]);
  if (options.buildpacks !== undefined) {
    const wanted = buildpacksWanted(session.config, session.teams, options.buildpacks.url);
    const plans = await observeBuildpacks(heroku, wanted, session.config.buildpack);
    await syncBuildpacks(heroku, plans, { io: host.io, signal: host.signal });
  }
  return pMap(
    session.teams,
    async (team) =>
      runTeam({ ...engineContext(session, heroku, host, team), ...(options.smoke ? { smoke: options.smoke } : {}) }, team, options.intent, {
        ...DEFAULT_POLICY,
        ...options.policy,
      }),
    { concurrency: 2 },
  );
}
