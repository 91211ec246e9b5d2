import fc from 'fast-check';
import type { FileShape } from '../../lib/config/schema.js';

type FileTeam = NonNullable<FileShape['teams']>[string];

const word = (min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[a-z][a-z0-9-]{${min - 2},${max - 2}}[a-z0-9]$`)).filter((text) => !text.startsWith('bucket'));
const account = fc.stringMatching(/^[0-9]{12}$/);
const region = fc.constantFrom('us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-7', 'cn-north-1');
const tags = fc.dictionary(word(2, 8), fc.constantFrom('', '0042', 'true', 'null', 'a b', 'é:/', '1e3', '2026-11-22'), { maxKeys: 3 });
const prefix = fc.stringMatching(/^[a-z0-9_-]{1,9}(\/[a-z0-9._-]{0,7}[a-z0-9]){0,2}$/);
const optional = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const aclChoice = fc.constantFrom<{ acl?: 'private' | 'public-read' | 'bucket-owner-full-control'; allowPublicRead?: boolean }>(
  {},
  { acl: 'bucket-owner-full-control', allowPublicRead: false },
  { acl: 'private' },
  { acl: 'public-read', allowPublicRead: true },
);

const made = fc
  .tuple(
    fc.record({ account, region }),
    aclChoice,
    optional({ endpoint: fc.constantFrom('s3.example.com', 'localhost:9000'), tags }),
    fc.constantFrom<{ versioning?: boolean; retention?: { retain?: boolean; noncurrentDays?: number; expireAfterDays?: number } }>(
      {},
      { versioning: false, retention: { retain: false } },
      { versioning: true, retention: { noncurrentDays: 7, expireAfterDays: 400 } },
    ),
    fc.boolean(),
  )
  .map(([place, access, more, keep, kms]) => ({
    ...place,
    ...access,
    ...more,
    ...keep,
    ...(kms ? { kmsKeyArn: `arn:aws:kms:${place.region}:${place.account}:key/mrk-0b1c` } : {}),
  }));

const app = fc.oneof(
  fc.record({ mode: fc.constant('public' as const) }),
  fc.record({ mode: fc.constant('read-only' as const), publicStorage: fc.constant('never' as const) }, { requiredKeys: ['mode'] }),
  fc.record(
    { mode: fc.constant('upload' as const), clean: fc.boolean(), publicStorage: fc.constantFrom('never' as const, 'fallback' as const) },
    { requiredKeys: ['mode'] },
  ),
);

/** A file that is right in shape and in rules. Buckets are all of different names, prefixes of one bucket apart. */
export const validFile: fc.Arbitrary<FileShape> = fc
  .record({
    shared: fc.uniqueArray(fc.tuple(word(2, 20), made), { maxLength: 2, selector: ([name]) => name }),
    teams: fc.uniqueArray(
      fc.tuple(
        word(2, 20),
        fc.record({
          kind: fc.nat(2),
          made,
          prefix: fc.option(prefix, { nil: undefined }),
          apps: fc.array(app, { minLength: 1, maxLength: 5 }),
          settings: optional({
            credentials: fc.constantFrom('per-mode' as const, 'per-app' as const),
            tags,
            heroku: optional({ team: fc.constantFrom('acme', 'acme_payments-2') }),
          }),
        }),
      ),
      { minLength: 1, maxLength: 4, selector: ([name]) => name },
    ),
    signing: fc.constantFrom<FileShape['signing']>(
      undefined,
      {},
      { version: 4 },
      { version: 4, buildpack: 'hosted' },
      { buildpack: 'https://example.com/a.tgz' },
    ),
    buildpack: fc.option(
      optional({
        install: fc.boolean(),
        url: fc.constant('https://example.com/x'),
        halcyonUrl: fc.constant('https://example.com/h#b'),
        bashmenotUrl: fc.constant('file:///srv/bashmenot'),
      }),
      { nil: undefined },
    ),
  })
  .map(({ shared, teams, signing, buildpack }) => {
    const buckets = Object.fromEntries(shared.map(([name, bucket], i) => [name, { ...bucket, name: `shared-bucket-${i}` }]));
    const bucketOf = (i: number, kind: number, own: (typeof shared)[number][1], prefixed?: string): FileTeam['bucket'] => {
      const part = prefixed === undefined ? {} : { prefix: prefixed };
      const [id] = shared[i % Math.max(shared.length, 1)] ?? [];
      if (kind === 1 && id !== undefined) return { shared: id, prefix: `team-${i}${prefixed === undefined ? '' : `/${prefixed}`}` };
      if (kind === 2) {
        const { tags: _tags, versioning: _versioning, retention: _retention, ...existing } = own;
        return { existing: `existing-bucket-${i}`, ...existing, ...part };
      }
      return { ...own, ...(i % 2 === 0 ? { name: `own-bucket-${i}` } : {}), ...part };
    };
    const made: NonNullable<FileShape['teams']> = Object.fromEntries(
      teams.map(([name, team], i) => [
        name,
        {
          ...team.settings,
          bucket: bucketOf(i, team.kind, team.made, team.prefix),
          apps: Object.fromEntries(team.apps.map((one, j) => [`app-${i}-${j}`, one])),
        },
      ]),
    );
    return {
      ...(shared.length > 0 ? { buckets } : {}),
      teams: made,
      ...(signing === undefined ? {} : { signing }),
      ...(buildpack === undefined ? {} : { buildpack }),
    };
  });
