import type { fileSchema } from '../../../lib/config/schema.js';
import type { z } from 'zod';

/** halcyon.yaml as data: JSON is YAML. */
export type File = z.infer<typeof fileSchema>;
type TeamOf = NonNullable<File['teams']>[string];

/** One edit of the file, or several one after the other. */
export interface Edit {
  readonly name: string;
  /** The files, from the one that is in force to the one that holds at last; `t` begins every name in them. */
  files(t: string): readonly [File, ...File[]];
  /** What the plan says beforehand of packages that stay behind; default: none do. */
  readonly says?: RegExp;
  /** An app that is deleted on Heroku before the edit. */
  readonly deleted?: (t: string) => string;
  /** Why it is not yet as it should be. */
  readonly broken?: string;
  /** One of the few that every `npm test` carries out. */
  readonly sample?: true;
}

export const BUILDPACK = 'https://example.com/sigv4.tgz';
const REGION = 'eu-west-1';
const ELSEWHERE = 'us-west-2';
const place = { account: '111122223333', region: REGION };
const V4 = { version: 4, buildpack: BUILDPACK } as const;
const KMS = (key: number) => `arn:aws:kms:${REGION}:${place.account}:key/00000000-0000-4000-8000-00000000000${key}`;

type Bucket = NonNullable<TeamOf['bucket']>;
const own = (more: object = {}): Bucket => ({ ...place, ...more }) as Bucket;
const shared = (t: string, prefix = 'ours'): Bucket => ({ shared: `${t}-common`, prefix });
const common = (t: string, more: object = {}): File['buckets'] => ({ [`${t}-common`]: { ...place, ...more } });
const apps = (t: string, more: TeamOf['apps'] = {}): TeamOf['apps'] => ({
  [`${t}-up`]: { mode: 'upload' },
  [`${t}-ro`]: { mode: 'read-only' },
  ...more,
});
/** A file of one team. */
const file = (t: string, bucket: Bucket, team: Partial<TeamOf> = {}, more: File = {}): File => ({
  teams: { [t]: { bucket, apps: apps(t), ...team } },
  signing: V4,
  ...more,
});
const PUBLIC = { acl: 'public-read', allowPublicRead: true } as const;

const between = (name: string, before: (t: string) => File, after: (t: string) => File, more: Partial<Edit> = {}): Edit => ({
  name,
  files: (t) => [before(t), after(t)],
  ...more,
});
/** Of the bucket of a team that has its own. */
const bucket = (name: string, before: object, after: object, more: Partial<Edit> = {}): Edit =>
  between(
    name,
    (t) => file(t, own(before)),
    (t) => file(t, own(after)),
    more,
  );
/** Of one app beside the two. */
const app = (name: string, before: TeamOf['apps'][string], after: TeamOf['apps'][string], more: Partial<Edit> = {}): Edit =>
  between(
    name,
    (t) => file(t, own(), { apps: apps(t, { [`${t}-it`]: before }) }),
    (t) => file(t, own(), { apps: apps(t, { [`${t}-it`]: after }) }),
    more,
  );
/** Two teams; the app `it` is in the one or the other. */
const twoTeams = (t: string, where: 0 | 1, credentials: TeamOf['credentials']): File => ({
  teams: Object.fromEntries(
    [`${t}-a`, `${t}-b`].map((team, n) => [
      team,
      {
        bucket: own(),
        credentials,
        apps: { [`${team}-up`]: { mode: 'upload' as const }, ...(where === n ? { [`${t}-it`]: { mode: 'upload' as const } } : {}) },
      },
    ]),
  ),
  signing: V4,
});
const moved = (credentials: TeamOf['credentials'], more: Partial<Edit> = {}): Edit =>
  between(
    `app moved to another team (${credentials})`,
    (t) => twoTeams(t, 0, credentials),
    (t) => twoTeams(t, 1, credentials),
    more,
  );
const renamed = (credentials: TeamOf['credentials'], more: Partial<Edit> = {}): Edit =>
  between(
    `team renamed (${credentials})`,
    (t) => ({ teams: { [`${t}-old`]: { bucket: own(), credentials, apps: apps(t) } }, signing: V4 }),
    (t) => ({ teams: { [`${t}-new`]: { was: `${t}-old`, bucket: own(), credentials, apps: apps(t) } }, signing: V4 }),
    more,
  );

const name = (n: number) => (t: string) => file(t, own({ name: `${t}-storage-${n}` }));

export const EDITS: readonly Edit[] = [
  between('bucket name changed', name(1), name(2), { sample: true }),
  bucket('prefix added', {}, { prefix: 'ours' }),
  bucket('prefix changed', { prefix: 'ours' }, { prefix: 'mine' }),
  bucket('prefix removed', { prefix: 'ours' }, {}),
  between(
    'own bucket → shared',
    (t) => file(t, own()),
    (t) => file(t, shared(t), {}, { buckets: common(t) }),
  ),
  between(
    'own bucket → shared, the same one',
    (t) => file(t, own({ name: `${t}-storage` })),
    (t) => file(t, { shared: `${t}-common` }, {}, { buckets: common(t, { name: `${t}-storage` }) }),
  ),
  between(
    'shared bucket → own, the same one',
    (t) => file(t, { shared: `${t}-common` }, {}, { buckets: common(t, { name: `${t}-storage` }) }),
    (t) => file(t, own({ name: `${t}-storage` })),
  ),
  between(
    'shared bucket → own',
    (t) => file(t, shared(t), {}, { buckets: common(t) }),
    (t) => file(t, own(), {}, { buckets: common(t) }),
  ),
  bucket('ACL bucket-owner-full-control → private', {}, { acl: 'private' }),
  bucket('ACL private → bucket-owner-full-control', { acl: 'private' }, {}),
  bucket('ACL bucket-owner-full-control → public-read', {}, PUBLIC),
  bucket('ACL public-read → bucket-owner-full-control', PUBLIC, {}),
  bucket('ACL public-read → private', PUBLIC, { acl: 'private' }),
  between(
    'ACL of a shared bucket changed',
    (t) => file(t, shared(t), {}, { buckets: common(t, { acl: 'private' }) }),
    (t) => file(t, shared(t), {}, { buckets: common(t) }),
  ),
  between(
    'credentials per-mode → per-app',
    (t) => file(t, own()),
    (t) => file(t, own(), { credentials: 'per-app' }),
  ),
  between(
    'credentials per-app → per-mode',
    (t) => file(t, own(), { credentials: 'per-app' }),
    (t) => file(t, own()),
  ),
  app('mode upload → read-only', { mode: 'upload' }, { mode: 'read-only' }),
  app('mode read-only → upload', { mode: 'read-only' }, { mode: 'upload' }),
  app('mode upload → public', { mode: 'upload' }, { mode: 'public' }),
  app('mode public → upload', { mode: 'public' }, { mode: 'upload' }),
  app('clean false → true', { mode: 'upload', clean: false }, { mode: 'upload', clean: true }),
  app('clean true → false', { mode: 'upload', clean: true }, { mode: 'upload', clean: false }),
  bucket('KMS key added', {}, { kmsKeyArn: KMS(1) }),
  bucket('KMS key changed', { kmsKeyArn: KMS(1) }, { kmsKeyArn: KMS(2) }),
  bucket('KMS key removed', { kmsKeyArn: KMS(1) }, {}),
  bucket('region changed', {}, { region: ELSEWHERE }),
  moved('per-mode', { says: /what \S+-it archived in \S+ stays there/ }),
  moved('per-app', { says: /what \S+-it archived in \S+ stays there/ }),
  renamed('per-mode'),
  renamed('per-app'),
  between(
    'app taken out',
    (t) => file(t, own(), { apps: apps(t, { [`${t}-it`]: { mode: 'upload' } }) }),
    (t) => file(t, own()),
  ),
  between(
    'app deleted on Heroku, and then taken out',
    (t) => file(t, own(), { apps: apps(t, { [`${t}-it`]: { mode: 'upload' } }) }),
    (t) => file(t, own({ prefix: 'ours' })),
    { deleted: (t) => `${t}-it` },
  ),
  between(
    'app added',
    (t) => file(t, own()),
    (t) => file(t, own(), { apps: apps(t, { [`${t}-it`]: { mode: 'upload' } }) }),
  ),
  between(
    'a shared bucket in another region added',
    (t) => file(t, shared(t), {}, { buckets: common(t) }),
    (t) => file(t, shared(t), {}, { buckets: { [`${t}-first`]: { ...place, region: ELSEWHERE }, ...common(t) } }),
  ),
  bucket('versioning off', { versioning: true }, {}),
  between(
    'signing 2 → 4',
    (t) => file(t, own(), {}, { signing: { version: 2, acknowledgeV2: true } }),
    (t) => file(t, own()),
    { sample: true },
  ),
  between(
    'signing 4 → 2',
    (t) => file(t, own()),
    (t) => file(t, own(), {}, { signing: { version: 2, acknowledgeV2: true } }),
  ),
  between(
    'prefix, ACL and mode at once',
    (t) => file(t, own({ prefix: 'ours' }), { apps: apps(t, { [`${t}-it`]: { mode: 'upload' } }) }),
    (t) => file(t, own({ prefix: 'mine', acl: 'private' }), { apps: apps(t, { [`${t}-it`]: { mode: 'read-only' } }) }),
  ),
  {
    name: 'bucket name A → B → A',
    files: (t) => [name(1)(t), name(2)(t), name(1)(t)],
  },
  {
    name: 'ACL A → B → A',
    files: (t) => [file(t, own()), file(t, own({ acl: 'private' })), file(t, own())],
  },
];
