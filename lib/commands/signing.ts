import { isOurBuildpack } from '../buildpack/hosted.js';
import type { KitConfig, Team } from '../config/model.js';
import { buildpackBucketName } from '../contract/index.js';
import { buildpackHome } from '../stacks/homes.js';
import type { DesiredBuildpacks } from '../heroku/buildpacks.plan.js';
import type { CommandHost } from './command.js';
import type { Session } from './session.js';

/** URL of the SigV4 buildpack; undefined with signing version 2. A hosted one is known before it is published: its name is its content's hash. */
export async function signingBuildpackUrl(config: KitConfig): Promise<string | undefined> {
  if (config.signing.version !== 4 || config.signing.buildpack !== 'hosted')
    return config.signing.version === 4 ? config.signing.buildpack : undefined;
  const place = buildpackHome(config);
  if (place === undefined) return undefined;
  const [{ packBuildpack }, { hostedUrl }] = await Promise.all([import('../buildpack/pack.js'), import('../buildpack/hosted.js')]);
  return hostedUrl(buildpackBucketName(place.account, place.region), place.region, (await packBuildpack()).sha256);
}

/** Put the buildpack where the file says `hosted`; nothing is sent where it is there already. */
export async function publishIfHosted(session: Session, host: CommandHost): Promise<void> {
  const place =
    session.config.signing.buildpack === 'hosted' && session.config.signing.version === 4 ? buildpackHome(session.config) : undefined;
  if (place === undefined) return;
  const [{ publishBuildpack }, { inStep }] = await Promise.all([import('../buildpack/publish.client.js'), import('../io/io-host.js')]);
  await inStep(host.io, 'publishing the SigV4 buildpack', () =>
    publishBuildpack(session.aws(place.region), buildpackBucketName(place.account, place.region)),
  );
}

/** What each app's buildpack list should hold: ours where a private bucket is used, as a public app signs nothing. */
export function buildpacksWanted(
  config: KitConfig,
  teams: readonly Team[],
  buildpackUrl: string | undefined,
): Array<{ app: string; desired: DesiredBuildpacks }> {
  return teams.flatMap((team) =>
    team.apps.map((app) => ({
      app: app.name,
      desired: {
        signing: app.mode === 'public' || buildpackUrl === undefined ? { version: 2 as const } : { version: 4 as const, buildpackUrl },
        ours: (url: string) => isOurBuildpack(url, config.signing.buildpack),
        install: { enabled: config.buildpack.install, url: config.buildpack.url },
      },
    })),
  );
}
