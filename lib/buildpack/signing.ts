import type { Aws } from '../aws/aws.js';
import type { KitConfig, Team } from '../config/model.js';
import { buildpackBucketName, hostedUrl, isOurBuildpack } from '../contract/index.js';
import { buildpackEnvironments } from '../config/environments.js';
import { s3Origin } from '../config/derive.js';
import type { DesiredBuildpacks } from '../heroku/buildpacks.plan.js';
import { inStep, type IoHost } from '../io/io-host.js';

/**
 * URL of the SigV4 buildpack; undefined with signing version 2. A hosted one is known before it is published: its name is its content's hash.
 * @param teams - of one account, as each account hosts its own. Default: all of the file.
 */
export async function signingBuildpackUrl(config: KitConfig, teams: readonly Team[] = config.teams): Promise<string | undefined> {
  if (config.signing.version !== 4) return undefined;
  if (config.signing.buildpack !== 'hosted') return config.signing.buildpack;
  const [environment] = buildpackEnvironments(config, teams);
  if (environment === undefined) return undefined;
  const { packBuildpack } = await import('./pack.js');
  return hostedUrl(
    s3Origin(config, environment.region),
    buildpackBucketName(environment.account, environment.region),
    (await packBuildpack()).sha256,
  );
}

/**
 * Put the buildpack where the file says `hosted`; what is there already is compared.
 * @throws KitError `buildpack-tampered`.
 */
export async function publishIfHosted(config: KitConfig, teams: readonly Team[], aws: (region: string) => Aws, io: IoHost): Promise<void> {
  const [environment] = buildpackEnvironments(config, teams);
  if (environment === undefined) return;
  const { publishBuildpack } = await import('./publish.client.js');
  await inStep(io, 'publishing the SigV4 buildpack', () =>
    publishBuildpack(aws(environment.region), {
      name: buildpackBucketName(environment.account, environment.region),
      account: environment.account,
    }),
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
        signing:
          app.mode === 'public'
            ? { version: 2 as const, why: 'an app in mode public signs nothing' }
            : buildpackUrl === undefined
              ? { version: 2 as const, ...(config.signing.version === 4 ? { why: 'the team is taken down' } : {}) }
              : { version: 4 as const, buildpackUrl },
        ours: (url: string) => isOurBuildpack(url, config.signing.buildpack),
        install: { enabled: config.buildpack.install, url: config.buildpack.url },
      },
    })),
  );
}
