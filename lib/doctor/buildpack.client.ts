import { buildpacksWanted, signingBuildpackUrl } from '../buildpack/signing.js';
import type { Aws } from '../aws/aws.js';
import type { KitConfig, Team } from '../config/model.js';
import type { DesiredBuildpacks } from '../heroku/buildpacks.plan.js';
import { anonymousHead } from '../storage/halcyon-requests.js';
import type { BuildpackFacts } from './model.js';

/** What each app's list of buildpacks should hold. */
export async function wantedBuildpacks(config: KitConfig, teams: readonly Team[]): Promise<ReadonlyMap<string, DesiredBuildpacks>> {
  return new Map(buildpacksWanted(config, teams, await signingBuildpackUrl(config, teams)).map(({ app, desired }) => [app, desired]));
}

/** Whether Heroku could fetch the SigV4 buildpack; asked for archives only, as a git repository answers differently. */
export async function buildpackFacts(
  config: KitConfig,
  teams: readonly Team[],
  aws: (region: string) => Aws,
  signal?: AbortSignal,
): Promise<BuildpackFacts | undefined> {
  const url = await signingBuildpackUrl(config, teams);
  if (url === undefined || !/^https:.*\.tgz$/.test(url)) return undefined;
  const { status, failure } = await anonymousHead(url, {
    network: aws(teams.find(({ bucket }) => bucket)?.bucket?.spec.region ?? 'us-east-1').network,
    signal,
  });
  return {
    url,
    ...(status === undefined ? {} : { status }),
    ...(failure === undefined ? {} : { failure: `${failure.code}: ${failure.message}` }),
  };
}
