import { DEFAULT_DEPLOYMENT, defaultBucketName, stageName, STAGES_WITH_VARS } from '../contract/index.js';
import type { App, BucketSpec, KitConfig, Team, TeamBucket } from './model.js';
import type { FileShape } from './schema.js';

type FileTeam = NonNullable<FileShape['teams']>[string];
type Made = NonNullable<FileShape['buckets']>[string];

const HASKELL_ON_HEROKU = 'https://github.com/mietek/haskell-on-heroku';

/** The file with every default filled in and every name resolved. Call it once the rules are satisfied. */
export function normalise(shape: FileShape, file?: string): KitConfig {
  const buckets = Object.entries(shape.buckets ?? {}).map(([id, made]) => ({ id, ...bucketSpec(id, made) }));
  const deployment = shape.deployment ?? DEFAULT_DEPLOYMENT;
  const version = shape.signing?.version ?? 4;
  return {
    ...(file === undefined ? {} : { file }),
    deployment,
    buckets,
    teams: Object.entries(shape.teams ?? {}).map(([name, team]) =>
      normaliseTeam(name, team, deployment, new Map(buckets.map(({ id, ...spec }) => [id, spec]))),
    ),
    signing: {
      version,
      ...(version === 4 ? { buildpack: shape.signing?.buildpack ?? 'hosted' } : {}),
      ...(shape.signing?.region === undefined ? {} : { region: shape.signing.region }),
      acknowledgeV2: shape.signing?.acknowledgeV2 ?? false,
    },
    ...(shape.notify === undefined ? {} : { notify: shape.notify }),
    ...(shape.permissionsBoundary === undefined ? {} : { permissionsBoundary: shape.permissionsBoundary }),
    buildpack: { ...shape.buildpack, install: shape.buildpack?.install ?? false, url: shape.buildpack?.url ?? HASKELL_ON_HEROKU },
  };
}

function bucketSpec(owner: string, made: Made, tags: Readonly<Record<string, string>> = {}): BucketSpec {
  return {
    name: made.name ?? defaultBucketName(owner, made.account, made.region),
    account: made.account,
    region: made.region,
    acl: made.acl ?? 'bucket-owner-full-control',
    allowPublicRead: made.allowPublicRead ?? false,
    versioning: made.versioning ?? false,
    ...(made.kmsKeyArn === undefined ? {} : { kmsKeyArn: made.kmsKeyArn }),
    retention: { ...made.retention, retain: made.retention?.retain ?? true, noncurrentDays: made.retention?.noncurrentDays ?? 30 },
    tags: { ...tags, ...made.tags },
    ...(made.endpoint === undefined ? {} : { endpoint: made.endpoint }),
  };
}

function teamBucket(name: string, team: FileTeam, shared: ReadonlyMap<string, BucketSpec>): TeamBucket | undefined {
  const bucket = team.bucket;
  if (bucket === undefined) return undefined;
  const prefix = bucket.prefix === undefined ? {} : { prefix: bucket.prefix };
  if ('shared' in bucket) return { kind: 'shared', shared: bucket.shared, spec: shared.get(bucket.shared)!, ...prefix };
  if ('existing' in bucket) return { kind: 'existing', spec: bucketSpec(name, { ...bucket, name: bucket.existing }, {}), ...prefix };
  return { kind: 'own', spec: bucketSpec(team.was ?? name, bucket, team.tags), ...prefix };
}

function normaliseTeam(name: string, team: FileTeam, deployment: string, shared: ReadonlyMap<string, BucketSpec>): Team {
  const bucket = teamBucket(name, team, shared);
  const publicStorage = team.publicStorage ?? 'never';
  const holder = (app: string, settings: FileTeam['apps'][string]): App => ({
    name: app,
    mode: settings.mode,
    clean: settings.clean ?? true,
    publicStorage: settings.publicStorage ?? (settings.mode === 'upload' ? publicStorage : 'never'),
    canary: settings.canary ?? false,
  });
  const stages = Object.entries(team.pipelines ?? {}).flatMap(([pipeline, given]) =>
    STAGES_WITH_VARS.flatMap((stage) => (given[stage] === undefined ? [] : [holder(stageName(pipeline, stage), given[stage])])),
  );
  return {
    name,
    ...(team.was === undefined ? {} : { was: team.was }),
    deployment,
    ...(bucket === undefined ? {} : { bucket }),
    heroku: { ...team.heroku },
    credentials: team.credentials ?? 'per-mode',
    publicStorage,
    ...(team.packages === undefined ? {} : { packages: team.packages }),
    tags: { ...team.tags },
    apps: Object.entries(team.apps).map(([appName, app]) => holder(appName, app)),
    ...(stages.length === 0 ? {} : { stages }),
  };
}
