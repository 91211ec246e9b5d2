import { createHash } from 'node:crypto';
import { ACCESSES, type Access, type Acl } from './modes.js';

/** Every name that crosses a boundary is made here, and only here. */

/** Stack of a team: `halcyon-TEAM`. */
export const teamStackName = (team: string): string => `halcyon-${team}`;

/** Stack of a shared bucket: `halcyon-bucket-NAME`. */
export const bucketStackName = (bucket: string): string => `halcyon-bucket-${bucket}`;

/** Stack that serves the SigV4 buildpack (`signing.buildpack: hosted`); a team cannot be called `buildpack`. */
export const BUILDPACK_STACK = 'halcyon-buildpack';

/** Owners of the kit's own buckets, by {@link defaultBucketName}; no team and no shared bucket can be called so. */
export const KIT_OWNERS = { buildpack: 'kit-buildpack', templates: 'kit-templates' } as const;

/** Its bucket; one an account and region. */
export const buildpackBucketName = (account: string, region: string): string => defaultBucketName(KIT_OWNERS.buildpack, account, region);

/** Stack of the bucket that CloudFormation reads templates from which are too large for a request; one an account and region. */
export const TEMPLATES_STACK = `halcyon-${KIT_OWNERS.templates}`;
export const templatesBucketName = (account: string, region: string): string => defaultBucketName(KIT_OWNERS.templates, account, region);

/** Key prefix of the buildpack in its bucket, which anyone may read; objects are named by their content. */
export const BUILDPACK_PREFIX = 'buildpack/';

/** Bucket the kit makes when the file names none: `halcyon-OWNER-ACCOUNT-REGION`; bucket names are global, hence account and region. */
export const defaultBucketName = (owner: string, account: string, region: string): string => `halcyon-${owner}-${account}-${region}`;

/** Path that all IAM users of the kit are under. */
export const IAM_ROOT_PATH = '/halcyon/';

/** Path of a principal's IAM user: the access comes first, so that a bucket policy can name all read-only principals by one ARN pattern. */
export const iamPath = (access: Access, team: string): string => `${IAM_ROOT_PATH}${access}/${team}/`;

/** ARN pattern of every IAM user with `access`, in any account of `partition`. */
export const principalArnPattern = (partition: string, access: Access): string => `arn:${partition}:iam::*:user${IAM_ROOT_PATH}${access}/*`;

/** What a principal may reach. Whatever of it changes makes another principal: nothing is ever taken from one that builds still use. */
export interface Reach {
  readonly account: string;
  readonly region: string;
  readonly bucketName: string;
  /** Without slashes at its ends; empty or undefined: the whole bucket. */
  readonly prefix?: string;
  /** The one canned ACL that uploads carry; of no account where nothing is uploaded. */
  readonly acl: Acl;
}

/** Six hexadecimal digits that stand for a reach in names. */
export function reachDigest({ account, region, bucketName, prefix, acl }: Reach, access: Access): string {
  const parts = [account, region, bucketName, prefix ?? '', access === 'read-only' ? '' : acl];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 6);
}

/** A principal: one IAM user, one secret, one policy; a team's for all apps of one access, or one app's own (`credentials: per-app`). */
export interface PrincipalId {
  readonly team: string;
  readonly access: Access;
  /** Set with `credentials: per-app`. */
  readonly app?: string;
  /** Digest of what it may reach: {@link reachDigest}. */
  readonly reach?: string;
  /** Of those that may reach the same, one after another, the how-manieth: a name that is taken is not used again. Default 1. */
  readonly generation?: number;
}

const revision = ({ reach, generation = 1 }: PrincipalId): string[] =>
  reach === undefined ? [] : [generation === 1 ? reach : `${reach}-${generation}`];

/**
 * IAM user name, at most 64 characters: `halcyon.team.TEAM.ACCESS.REACH` or `halcyon.app.APP.ACCESS.REACH` (Heroku app names are unique
 * everywhere), and `-GENERATION` from the second on.
 */
export const userName = (id: PrincipalId): string =>
  ['halcyon', ...(id.app === undefined ? ['team', id.team] : ['app', id.app]), id.access, ...revision(id)].join('.');

/** The principal of a user, from its path and name; undefined for a user that someone else put there. */
export function parseUserName({ name, path }: { readonly name: string; readonly path: string }): PrincipalId | undefined {
  const [, access, team] = /^\/halcyon\/([^/]+)\/([^/]+)\/$/.exec(path) ?? [];
  const [, kind, owner, reach, generation] = /^halcyon\.(team|app)\.([^.]+)\.[^.]+(?:\.([0-9a-f]{6})(?:-(\d+))?)?$/.exec(name) ?? [];
  if (access === undefined || team === undefined || owner === undefined) return undefined;
  const id: PrincipalId = {
    team,
    access: access as Access,
    ...(kind === 'app' ? { app: owner } : {}),
    ...(reach === undefined ? {} : { reach }),
    ...(generation === undefined ? {} : { generation: Number(generation) }),
  };
  return ACCESSES.includes(id.access) && userName(id) === name ? id : undefined;
}

/** Name of the one inline policy of a principal's IAM user. */
export const USER_POLICY = 'halcyon';

/** How the managed policies begin that AWS attaches to a user whose key it saw in public: they refuse all its keys. */
export const QUARANTINE_POLICY = 'AWSCompromisedKeyQuarantine';

/** Sid of the bucket policy's statement that refuses signature version 2: by it the kit tells what a bucket accepts. */
export const DENY_SIGV2 = 'DenySigV2';

/** Secrets Manager name: `halcyon/TEAM/ACCESS/REACH` or `halcyon/TEAM/APP/ACCESS/REACH`. The kit finds secrets by this name, never by a stack output. */
export const secretName = (id: PrincipalId): string => ['halcyon', principalLabel(id), ...revision(id)].join('/');

/** Stages of a Heroku pipeline that give config vars to what is made in them. */
export const STAGES_WITH_VARS = ['review', 'test'] as const;
export type PipelineStage = (typeof STAGES_WITH_VARS)[number];

/** How such a stage is called among apps; with the pipeline's id in place of its name, what tells it from all others. */
export const stageName = (pipeline: string, stage: PipelineStage): string => `pipeline:${pipeline}:${stage}`;

/** The pipeline, by its name or id, and the stage; undefined for an app. */
export function parseStage(app: string): { readonly pipeline: string; readonly stage: PipelineStage } | undefined {
  const [, pipeline, name] = /^pipeline:([\w-]+):(\w+)$/.exec(app) ?? [];
  const stage = STAGES_WITH_VARS.find((one) => one === name);
  return pipeline === undefined || stage === undefined ? undefined : { pipeline, stage };
}

/** How a principal is called on screen: `TEAM/ACCESS` or `TEAM/APP/ACCESS`. */
export const principalLabel = ({ team, app, access }: PrincipalId): string => [team, ...(app === undefined ? [] : [app]), access].join('/');

/** Tags on everything the kit makes in AWS. */
export const TAGS = {
  managedBy: 'halcyon:managed-by',
  /** Name of the deployment, as its file says; absent on what was made before there was one: {@link DEFAULT_DEPLOYMENT}. */
  deployment: 'halcyon:deployment',
  team: 'halcyon:team',
  app: 'halcyon:app',
  access: 'halcyon:access',
  /** A principal's {@link Reach}, for when the file no longer tells. */
  bucket: 'halcyon:bucket',
  prefix: 'halcyon:prefix',
  region: 'halcyon:region',
  acl: 'halcyon:acl',
  /** The change that CloudFormation wants beside that of a deletion policy. */
  retained: 'halcyon:retained',
} as const;
export const MANAGED_BY = 'halcyon-kit';
export const DEFAULT_DEPLOYMENT = 'halcyon';

type Tags = Readonly<Record<string, string>>;

/** The deployment that what carries these tags belongs to. */
export const deploymentOf = (tags: Tags): string => tags[TAGS.deployment] ?? DEFAULT_DEPLOYMENT;

/** Whether it is of the kit's making, for this deployment: another file's is left alone. */
export const isOf = (deployment: string, tags: Tags): boolean => tags[TAGS.managedBy] === MANAGED_BY && deploymentOf(tags) === deployment;

/** Tags in which the key engine remembers, on the IAM user itself, what AWS does not record. They may be read; changing them by hand confuses it. */
export const KEY_TAGS = {
  /** Set before a key is made: `TIME by WHO before KEYIDS`. A key of that moment that nobody knows the secret of is then ours to delete. */
  creating: 'halcyon:creating-key',
  /** `halcyon:inactive-since:KEYID` = TIME: when its soak began. */
  inactiveSince: 'halcyon:inactive-since',
  /** `halcyon:refused:KEYID` = `undone TIME` (turned away by an undo) or `revoked TIME` (leaked: never reactivated). */
  refused: 'halcyon:refused',
} as const;

/**
 * Version id of the secret version that holds `keyId`, also its ClientRequestToken (32 to 64 characters): storing a key twice is one
 * version, and a version tells its key without being read.
 */
export const secretVersionId = (keyId: string): string => `halcyon.key.${keyId}`.padEnd(32, '.');
export const keyIdOfVersion = (versionId: string): string | undefined => /^halcyon\.key\.(\w+)\.*$/.exec(versionId)?.[1];

/** Objects of the kit's own in a bucket (leases, smoke leftovers' index) are under this key prefix, at the bucket's root; principals may not write there. */
export const KIT_OBJECT_PREFIX = '.halcyon-kit/';
/** Apps that were ever given a key of an IAM user, by their ids. */
export const HOLDERS_PREFIX = `${KIT_OBJECT_PREFIX}holders/`;
export const holdersKey = (user: string): string => `${HOLDERS_PREFIX}${user}.json`;
/** Since when packages of a place (empty, or a prefix with its slash) are of use to no app. */
export const unusedKey = (place: string): string => `${KIT_OBJECT_PREFIX}unused/${place}packages.json`;
/** What the apps of a team were last seen to have. */
export const confirmedKey = (team: string): string => `${KIT_OBJECT_PREFIX}confirmed/${team}.json`;
/** What runs did to a team, an object a run. */
export const journalPrefix = (team: string): string => `${KIT_OBJECT_PREFIX}journal/${team}/`;
/** What a team's smoke deploys have shown, when, and what that rests on. */
export const proofKey = (team: string): string => `${KIT_OBJECT_PREFIX}proof/${team}.json`;
export const leaseKey = (team: string): string => `${KIT_OBJECT_PREFIX}lease/${team}.json`;

/** CloudFormation outputs of the stacks (logical output names, without secrets). */
export const OUTPUTS = {
  bucketName: 'BucketName',
  bucketRegion: 'BucketRegion',
  kmsKeyArn: 'KmsKeyArn',
} as const;

/** `name` or `name/prefix`, the form of `HALCYON_S3_BUCKET`. A prefix is kept without slashes at its ends. */
export const halcyonBucket = (name: string, prefix?: string): string => (prefix ? `${name}/${prefix}` : name);

/** Key prefix a principal is confined to: empty, or `prefix/`. */
export const keyPrefix = (prefix?: string): string => (prefix ? `${prefix}/` : '');
