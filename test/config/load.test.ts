import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, parseConfig, principalsOf, storageOf } from '../../lib/config/index.js';
import { jsonSchema, schemaText } from '../../lib/config/schema.js';
import { SCHEMA_PATH, starterFile } from '../../lib/config/starter.js';
import { MODES } from '../../lib/contract/index.js';
import { networkOf } from '../../lib/network/network.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const editor = new Ajv({ strict: true }).compile(jsonSchema());

describe('loading', () => {
  test('a file that is not there is said so, with what to do', async () => {
    await expect(loadConfig('/nonexistent/halcyon.yaml')).rejects.toMatchObject({
      code: 'config-not-found',
      message: 'there is no /nonexistent/halcyon.yaml; make one with "halcyon-kit init", or name it with --config FILE',
    });
  });

  test('a directory is not a file', async () => {
    await expect(loadConfig(tmpdir())).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringMatching(/: it is a directory; name the file in it$/),
    });
  });

  test('the file is remembered by its absolute path, and named in problems', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'halcyon-config-')), 'kit.yaml');
    writeFileSync(file, starterFile());
    expect((await loadConfig(file)).file).toBe(file);
    writeFileSync(file, 'teams: 5\n');
    await expect(loadConfig(file)).rejects.toThrow(`${file}:1:8  teams: must be a mapping of names to values, got 5`);
  });
});

describe('defaults', () => {
  const config = parseConfig(`
buckets:
  common: { account: "111122223333", region: us-east-1, acl: private, tags: { a: shared } }
teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1, tags: { a: own } }
    publicStorage: fallback
    tags: { a: team, b: team }
    apps:
      payments-api: { mode: read-only }
      payments-builder: { mode: upload }
      payments-lab: { mode: public }
  search:
    bucket: { shared: common, prefix: search }
    apps: { search-web: { mode: upload, clean: false } }
  legacy:
    bucket: { existing: old-bucket, account: "444455556666", region: us-west-2, prefix: a/b }
    credentials: per-app
    apps: { legacy-a: { mode: upload }, legacy-b: { mode: upload } }
  lab:
    apps: { lab-web: { mode: public } }
`);
  const [payments, search, legacy, lab] = config.teams;

  test('a bucket of its own is private, kept, and named after team, account and region', () => {
    expect(payments!.bucket).toEqual({
      kind: 'own',
      spec: {
        name: 'halcyon-payments-111122223333-eu-west-1',
        account: '111122223333',
        region: 'eu-west-1',
        acl: 'bucket-owner-full-control',
        allowPublicRead: false,
        versioning: false,
        retention: { retain: true, noncurrentDays: 30 },
        tags: { a: 'own', b: 'team' },
      },
    });
  });

  test('a team that had another name keeps the bucket of that name, unless the file names one', () => {
    const renamed = (bucket: string) =>
      parseConfig(`deployment: acme\nteams: { new: { was: old, bucket: { ${bucket} }, apps: { new-web: { mode: upload } } } }\n`).teams[0];
    const place = 'account: "111122223333", region: eu-west-1';
    expect(renamed(place)).toMatchObject({
      was: 'old',
      deployment: 'acme',
      bucket: { spec: { name: 'halcyon-old-111122223333-eu-west-1' } },
    });
    expect(renamed(`${place}, name: packages`)?.bucket?.spec.name).toBe('packages');
  });

  test('a shared bucket lends its place to its teams', () => {
    expect(search!.bucket).toEqual({
      kind: 'shared',
      shared: 'common',
      prefix: 'search',
      spec: {
        name: 'halcyon-common-111122223333-us-east-1',
        account: '111122223333',
        region: 'us-east-1',
        acl: 'private',
        allowPublicRead: false,
        versioning: false,
        retention: { retain: true, noncurrentDays: 30 },
        tags: { a: 'shared' },
      },
    });
    expect(config.buckets).toEqual([{ id: 'common', ...search!.bucket!.spec }]);
  });

  test('an existing bucket keeps its name', () => {
    expect(legacy!.bucket).toMatchObject({ kind: 'existing', prefix: 'a/b', spec: { name: 'old-bucket', account: '444455556666' } });
  });

  test('a team of public apps has no bucket and no principals', () => {
    expect(lab!.bucket).toBeUndefined();
    expect(principalsOf(lab!)).toEqual([]);
  });

  test('public packages are a fallback for uploading apps only', () => {
    expect(payments!.apps.map(({ name, publicStorage }) => [name, publicStorage])).toEqual([
      ['payments-api', 'never'],
      ['payments-builder', 'fallback'],
      ['payments-lab', 'never'],
    ]);
  });

  test('signing is version 4 with a hosted buildpack, and haskell-on-heroku is the original and not installed', () => {
    expect(config.signing).toEqual({ version: 4, buildpack: 'hosted', acknowledgeV2: false });
    expect(config.buildpack).toEqual({ install: false, url: 'https://github.com/mietek/haskell-on-heroku' });
  });

  test('principals: one a mode, or one an app', () => {
    expect(principalsOf(payments!).map(({ access, apps }) => [access, apps])).toEqual([
      ['read-only', ['payments-api']],
      ['upload', ['payments-builder']],
    ]);
    expect(principalsOf(search!)).toEqual([
      { team: 'search', access: 'append-only', reach: expect.stringMatching(/^[0-9a-f]{6}$/), apps: ['search-web'] },
    ]);
    expect(principalsOf(legacy!).map(({ app }) => app)).toEqual(['legacy-a', 'legacy-b']);
  });

  test('the endpoint is the region’s own, unless the environment aims elsewhere', () => {
    const of = (env: NodeJS.ProcessEnv) => storageOf({ ...config, s3Url: networkOf(env).s3Url }, payments!, payments!.apps[0]!).endpoint;
    expect(of({})).toBe('s3.eu-west-1.amazonaws.com');
    expect(of({ AWS_ENDPOINT_URL: 'https://localhost:4566' })).toBe('localhost:4566');
    expect(of({ AWS_ENDPOINT_URL: 'https://localhost:4566', AWS_ENDPOINT_URL_S3: 'https://s3.local' })).toBe('s3.local');
  });

  test('a store that is not AWS may name its region as it likes', () => {
    const text =
      'teams:\n  lab:\n    bucket: { existing: abc, account: "111122223333", region: auto, endpoint: "r2.example.com:8443" }\n    apps: { lab-web: { mode: upload } }\n';
    expect(parseConfig(text).teams[0]!.bucket!.spec).toMatchObject({ region: 'auto', endpoint: 'r2.example.com:8443' });
  });

  test('shared buckets alone are a valid file', () => {
    expect(parseConfig('buckets:\n  common: { account: "111122223333", region: us-east-1 }\n').teams).toEqual([]);
  });
});

describe('what is shipped beside it', () => {
  test('the JSON Schema in schema/ is current (npm run schema)', () => {
    expect(readFileSync(join(root, 'schema/halcyon.schema.json'), 'utf8')).toBe(schemaText());
  });

  test('every setting has a description, for editors', () => {
    const bare: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string): void => {
      for (const [name, child] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof child.description !== 'string') bare.push(`${path}.${name}`);
        walk(child, `${path}.${name}`);
      }
      if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties as Record<string, unknown>, `${path}.*`);
      for (const option of (schema.anyOf ?? []) as Array<Record<string, unknown>>) walk(option, path);
    };
    walk(jsonSchema(), '');
    expect(bare).toEqual([]);
  });

  const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'));
  test.each(examples)('examples/%s is valid, for the kit and for editors', (name) => {
    const text = readFileSync(join(root, 'examples', name), 'utf8');
    expect(parseConfig(text, name).teams.length).toBeGreaterThan(0);
    expect(editor(parse(text))).toBe(true);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/halcyon.schema.json');
  });

  test('the starter file is valid as it is, and with what is known', () => {
    expect(parseConfig(starterFile()).teams[0]).toMatchObject({ name: 'my-team', apps: [{ name: 'my-team-app', mode: 'upload' }] });
    const text = starterFile({
      account: '012345678901',
      region: 'eu-north-1',
      team: 'acme',
      apps: MODES.map((mode, i) => ({ name: `acme-${'x'.repeat(i * 3)}app`, mode })),
    });
    expect(parseConfig(text).teams[0]).toMatchObject({
      name: 'acme',
      bucket: { kind: 'own', spec: { account: '012345678901', region: 'eu-north-1' } },
      apps: [{ mode: 'public' }, { mode: 'read-only' }, { mode: 'upload' }],
    });
    expect(text).not.toContain('$schema');
    expect(starterFile({ schema: SCHEMA_PATH })).toBe(`# yaml-language-server: $schema=${SCHEMA_PATH}\n${starterFile()}`);
    expect(text).not.toContain('EDIT');
  });

  test('the starter file’s commented settings are valid once uncommented', () => {
    const text = starterFile().replaceAll(/^( *)# (versioning|retention|heroku|credentials):/gm, '$1$2:');
    expect(parseConfig(text).teams[0]).toMatchObject({
      credentials: 'per-app',
      heroku: { team: 'acme' },
      bucket: { spec: { versioning: true } },
    });
  });
});
