import { accessOf, parseStage, reachDigest, type Access, type AppStorage, type Reach } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { App, BucketSpec, KitConfig, Principal, Team, TeamBucket } from './model.js';
import { didYouMean } from './nearest.js';
import { domainOf } from './regions.js';

/** What follows from a {@link KitConfig}: pure look-ups that stacks, engine and commands share. */

/** Names that a team's users may be under. */
export const namesOf = ({ name, was }: Pick<Team, 'name' | 'was'>): readonly string[] => (was === undefined ? [name] : [name, was]);

/** Region of a team's stack; undefined where every app is public. */
export const regionOf = (team: Team): string | undefined => team.bucket?.spec.region;

/** Whoever may hold a key of the team, by the file: apps, and stages of pipelines. */
export const holdersOf = ({ apps, stages = [] }: Pick<Team, 'apps' | 'stages'>): readonly App[] => [...apps, ...stages];

/** Every bucket that the file speaks of: shared, of teams, and existing ones. */
export const specsOf = ({ buckets, teams }: Pick<KitConfig, 'buckets' | 'teams'>): BucketSpec[] => [
  ...buckets,
  ...teams.flatMap(({ bucket }) => bucket?.spec ?? []),
];

/** The buckets that teams use, each once, with those teams. */
export function bucketsOf(teams: readonly Team[]) {
  const byName = new Map<string, Pick<TeamBucket, 'spec' | 'kind'> & { readonly teams: Team[] }>();
  for (const team of teams) {
    if (team.bucket === undefined) continue;
    const { spec, kind } = team.bucket;
    const known = byName.get(spec.name) ?? { spec, kind, teams: [] };
    byName.set(spec.name, known);
    known.teams.push(team);
  }
  return [...byName.values()];
}

/** The principals a team needs: one an access in use, or one an app, beside which stages of pipelines share theirs; none where every app is public. */
export function principalsOf(team: Team): readonly Principal[] {
  if (team.principals !== undefined) return team.principals;
  const byKey = new Map<string, { -readonly [K in keyof Principal]: Principal[K] } & { apps: string[] }>();
  for (const app of holdersOf(team)) {
    const access = accessOf(app.mode, app.clean);
    if (access === undefined) continue;
    const own = team.credentials === 'per-app' && parseStage(app.name) === undefined ? app.name : undefined;
    const key = `${own ?? ''}/${access}`;
    const principal = byKey.get(key) ?? {
      ...{
        team: team.name,
        access,
        ...(own === undefined ? {} : { app: own }),
        ...(team.bucket ? { reach: digestOf(team.bucket, access) } : {}),
      },
      apps: [],
    };
    principal.apps.push(app.name);
    byKey.set(key, principal);
  }
  return [...byKey.values()];
}

/** What principals of a team with this bucket may reach. */
export const reachOf = ({ spec, prefix }: TeamBucket): Reach => ({
  account: spec.account,
  region: spec.region,
  bucketName: spec.name,
  ...(prefix === undefined ? {} : { prefix }),
  acl: spec.acl,
});

const digestOf = (bucket: TeamBucket, access: Access): string => reachDigest(reachOf(bucket), access);

/** By team and app: there may be ten thousand, each of which asks. */
const principalsByApp = new WeakMap<Team, ReadonlyMap<string, Principal>>();

/** The principal whose key `app` holds, or undefined for a public app. */
export function principalOf(team: Team, app: App): Principal | undefined {
  const known =
    principalsByApp.get(team) ??
    new Map(principalsOf(team).flatMap((principal) => principal.apps.map((name) => [name, principal] as const)));
  principalsByApp.set(team, known);
  return known.get(app.name);
}

/** URL of S3 in `region`, without a slash at its end. */
export function s3Origin({ s3Url }: Pick<KitConfig, 's3Url'>, region: string): string {
  return s3Url === undefined ? `https://s3.${region}.${domainOf(region)}` : new URL(s3Url).origin;
}

/** Host that apps reach a bucket by: the configured one, else its region's. */
export const s3Endpoint = (config: Pick<KitConfig, 's3Url'>, spec: Pick<BucketSpec, 'region' | 'endpoint'>): string =>
  spec.endpoint ?? new URL(s3Origin(config, spec.region)).host;

/** What the config vars of an app are made from. */
export function storageOf(config: KitConfig, team: Team, app: App): AppStorage {
  if (app.mode === 'public' || team.bucket === undefined) return { mode: 'public' };
  const { spec, prefix } = team.bucket;
  return {
    mode: app.mode,
    bucket: spec.name,
    prefix,
    endpoint: s3Endpoint(config, spec),
    signingRegion: config.signing.version === 4 ? spec.region : undefined,
    acl: spec.acl,
    clean: app.clean,
    publicStorage: app.publicStorage,
  };
}

/** What expiry by age does to packages that are in use, where a bucket has it: builds with a cache use them without ever uploading them again. */
export const expiryOf = ({ name, retention }: BucketSpec): string | undefined =>
  retention.expireAfterDays === undefined
    ? undefined
    : `packages in ${name}, and the kit's records of who holds keys, expire ${retention.expireAfterDays} days after they were uploaded, in use or not: an app with an empty cache may then be deployed as buildpack only`;
export const EXPIRY_FIX = 'take expireAfterDays out of the file; halcyon-kit packages --prune removes what no app could use';

/** @throws KitError `team-not-found`, naming the teams there are. */
export function teamNamed(config: Pick<KitConfig, 'teams' | 'file'>, name: string): Team {
  const team = config.teams.find((candidate) => candidate.name === name);
  if (team === undefined) {
    const names = config.teams.map((one) => one.name);
    const near = didYouMean(name, names);
    throw new KitError(
      'team-not-found',
      `team "${name}" is not in ${config.file ?? 'the configuration'}; ${near === undefined ? '' : `${near} `}there are: ${names.join(', ') || 'none'}`,
    );
  }
  return team;
}
