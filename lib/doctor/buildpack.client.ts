import { servedBuildpack } from '../buildpack/served.client.js';
import type { Aws } from '../aws/aws.js';
import type { KitConfig, Team } from '../config/model.js';
import { accountBlocks } from '../buildpack/home.client.js';
import { buildpackEnvironments } from '../config/environments.js';
import type { BuildpackFacts } from './model.js';
import { Reader } from './reader.js';

/** Whether Heroku could fetch the SigV4 buildpack, and would get what its name says; asked for archives only, as a git repository answers differently. */
export async function buildpackFacts(
  url: string | undefined,
  config: KitConfig,
  teams: readonly Team[],
  aws: (region: string) => Aws,
  signal?: AbortSignal,
): Promise<BuildpackFacts | undefined> {
  if (url === undefined || !/^https:.*\.tgz$/.test(url)) return undefined;
  const network = aws(teams.find(({ bucket }) => bucket)?.bucket?.spec.region ?? 'us-east-1').network;
  const hosted = buildpackEnvironments(config, teams).at(0);
  const reader = new Reader(signal);
  const [served, blocks] = await Promise.all([
    servedBuildpack(url, { network, signal }),
    hosted &&
      reader.read('Block Public Access of the account (s3:GetAccountPublicAccessBlock)', () =>
        accountBlocks(aws(hosted.region), hosted.account, signal),
      ),
  ]);
  return { ...served, ...(hosted && { hosted }), ...(blocks && { blocks }), unread: reader.unread };
}
