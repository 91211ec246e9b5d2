import fc from 'fast-check';
import { describe as about, expect, test } from 'vitest';
import { contestedAmong, worthALook } from '../../lib/adopt/contested.plan.js';
import { describe } from '../../lib/adopt/describe.plan.js';
import { fileText } from '../../lib/adopt/file.plan.js';
import type { Seen, SeenApp } from '../../lib/adopt/model.js';
import { readTerraform } from '../../lib/adopt/terraform.js';
import { parseConfig } from '../../lib/config/index.js';
import type { HeldConfigVars } from '../../lib/contract/index.js';

const ON = { on: '2026-11-28', schema: './schema.json' };
const KEY = 'AKIAHANDMADE00000001';
const app = (name: string, vars: HeldConfigVars = {}, more: Partial<SeenApp> = {}): SeenApp => ({
  ...{ name, generation: 'cedar', stack: 'heroku-24', hasSecret: true, others: {}, contested: [] },
  buildpacks: ['https://github.com/mietek/haskell-on-heroku'],
  vars: { HALCYON_AWS_ACCESS_KEY_ID: KEY, HALCYON_S3_BUCKET: 'acme', ...vars },
  ...more,
});
const seen = (apps: SeenApp[], more: Partial<Seen> = {}): Seen => ({
  ...{ account: '111122223333', apps, users: new Map([[KEY, 'acme-heroku']]), terraform: new Map(), unread: [] },
  buckets: new Map([['acme', { state: 'present', region: 'eu-west-1', ownership: 'ObjectWriter' }]]),
  ...more,
});
const write = (...args: Parameters<typeof seen>) => fileText(describe(seen(...args)), ON);
const parsed = (...args: Parameters<typeof seen>) => parseConfig(write(...args));
const team = (...args: Parameters<typeof seen>) => parsed(...args).teams[0]!;

about('the mode of an app', () => {
  test.each<[string, HeldConfigVars, Partial<SeenApp>, object]>([
    ['upload', { HALCYON_NO_PUBLIC_STORAGE: '1' }, {}, { mode: 'upload', clean: true, publicStorage: 'never' }],
    ['upload, with public packages', {}, {}, { mode: 'upload', publicStorage: 'fallback' }],
    ['append-only', { HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1' }, {}, { mode: 'upload', clean: false }],
    ['read-only', { HALCYON_NO_UPLOAD: '1', HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1' }, {}, { mode: 'read-only', clean: true }],
    ['public: no secret', {}, { hasSecret: false }, { mode: 'public' }],
    ['public: turned off', {}, { others: { HALCYON_NO_PRIVATE_STORAGE: '1' } }, { mode: 'public' }],
  ])('%s', (_, vars, more, expected) => {
    expect(team([app('one', vars, more)]).apps[0]).toMatchObject(expected);
  });
});

about('the bucket', () => {
  test.each<[string, HeldConfigVars, string | undefined, string]>([
    ['Halcyon’s own ACL where none is set', {}, 'ObjectWriter', 'private'],
    ['what is set', { HALCYON_S3_ACL: 'public-read' }, 'ObjectWriter', 'public-read'],
    ['what passes where ACLs are off', { HALCYON_S3_ACL: 'private' }, 'BucketOwnerEnforced', 'bucket-owner-full-control'],
    ['one that the kit knows, marked, else', { HALCYON_S3_ACL: 'authenticated-read' }, undefined, 'bucket-owner-full-control'],
  ])('has as its ACL %s', (_, vars, ownership, acl) => {
    const buckets = new Map([['acme', { state: 'present' as const, region: 'eu-west-1', ...(ownership ? { ownership } : {}) }]]);
    const text = write([app('one', vars)], { buckets });
    expect(parseConfig(text).teams[0]?.bucket).toMatchObject({ kind: 'existing', spec: { acl } });
    expect(text.includes('EDIT: apps upload')).toBe(vars.HALCYON_S3_ACL === 'authenticated-read');
  });

  test.each<[string, HeldConfigVars, string]>([
    ['by its endpoint', { HALCYON_S3_ENDPOINT: 's3-eu-west-2.amazonaws.com' }, 'eu-west-2'],
    ['by the region to sign for', { HALCYON_S3_REGION: 'eu-north-1' }, 'eu-north-1'],
  ])('that AWS does not show is in the region that config vars name: %s', (_, vars, region) => {
    const text = write([app('one', vars)], { buckets: new Map([['acme', { state: 'not-shown' }]]) });
    expect(parseConfig(text).teams[0]?.bucket?.spec.region).toBe(region);
    expect(text).toMatch(/account: "111122223333" # EDIT/);
  });

  test('is behind another endpoint, which stays', () => {
    expect(team([app('one', { HALCYON_S3_ENDPOINT: 'minio.acme.example:9000' })]).bucket?.spec.endpoint).toBe('minio.acme.example:9000');
    expect(team([app('one', { HALCYON_S3_ENDPOINT: 's3.amazonaws.com' })]).bucket?.spec.endpoint).toBeUndefined();
  });
});

about('teams', () => {
  test('are one a storage; public apps go with their Heroku team; what is nested is left out', () => {
    const apps = [
      app('one', { HALCYON_S3_BUCKET: 'acme/a' }, { team: 'acme-a' }),
      app('two', { HALCYON_S3_BUCKET: 'acme/b' }, { team: 'acme-b' }),
      app('lab', { HALCYON_S3_BUCKET: '' }, { team: 'acme-b', hasSecret: false }),
      app('zed', { HALCYON_S3_BUCKET: 'acme/a/inner' }),
    ];
    expect(parsed(apps).teams.map(({ name, apps: of }) => [name, of.map((one) => one.name)])).toEqual([
      ['acme-a', ['one']],
      ['acme-b', ['two', 'lab']],
    ]);
    expect(describe(seen(apps)).leftOut.map(({ app: name }) => name)).toEqual(['zed']);
  });

  test('have a key an app where that is so today', () => {
    const other = { HALCYON_AWS_ACCESS_KEY_ID: 'AKIAHANDMADE00000002' };
    expect(team([app('one'), app('two', other)]).credentials).toBe('per-app');
    expect(team([app('one'), app('two')]).credentials).toBe('per-mode');
  });

  test.each([
    ['of the kit already', app('one'), { users: new Map([[KEY, 'halcyon.team.acme.upload.0a1b2c']]) }],
    ['Fir', app('one', {}, { generation: 'fir' }), {}],
    ['cnb', app('one', {}, { stack: 'cnb' }), {}],
    ['a bucket that is none', app('one', { HALCYON_S3_BUCKET: 'Not A Bucket' }), {}],
    ['a prefix that cannot be', app('one', { HALCYON_S3_BUCKET: 'acme/with space' }), {}],
  ])('do not have an app that is %s', (_, one, more) => {
    expect(describe(seen([one], more))).toMatchObject({ teams: [], leftOut: [{ app: 'one' }] });
  });
});

test('what could not be read is said in the file', () => {
  const text = write([app('one')], {
    unread: [
      { app: 'closed', why: 'Heroku refused it' },
      { app: 'x\nteams: {}', why: 'y\nz: 1' },
    ],
  });
  expect(parseConfig(text).teams).toHaveLength(1);
  expect(text).toContain('# Left out: closed: Heroku refused it.');
});

test('a second writer is pointed out', () => {
  const text = write([app('one', {}, { contested: [{ name: 'HALCYON_S3_ACL', releases: [3, 5, 8] }] })], {
    terraform: new Map([['one', ['HALCYON_S3_BUCKET']]]),
  });
  expect(text).toContain('# HALCYON_S3_ACL went to and fro in v3, v5, v8');
  expect(text).toContain('# Terraform sets HALCYON_S3_BUCKET:');
});

test('whatever apps hold, the file is YAML of the teams described, and nothing of theirs is more than a comment', () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('acme\nteams: {}', 'acme/x\n  evil:', '# x', '"', 'acme/a', 'acme/b/c', '${x}', 'private'),
  );
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{2,8}$/), { maxLength: 5 });
  fc.assert(
    fc.property(names, fc.array(fc.tuple(value, value, value, value, fc.boolean()), { minLength: 5, maxLength: 5 }), (apps, values) => {
      const all = apps.map((name, at) => {
        const [bucket = '', acl = '', endpoint = '', user = '', hasSecret = true] = values[at] ?? [];
        return app(
          name,
          { HALCYON_S3_BUCKET: bucket, HALCYON_S3_ACL: acl, HALCYON_S3_ENDPOINT: endpoint, HALCYON_AWS_ACCESS_KEY_ID: user },
          { hasSecret, team: acl, others: { HALCYON_URL: endpoint } },
        );
      });
      const described = describe(seen(all));
      if (described.teams.length === 0) return;
      const config = parseConfig(fileText(described, ON));
      const given = described.teams.flatMap(({ name, apps: of }) => of.map((one) => `${name}/${one.name}`));
      expect(config.teams.flatMap(({ name, apps: of }) => of.map((one) => `${name}/${one.name}`))).toEqual(given);
      expect(given.length + described.leftOut.length).toBe(all.length);
    }),
    { numRuns: 500 },
  );
});

about('values that flip', () => {
  const history = (...values: Array<string | undefined>) =>
    values.map((HALCYON_S3_ACL, at) => ({ version: at + 1, vars: { HALCYON_S3_ACL } }));
  test.each([
    ['a value that comes back', ['a', 'b', 'a'], [{ name: 'HALCYON_S3_ACL', releases: [1, 2, 3] }]],
    ['one that is taken away and put back', ['a', undefined, 'a'], [{ name: 'HALCYON_S3_ACL', releases: [1, 2, 3] }]],
    ['others in between that leave it alone', ['a', 'a', 'b', 'b', 'a'], [{ name: 'HALCYON_S3_ACL', releases: [1, 3, 5] }]],
    ['one new value after another', ['a', 'b', 'c'], []],
    ['one that stays', ['a', 'a', 'a'], []],
    ['set for a while', [undefined, 'a', undefined], []],
    ['set, unset, unset', ['a', undefined, undefined], []],
  ])('%s', (_, values, expected) => {
    expect(contestedAmong(history(...values))).toEqual(expected);
  });

  test('only releases that name config vars of ours are worth a look, and less than three are not', () => {
    const release = (version: number, description: string) => ({
      ...{ id: `${version}`, version, status: 'succeeded' as const, createdAt: '', updatedAt: '' },
      description,
    });
    const ours = [4, 3, 2].map((version) => release(version, 'Set HALCYON_S3_ACL config vars'));
    expect(worthALook([release(5, 'Deploy abcdef'), ...ours, release(1, 'Set OTHER config vars')]).map(({ version }) => version)).toEqual([
      4, 3, 2,
    ]);
    expect(worthALook(ours.slice(1))).toEqual([]);
  });
});

about('terraform show -json', () => {
  const SECRET = 'CanaryOfTerraform0123456789abcdefghijklm';
  const resources = [
    {
      type: 'heroku_app',
      values: { name: 'one', id: 'id-1', config_vars: { HALCYON_S3_ACL: 'x', OTHER: 'y' }, all_config_vars: { HALCYON_S3_BUCKET: 'z' } },
    },
    { type: 'heroku_app_config_association', values: { app_id: 'id-2', sensitive_vars: { HALCYON_AWS_SECRET_ACCESS_KEY: SECRET } } },
    { type: 'aws_s3_bucket', values: { name: 'no-app' } },
  ];
  const child = { child_modules: [{ resources: [{ type: 'heroku_app', values: { name: 'two', id: 'id-2' } }] }] };
  test.each(['values', 'planned_values'])('%s: names of apps in all modules, and what is set on them', (under) => {
    const found = readTerraform(JSON.stringify({ [under]: { root_module: { resources, child_modules: [child] } } }));
    expect(found).toEqual({
      apps: ['one', 'two'],
      sets: new Map([
        ['one', ['HALCYON_S3_ACL']],
        ['two', ['HALCYON_AWS_SECRET_ACCESS_KEY']],
      ]),
    });
  });
  test.each(['', '{', '[]', 'null', '{"values":null}', '{"values":{"root_module":{"resources":{}}}}'])(
    '%j is no reason to fall over',
    (text) => {
      let found: unknown;
      try {
        found = readTerraform(text).apps;
      } catch (error) {
        expect(error).toMatchObject({ code: 'terraform-unreadable' });
      }
      expect(found ?? []).toEqual([]);
    },
  );
  test('what is not JSON is not quoted', () => {
    expect(() => readTerraform(`{ "a": ${SECRET}`)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(SECRET) }));
  });
});
