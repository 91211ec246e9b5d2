import type { ErrorCode } from '../../lib/error-codes.js';
import { describe, expect, test } from 'vitest';
import { parseConfig, principalsOf } from '../../lib/config/index.js';
import { iamPath, STAGES, userName, type PrincipalId } from '../../lib/contract/index.js';
import { appFacts } from '../../lib/doctor/apps.client.js';
import { Reader } from '../../lib/doctor/reader.js';
import { observePrincipal, principalsAmong } from '../../lib/engine/run/observe.client.js';
import { fingerprint, Vault } from '../../lib/engine/run/vault.js';
import { KitError } from '../../lib/errors.js';
import type { Heroku, HerokuApp } from '../../lib/heroku/heroku.js';

const config = parseConfig(`teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1 }
    apps: { payments-builder: { mode: upload }, payments-api: { mode: read-only } }
signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`);
const team = config.teams[0]!;
const SECRET = 'the-secret-that-the-app-holds';
const refused = (code: ErrorCode) => () => Promise.reject(new KitError(code, `${code}, said Heroku`));

describe('what Heroku tells of an app', () => {
  /** `payments-builder` answers as `changes` say, `payments-api` as it should. */
  async function facts(changes: Record<string, unknown> = {}) {
    const answers = {
      app: async (name: string) => ({ name, generation: 'cedar', stack: 'heroku-24' }) as HerokuApp,
      configVars: async () => ({
        HALCYON_AWS_ACCESS_KEY_ID: 'AKIA',
        HALCYON_AWS_SECRET_ACCESS_KEY: SECRET,
        HALCYON_PURGE_CACHE: '1',
        HALCYON_SSH_PRIVATE_KEY: 'of no concern',
        DATABASE_URL: 'of no concern',
      }),
      buildpacks: async () => [],
      releases: async () => [],
      builds: async () => [],
      dynos: async () => [],
      processTypes: async () => ['web'],
      followStream: async () => undefined,
    };
    const heroku = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [
        name,
        (app: string) => ((app === 'payments-builder' && (changes[name] as typeof answer)) || answer)(app),
      ]),
    ) as unknown as Heroku;
    const held = new Map<string, { accessKeyId: string; secretAccessKey: string }>();
    const [builder, api] = await appFacts({
      config,
      heroku,
      team,
      held,
      buildpacks: new Map(),
      stacks: new Map([['heroku-24', 'public']]),
    });
    expect(api).toMatchObject({ state: 'present', unread: [] });
    expect(JSON.stringify([builder, api])).not.toContain(SECRET);
    return { ...builder!, held: held.get('payments-builder') };
  }

  test('our config vars, the switches asked for, and nothing of its own', async () => {
    const { vars, switches, held, stackState } = await facts();
    expect(vars).toEqual({ HALCYON_AWS_ACCESS_KEY_ID: 'AKIA', HALCYON_AWS_SECRET_ACCESS_KEY: fingerprint(SECRET) });
    expect(switches).toEqual({ HALCYON_PURGE_CACHE: '1' });
    expect(held).toEqual({ accessKeyId: 'AKIA', secretAccessKey: SECRET });
    expect(stackState).toBe('public');
  });

  test.each([
    ['configVars', 'config vars', { state: 'unreadable', vars: {} }],
    ['buildpacks', 'buildpacks', { state: 'present', buildpacks: undefined }],
    ['releases', 'releases', { state: 'present', releases: undefined }],
    ['builds', 'builds', { state: 'present', builds: undefined }],
    ['dynos', 'dynos', { state: 'present', oneOffs: undefined }],
    ['processTypes', 'process types', { state: 'present', processTypes: undefined }],
  ] as const)('%s that cannot be read are noted, and the rest is read', async (call, what, expected) => {
    const seen = await facts({ [call]: refused('heroku-unavailable') });
    expect(seen).toMatchObject({ ...expected, unread: [`${what}: heroku-unavailable, said Heroku`] });
    expect(seen.info?.stack).toBe('heroku-24');
  });

  test.each([
    ['app-not-found', 'missing'],
    ['heroku-forbidden', 'unreadable'],
  ] as const)('%s: the app is %s, and that is all', async (code, state) => {
    const seen = await facts({ app: refused(code), configVars: refused(code) });
    expect(seen).toMatchObject({ state, problem: `${code}, said Heroku`, unread: [] });
    expect(seen.info).toBeUndefined();
  });

  test('a Heroku that cannot be spoken to ends it', async () => {
    await expect(facts({ app: refused('heroku-unauthorized') })).rejects.toMatchObject({ code: 'heroku-unauthorized' });
  });
});

describe('what AWS tells of a principal', () => {
  const [id, readOnly] = principalsOf(team).map(({ apps: _, ...one }) => one) as [PrincipalId, PrincipalId];
  const key = { id: 'AKIA', status: 'Active', createdAt: '2026-01-01T00:00:00.000Z' } as const;
  const users = [{ name: userName(id), path: iamPath('upload', 'payments'), tags: {}, keys: [key] }];
  const [absent, upload] = principalsAmong(team, users);
  const denied = { read: () => Promise.reject(new KitError('aws-denied', 'no')) };

  test('the users there are, and those the file wants', () => {
    expect(readOnly.access).toBe('read-only');
    expect(absent).toEqual({ id: readOnly, declared: true });
    expect(upload).toEqual({ id, declared: true, record: users[0] });
  });

  test('a secret that cannot be read ends the engine’s look', async () => {
    await expect(observePrincipal(upload!, { secretsIn: () => denied, vault: new Vault() })).rejects.toMatchObject({ code: 'aws-denied' });
  });

  test('and is noted by the doctor, which knows the keys all the same', async () => {
    const { read, unread } = new Reader();
    const state = await observePrincipal(upload!, { secretsIn: () => denied, vault: new Vault(), read });
    expect(state).toMatchObject({ exists: true, secret: 'unknown', keys: [{ ...key, stored: false }] });
    expect(unread).toEqual([`secret halcyon/payments/upload/${id.reach}: no`]);
  });

  test.each([
    ['missing', undefined],
    ['empty', []],
    ['present', [{ versionId: 'v', stages: [STAGES.current], keyId: 'AKIA', secret: SECRET }]],
  ])('a secret that is %s', async (secret, versions) => {
    const vault = new Vault();
    const state = await observePrincipal(upload!, { secretsIn: () => ({ read: async () => versions }), vault });
    expect(state).toMatchObject({ secret, ...(versions?.[0] ? { current: 'AKIA', keys: [{ fingerprint: fingerprint(SECRET) }] } : {}) });
    expect(JSON.stringify(state)).not.toContain(SECRET);
  });
});

test('an abort ends every read', async () => {
  const { read, unread } = new Reader(AbortSignal.abort());
  await expect(read('anything', async () => 1)).rejects.toThrow();
  expect(unread).toEqual([]);
});

test('what is not there is null, and nothing is noted', async () => {
  const reader = new Reader();
  const gone = () => Promise.reject(Object.assign(new Error('none'), { name: 'NoSuchBucketPolicy' }));
  expect(await reader.readIfAny('policy', 'bucket policy', gone)).toBeNull();
  expect(reader.unread).toEqual([]);
  expect(await reader.readIfAny('policy', 'bucket tags', gone)).toBeUndefined();
  expect(reader.unread).toEqual(['policy: NoSuchBucketPolicy: none']);
});
