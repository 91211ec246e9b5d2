import { hasStack } from '../config/environments.js';
import type { BucketSpec, KitConfig, Team } from '../config/model.js';
import { bucketStackName, BUILDPACK_STACK, teamStackName, TEMPLATES_STACK, type Reach } from '../contract/index.js';
import { counted } from '../io/printable.js';

/** What an earlier file made and this one no longer names; in one account, and of one deployment. */
export interface Left {
  readonly account: string;
  /** Why it could not be looked at. */
  readonly unread?: string;
  readonly teams: readonly LeftTeam[];
  /** Looked for where a bucket or a team is left, and in every region where that was asked: it takes a request a region. */
  readonly stacks: readonly LeftStack[];
  /** With packages in them, perhaps: never deleted unasked. */
  readonly buckets: readonly LeftBucket[];
}

export const NOTHING_LEFT: Left = { account: '', teams: [], stacks: [], buckets: [] };

export interface LeftTeam {
  readonly team: string;
  readonly users: readonly string[];
  /** What its users may reach, as far as their tags say. */
  readonly reach?: Omit<Reach, 'account'>;
  /** The one team of the file that has nothing yet: perhaps this one by another name. */
  readonly renamed?: string;
}

export interface LeftStack {
  readonly name: string;
  readonly region: string;
  /** Whose it is, where the file does not have that team either. */
  readonly team?: string;
  readonly bucketName?: string;
}

export interface LeftBucket {
  readonly name: string;
  readonly region: string;
  /** Whose it was, where the file does not have that team either. */
  readonly team?: string;
}

/** Names of teams that a file has in an account: a user of another is left over. */
export const teamsIn = ({ teams }: KitConfig, account: string): ReadonlySet<string> =>
  new Set(teams.flatMap(({ name, was, bucket }) => (bucket === undefined || bucket.spec.account === account ? [name, was ?? name] : [])));

/** Whether a file has a stack in an account; those that all files share are nobody's to remove. */
export function stacksIn({ buckets, teams }: KitConfig, account: string): (name: string, region: string) => boolean {
  // One under a name that its team gave up goes with the next `up`.
  const own = teams
    .filter(hasStack)
    .flatMap(({ name, was = name, bucket }) => (bucket ? [name, was].map((one) => ({ ...bucket.spec, name: teamStackName(one) })) : []));
  const there = [...buckets.map((bucket) => ({ ...bucket, name: bucketStackName(bucket.id) })), ...own];
  const names = new Set(there.filter((one) => one.account === account).map(({ name, region }) => `${name} ${region}`));
  return (name, region) => name === BUILDPACK_STACK || name === TEMPLATES_STACK || names.has(`${name} ${region}`);
}

/** Names of all teams of which something is left. */
export const namesLeft = ({ teams, stacks, buckets }: Left): string[] => [
  ...new Set([...teams, ...stacks, ...buckets].flatMap(({ team }) => (team === undefined ? [] : [team]))),
];

/** A left-over team as one to take down: without apps, and with the storage that its users, its stack or its bucket name. */
export function teamLeft(name: string, left: Left): Team {
  const own = left.buckets.find(({ team }) => team === name);
  const stack = left.stacks.find(({ team }) => team === name);
  const reach = left.teams.find(({ team }) => team === name)?.reach;
  const bucketName = own?.name ?? reach?.bucketName ?? stack?.bucketName;
  const region = own?.region ?? reach?.region ?? stack?.region;
  const team = { name, heroku: {}, credentials: 'per-mode', publicStorage: 'never', packages: 'leave', tags: {}, apps: [] } as const;
  if (bucketName === undefined || region === undefined) return team;
  const { account } = left;
  const spec: BucketSpec = {
    ...{ name: bucketName, account, region, acl: reach?.acl ?? 'bucket-owner-full-control', allowPublicRead: false, versioning: false },
    ...{ retention: { retain: true, noncurrentDays: 30 }, tags: {} },
  };
  const prefix = own === undefined && reach?.prefix !== undefined ? { prefix: reach.prefix } : {};
  return { ...team, bucket: { kind: own === undefined ? 'existing' : 'own', spec, ...prefix } };
}

/** A sentence each: what is left, and what mends it. */
export const inWords = ({ teams, stacks, buckets }: Left) => [
  ...teams.map(({ team, users, renamed }) => ({
    ...{ name: 'team-left' as const, subject: `team ${team}` },
    message: `the file no longer names it; ${counted(users.length, 'IAM user')} of it and all their keys are kept working until "halcyon-kit up --prune"${renamed === undefined ? '' : `; if it is what team ${renamed} was, write "was: ${team}" there before the next up: its users, and a bucket of its own, go with it`}`,
    fix: `once no app needs it, run halcyon-kit up --prune, or halcyon-kit down ${team}; else put it back into the file`,
  })),
  ...stacks.map(({ name, region }) => ({
    ...{ name: 'stack-left' as const, subject: `stack ${name} in ${region}` },
    message: 'the file no longer names it there; it is kept until "halcyon-kit up --prune"',
    fix: 'run halcyon-kit up --prune, which deletes it, and nothing in it that is still used',
  })),
  ...buckets.map(({ name, region, team }) => ({
    ...{ name: 'bucket-left' as const, subject: `bucket ${name}` },
    message: `the file no longer names it; it stays in ${region}, with what is in it`,
    fix: `${stacks.some(({ bucketName }) => bucketName === name) ? 'once its stack is gone, and ' : ''}where nobody needs its packages, nor the journal of runs in it, run ${team === undefined ? `aws s3 rb s3://${name} --force` : `halcyon-kit down ${team} --delete-bucket`}`,
  })),
];

export const renderLeft = (left: Left): string =>
  [
    ...inWords(left).map(({ subject, message }) => `left behind: ${subject}: ${message}`),
    ...(left.unread === undefined ? [] : [`what an earlier file left behind could not be looked for: ${left.unread}`]),
  ].join('\n');
