import { stringify } from 'yaml';
import { parseConfig, type KitConfig } from '../lib/config/index.js';
import type { FileShape } from '../lib/config/schema.js';

/** What a run makes, and what that costs at most. Pure: everything follows from the run's id. */

export interface Place {
  readonly account: string;
  readonly region: string;
  readonly herokuTeam?: string;
}

/** Of the same partition: where a bucket moves to, and where one is not. */
export const regionBeside = (region: string): string =>
  ({
    'us-west-2': 'us-east-1',
    'cn-north-1': 'cn-northwest-1',
    'cn-northwest-1': 'cn-north-1',
    'us-gov-west-1': 'us-gov-east-1',
    'us-gov-east-1': 'us-gov-west-1',
  })[region] ?? 'us-west-2';

const ID = '[0-9a-z]{8}';

/** Eight characters, five of which say until when the run's things may stay. @param random - below 36³. */
export const newRunId = (expires: Date, random: number): string =>
  Math.ceil(expires.getTime() / 60_000).toString(36) + random.toString(36).padStart(3, '0');

export const expiryOf = (id: string): Date => new Date(parseInt(id.slice(0, 5), 36) * 60_000);

/** A thing of this age may be of that run: its time begins at most a day before it ends. What only happens to be called so is not touched. */
export const isMadeFor = (id: string, made: Date): boolean => {
  const left = expiryOf(id).getTime() - made.getTime();
  return left >= 0 && left <= 2 * 86_400_000;
};

/** Tags on everything in AWS that can have some. */
export const tagsOf = (id: string) => ({ 'accept-run': id, 'accept-expires': expiryOf(id).toISOString() });

/** Every name of a run. The ground is its own bucket: made first and removed last, it holds the note of who runs, the buildpack, and the probes' objects. */
export const namesOf = (id: string, { account, region }: Pick<Place, 'account' | 'region'>) => ({
  own: `accept-${id}-own`,
  one: `accept-${id}-one`,
  shared: `accept-${id}-all`,
  renamed: `halcyon-accept-${id}-renamed`,
  ground: `halcyon-accept-${id}-${account}-${region}`,
  probe: `halcyon-accept-${id}-probe`,
  app: (name: string) => `halcyon-accept-${id}-${name}`,
  /** What all its stacks, users, buckets, secrets and apps have in their names. */
  mark: `accept-${id}-`,
});

/** Run and region of a ground's name. */
export function groundOf(bucket: string, account: string): { readonly id: string; readonly region: string } | undefined {
  const found = new RegExp(`^halcyon-accept-(${ID})-${account}-([a-z0-9-]+)$`).exec(bucket);
  return found === null ? undefined : { id: found[1] ?? '', region: found[2] ?? '' };
}

/** Run of a Heroku app's name; undefined for any other app. */
export const runOfApp = (app: string): string | undefined => new RegExp(`^halcyon-accept-(${ID})-[a-z]+$`).exec(app)?.[1];

/** halcyon.yaml: all modes, a bucket of its own and a shared one. */
export function fleetOf(id: string, place: Place, buildpack: string): FileShape {
  const names = namesOf(id, place);
  const bucket = { account: place.account, region: place.region };
  const team = { ...(place.herokuTeam === undefined ? {} : { heroku: { team: place.herokuTeam } }), tags: tagsOf(id) };
  return {
    // Its own: `up --prune` takes down what is of the deployment and not in the file, and that must never be anyone's but the run's.
    deployment: `accept-${id}`,
    buckets: { [names.shared]: { ...bucket, tags: tagsOf(id) } },
    teams: {
      [names.own]: {
        ...team,
        bucket,
        apps: {
          [names.app('up')]: { mode: 'upload' },
          [names.app('ro')]: { mode: 'read-only' },
          [names.app('pub')]: { mode: 'public' },
        },
      },
      [names.one]: {
        ...team,
        bucket: { shared: names.shared, prefix: 'one' },
        apps: { [names.app('one')]: { mode: 'upload', clean: false }, [names.app('two')]: { mode: 'upload', clean: false } },
      },
    },
    signing: { version: 4, buildpack },
    buildpack: { install: true },
  };
}

export const textOf = (file: FileShape): string => stringify(file);
export const configOf = (file: FileShape): KitConfig => parseConfig(textOf(file));

export interface Edit {
  readonly name: string;
  /** Changes the file where it stands. */
  readonly apply: (file: FileShape, names: ReturnType<typeof namesOf>) => void;
}

const teamOf = (file: FileShape, name: string) => file.teams![name]!;

/** Edits that a running build must not notice, in this order: teams are edited side by side, and where packages are comes last. */
export const EDITS: readonly Edit[] = [
  {
    name: 'versions are kept, packages expire, a tag is added',
    apply(file, { shared }) {
      const bucket = file.buckets![shared]!;
      Object.assign(bucket, { versioning: true, retention: { expireAfterDays: 30 }, tags: { ...bucket.tags, edited: 'yes' } });
    },
  },
  {
    name: 'an app comes, and public packages may be used',
    apply(file, { own, app }) {
      teamOf(file, own).publicStorage = 'fallback';
      teamOf(file, own).apps[app('new')] = { mode: 'read-only' };
    },
  },
  {
    name: 'an app changes from upload to read-only, another from read-only to append-only; in the other team each app gets a key of its own',
    apply(file, { own, one, app }) {
      teamOf(file, own).apps[app('up')] = { mode: 'read-only' };
      teamOf(file, own).apps[app('new')] = { mode: 'upload', clean: false };
      teamOf(file, one).credentials = 'per-app';
    },
  },
  {
    name: 'a private app becomes public, a public one read-only',
    apply(file, { own, app }) {
      teamOf(file, own).apps[app('up')] = { mode: 'public' };
      teamOf(file, own).apps[app('pub')] = { mode: 'read-only' };
    },
  },
  {
    name: 'a prefix changes; the bucket of the other team gets another name',
    apply(file, { own, one, shared, renamed }) {
      teamOf(file, one).bucket = { shared, prefix: 'moved' };
      Object.assign(teamOf(file, own).bucket!, { name: renamed });
    },
  },
  {
    name: 'that team moves from its bucket into the shared one',
    apply(file, { own, shared }) {
      teamOf(file, own).bucket = { shared, prefix: 'own' };
    },
  },
  {
    name: 'it moves into a bucket of its own again, in another region; the ACL of uploads to the shared one changes',
    apply(file, { own, shared }) {
      const bucket = file.buckets![shared]!;
      teamOf(file, own).bucket = { account: bucket.account, region: regionBeside(bucket.region) };
      bucket.acl = 'private';
    },
  },
];
