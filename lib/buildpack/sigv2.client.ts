import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { ownedBy, type BucketName } from '../aws/bucket.js';
import { isMissing } from '../aws/errors.js';
import type { KitConfig, Team } from '../config/model.js';
import { DENY_SIGV2, isOurBuildpack } from '../contract/index.js';
import { isKitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import type { AppSignatures, BucketSignatures } from './sigv2.plan.js';

/** How the apps of the `teams`' buckets sign: one request a bucket, and two an app of a bucket that still accepts version 2. Changes nothing. */
export async function observeSignatures(
  config: KitConfig,
  teams: readonly Team[],
  clients: { aws(region: string): Aws; heroku: Heroku },
): Promise<BucketSignatures[]> {
  if (config.signing.version !== 4) return [];
  const ours = teams.flatMap(({ bucket }) => (bucket === undefined || bucket.kind === 'existing' ? [] : [bucket.spec]));
  const buckets = new Map(ours.map((spec) => [spec.name, spec]));
  return pMap(
    [...buckets.values()],
    async (spec) => {
      const { name, region } = spec;
      const state = await stateOf(clients.aws(region), spec);
      const users = config.teams.filter(({ bucket }) => bucket?.spec.name === name);
      const apps = users.flatMap((team) =>
        team.apps
          .filter(({ mode }) => mode !== 'public')
          .map((app) => ({ app: app.name, team: team.name, selected: teams.includes(team) })),
      );
      return {
        bucket: name,
        state,
        apps: state === 'accepts' ? await pMap(apps, (app) => read(clients.heroku, config, app), { concurrency: 5 }) : [],
      };
    },
    { concurrency: 3 },
  );
}

/** A policy that cannot be read is taken for one that accepts version 2: the apps then decide. */
async function stateOf(aws: Aws, bucket: BucketName): Promise<BucketSignatures['state']> {
  const { GetBucketPolicyCommand } = await import('@aws-sdk/client-s3');
  try {
    const { Policy = '{}' } = await (await aws.s3()).send(new GetBucketPolicyCommand(ownedBy(bucket)));
    const { Statement = [] } = JSON.parse(Policy) as { Statement?: ReadonlyArray<{ Sid?: string }> };
    return Statement.some(({ Sid }) => Sid === DENY_SIGV2) ? 'refuses' : 'accepts';
  } catch (error) {
    return isMissing(error, 'bucket') ? 'absent' : 'accepts';
  }
}

async function read(heroku: Heroku, config: KitConfig, app: Pick<AppSignatures, 'app' | 'team' | 'selected'>): Promise<AppSignatures> {
  const isFirst = ([url]: readonly string[]) => url !== undefined && isOurBuildpack(url, config.signing.buildpack);
  try {
    const [list, builds] = await Promise.all([heroku.buildpacks(app.app), heroku.builds(app.app, { max: 20 })]);
    return {
      ...app,
      first: isFirst(list),
      building: builds.some(({ status, buildpacks = [] }) => status === 'pending' && !isFirst(buildpacks)),
    };
  } catch (error) {
    // Whatever concerns more than this app stops the work: it would be in the way of the rest as well.
    if (isKitError(error, 'app-not-found') || isKitError(error, 'heroku-forbidden')) return app;
    throw error;
  }
}
