import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig, principalOf, principalsOf, storageOf } from '../../lib/config/index.js';
import { bucketPolicy, userPolicy } from '../../lib/constructs/policies.js';
import { desiredConfigVars, principalLabel, userName, withKeyVars } from '../../lib/contract/index.js';
import { CHECKS, runChecks } from '../../lib/doctor/checks/index.js';
import type { AppFacts, BucketFacts, Observation, PrincipalFacts } from '../../lib/doctor/model.js';
import type { HerokuApp, Release } from '../../lib/heroku/heroku.js';
import type { NotedApp } from '../../lib/smoke/register.client.js';

const KEY = 'AKIACURRENT000000000';
const PRINT = 'sha256:abc';
const NOW = { id: KEY, status: 'Active' as const, createdAt: '2026-11-01T00:00:00Z', fingerprint: PRINT, stored: true };
const OURS = 'https://example.com/sigv4.tgz';
const HASKELL = 'https://github.com/mietek/haskell-on-heroku';
const CONFIG = `teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1 }
    apps:
      payments-builder: { mode: upload }
      payments-api: { mode: read-only }
signing: { version: 4, buildpack: "${OURS}" }
`;

interface Changes {
  readonly config?: string;
  readonly over?: Partial<Observation['config']>;
  readonly bucket?: Partial<BucketFacts>;
  readonly principal?: Partial<PrincipalFacts>;
  readonly app?: Partial<AppFacts>;
  readonly stack?: { exists: boolean; status?: string };
  readonly unread?: string[];
  readonly buildpack?: Observation['buildpack'];
  readonly smokeApps?: readonly NotedApp[];
  readonly strays?: readonly string[];
  readonly left?: Observation['left'];
  readonly homes?: Record<string, string[]>;
}

/** A healthy observation, but for `changes` to the bucket, to the principal `payments/upload` and to the app `payments-builder`. */
function observation(changes: Changes = {}): Observation {
  const homes = changes.homes ? { buildpackHomes: changes.homes } : {};
  const config = { permissionsBoundary: 'acme-limit', ...parseConfig(changes.config ?? CONFIG), ...homes, ...changes.over };
  const team = config.teams[0]!;
  const { spec, prefix } = team.bucket!;
  const common = { partition: 'aws', bucketName: spec.name };
  const bucket: BucketFacts = {
    ...{ name: spec.name, spec, kind: 'own', team: team.name, state: 'present', versioning: spec.versioning, unread: [] },
    ownership: spec.acl === 'bucket-owner-full-control' ? 'BucketOwnerEnforced' : 'BucketOwnerPreferred',
    publicAccess: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
    policy: bucketPolicy({ ...common, signing: config.signing.version }),
    encryption: spec.kmsKeyArn === undefined ? { algorithm: 'AES256' } : { algorithm: 'aws:kms', keyArn: spec.kmsKeyArn },
    objects: { counted: 3, more: false, crowded: [], large: [] },
    ...changes.bucket,
  };
  const principals = principalsOf(team).map((id): PrincipalFacts => {
    const policy = userPolicy({
      ...common,
      bucketAccount: spec.account,
      prefix,
      access: id.access,
      acl: spec.acl,
      region: spec.region,
    });
    return {
      ...{
        id,
        label: principalLabel(id),
        user: userName(id),
        declared: true,
        exists: true,
        secret: 'present',
        current: KEY,
        attached: [],
        versions: {},
        unread: [],
      },
      keys: [NOW],
      policies: { halcyon: policy },
      ...(id.access === 'upload' ? changes.principal : {}),
    };
  });
  const apps = team.apps.map((app): AppFacts => {
    const wanted = desiredConfigVars(storageOf(config, team, app));
    const held = Object.entries(withKeyVars(wanted, { accessKeyId: KEY, secretAccessKey: PRINT })).filter(([, value]) => value !== null);
    return {
      ...{ name: app.name, canary: app.canary, access: app.mode, user: userName(principalOf(team, app)!) },
      ...{ state: 'present', wanted, stackState: 'public', unread: [] },
      info: { name: app.name, generation: 'cedar', stack: 'heroku-24' } as HerokuApp,
      vars: Object.fromEntries(held),
      switches: { HALCYON_URL: 'https://example.com/fork' },
      buildpacks: [OURS, HASKELL],
      buildpackPlan: { urls: [OURS, HASKELL], changes: [] },
      ...{ releases: [], builds: [], oneOffs: [] },
      ...(app.name === 'payments-builder' ? changes.app : {}),
    };
  });
  return {
    ...{ config, at: '2026-11-22T00:00:00Z', buckets: [bucket] },
    teams: [
      {
        team,
        stack: { name: 'halcyon-payments', exists: true, status: 'CREATE_COMPLETE', ...changes.stack },
        principals,
        apps,
        unread: changes.unread ?? [],
        ...(changes.smokeApps === undefined ? {} : { smokeApps: changes.smokeApps }),
      },
    ],
    ...(changes.buildpack === undefined ? {} : { buildpack: changes.buildpack }),
    ...(changes.strays === undefined ? {} : { strays: changes.strays }),
    ...(changes.left === undefined ? {} : { left: changes.left }),
  };
}

const wantedVars = observation().teams[0]!.apps[0]!.vars;
const without = (name: string) => Object.fromEntries(Object.entries(wantedVars).filter(([other]) => other !== name));
const said = (changes: Changes): string[] =>
  runChecks(observation(changes)).map(({ severity, name, subject }) => `${severity} ${name}: ${subject}`);

const BUCKET = 'bucket halcyon-payments-111122223333-eu-west-1';
const UPLOAD = 'principal payments/upload';
const APP = 'app payments-builder';
const release = (version: number, description: string, status: Release['status'] = 'succeeded') =>
  ({ version, description, status }) as Release;
const DEPLOYED = [{ ...release(2, 'Deploy 0a1b2c3'), id: 'r2' }];
const with_ = (bucket: string, signing = `{ version: 4, buildpack: "${OURS}" }`) =>
  CONFIG.replace('region: eu-west-1 }', `region: eu-west-1, ${bucket} }`).replace(/signing: .*/, `signing: ${signing}`);
const HOSTED = { url: OURS, status: 200, hosted: { account: '111122223333', region: 'eu-west-1' }, unread: [] };
const OLD = { id: 'AKIAOLD', createdAt: '2026-01-01T00:00:00Z', stored: true };
const holdingOld = { vars: { ...wantedVars, HALCYON_AWS_ACCESS_KEY_ID: 'AKIAOLD', HALCYON_AWS_SECRET_ACCESS_KEY: 'sha256:old' } };

test('nothing is wrong where nothing is wrong', () => expect(runChecks(observation())).toEqual([]));

const TABLE: Array<[what: string, changes: Changes, ...findings: string[]]> = [
  ['a bucket that is gone', { bucket: { state: 'gone' } }, `broken bucket-gone: ${BUCKET}`],
  ['a bucket of someone else', { bucket: { state: 'forbidden' } }, `broken bucket-forbidden: ${BUCKET}`],
  ['a bucket elsewhere', { bucket: { state: 'elsewhere', region: 'us-east-2' } }, `broken wrong-endpoint: ${BUCKET}`],
  ['a bucket that cannot be read', { bucket: { state: 'unknown', unread: ['the bucket itself: no'] } }, `warning not-checked: ${BUCKET}`],
  [
    'private on a bucket without ACLs',
    { config: with_('acl: private'), bucket: { ownership: 'BucketOwnerEnforced' } },
    `broken acl-refused: ${BUCKET}`,
  ],
  ['public-read on a bucket that blocks it', { config: with_('acl: public-read, allowPublicRead: true') }, `broken acl-refused: ${BUCKET}`],
  [
    'public-read on a bucket that is made for it',
    {
      config: with_('acl: public-read, allowPublicRead: true'),
      bucket: { publicAccess: { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: true, RestrictPublicBuckets: true } },
    },
  ],
  ['other ownership', { bucket: { ownership: 'ObjectWriter' } }, `warning ownership-drift: ${BUCKET}`],
  ['no ownership', { bucket: { ownership: null } }, `info ownership-unset: ${BUCKET}`],
  ['other ownership of an existing bucket', { bucket: { ownership: 'ObjectWriter', kind: 'existing' } }],
  ['Block Public Access gone', { bucket: { publicAccess: null } }, `warning public-access-open: ${BUCKET}`],
  [
    'Block Public Access off on an existing bucket',
    { bucket: { publicAccess: null, kind: 'existing' } },
    `info public-access-open: ${BUCKET}`,
  ],
  ['no bucket policy', { bucket: { policy: null } }, `warning bucket-policy-drift: ${BUCKET}`],
  ['no bucket policy on an existing bucket', { bucket: { policy: null, kind: 'existing' } }],
  ['versioning switched on', { bucket: { versioning: true } }, `warning versioning-drift: ${BUCKET}`],
  [
    'a KMS key that the file does not know',
    { bucket: { encryption: { algorithm: 'aws:kms', keyArn: 'arn:k' } } },
    `broken kms-denies: ${BUCKET}`,
  ],
  ['S3’s own KMS key', { bucket: { encryption: { algorithm: 'aws:kms' } } }],
  [
    'KMS under version 2',
    { config: with_('acl: private', '{ version: 2, acknowledgeV2: true }'), bucket: { encryption: { algorithm: 'aws:kms' } } },
    `broken sigv2-refused: ${BUCKET}`,
  ],
  [
    'another KMS key than the file says',
    { config: with_('kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0b1c"'), bucket: { encryption: { algorithm: 'AES256' } } },
    `warning encryption-drift: ${BUCKET}`,
  ],
  [
    'many and large objects',
    {
      bucket: {
        objects: {
          counted: 50_000,
          more: true,
          crowded: [
            { prefix: 'a/halcyon-install-', keys: 1001 },
            { prefix: 'b/halcyon-sandbox-', keys: 2000 },
          ],
          large: [{ key: 'a/x', bytes: 4.7 * 1024 ** 3 }],
        },
      },
    },
    `warning listing-cut: ${BUCKET}`,
    `warning listing-cut: ${BUCKET}`,
    `warning archive-near-limit: ${BUCKET}`,
    `info objects-not-counted: ${BUCKET}`,
  ],

  ['a stack that is missing', { stack: { exists: false }, principal: { exists: false } }, 'broken stack-missing: stack halcyon-payments'],
  [
    'a stack that was rolled back',
    { stack: { exists: true, status: 'UPDATE_ROLLBACK_COMPLETE' } },
    'warning stack-unfinished: stack halcyon-payments',
  ],
  [
    'a user that is missing',
    { principal: { exists: false, keys: [], current: undefined, policies: undefined } },
    `broken user-missing: ${UPLOAD}`,
  ],
  ['a secret that is missing', { principal: { secret: 'missing', current: undefined } }, `broken secret-missing: ${UPLOAD}`],
  ['an empty secret', { principal: { secret: 'empty', current: undefined, keys: [] } }, `broken key-missing: ${UPLOAD}`],
  ['a current key that was deleted', { principal: { keys: [] } }, `broken key-unknown: ${UPLOAD}`],
  ['a current key that is inactive', { principal: { keys: [{ ...NOW, status: 'Inactive' }] } }, `broken key-inactive: ${UPLOAD}`],
  ['a stranger’s key', { principal: { keys: [NOW, { ...OLD, status: 'Active', stored: false }] } }, `warning unknown-key: ${UPLOAD}`],
  ['an old key that soaks', { principal: { keys: [NOW, { ...OLD, status: 'Inactive' }] } }],
  ['a pending key', { principal: { pending: 'AKIANEW', keys: [NOW, { ...NOW, id: 'AKIANEW' }] } }, `info rotation-unfinished: ${UPLOAD}`],
  [
    'a quarantined user, whose policy is not to be detached',
    { principal: { quarantined: true, attached: ['policy AWSCompromisedKeyQuarantineV3'] } },
    `broken user-quarantined: ${UPLOAD}`,
  ],
  ['a principal nobody needs', { principal: { declared: false } }, `info principal-left: ${UPLOAD}`],
  [
    'a principal nobody needs, whose key soaks',
    { principal: { declared: false, current: undefined, keys: [{ ...OLD, status: 'Inactive', inactiveSince: OLD.createdAt }] } },
  ],
  ['a user policy that is gone', { principal: { policies: {} } }, `broken user-policy-drift: ${UPLOAD}`],
  [
    'a user policy that was changed',
    { principal: { policies: { halcyon: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } } } },
    `broken user-policy-drift: ${UPLOAD}`,
    `warning user-policy-extra: ${UPLOAD}`,
  ],
  ['an attached policy', { principal: { attached: ['policy AdministratorAccess'] } }, `warning user-policy-extra: ${UPLOAD}`],
  [
    'what could not be read of a principal',
    { principal: { secret: 'unknown', current: undefined, unread: ['a: b'] } },
    `warning not-checked: ${UPLOAD}`,
  ],
  [
    'what could not be read of a team',
    { unread: ['IAM users: no', 'its stack: no'] },
    'warning not-checked: team payments',
    'warning not-checked: team payments',
  ],

  [
    'a key that may too much',
    {
      principal: {
        probe: {
          context: { bucket: 'b', endpoint: 'e', region: 'r', signing: 4 },
          results: [
            { operation: 'upload', status: 200, expected: 'denied' },
            { operation: 'delete', status: 403, error: { code: 'AccessDenied' }, expected: 'denied' },
          ],
        },
      },
    },
    `broken access-too-wide: ${UPLOAD}`,
  ],
  [
    'an object that the write probe could not remove',
    {
      principal: {
        probe: { context: { bucket: 'b', endpoint: 'e', region: 'r', signing: 4 }, results: [], left: 'not allowed to remove x' },
      },
    },
    `warning probe-left: ${UPLOAD}`,
  ],
  [
    'a refusal that was to be, but for another reason',
    {
      principal: {
        probe: {
          context: { bucket: 'b', endpoint: 'e', region: 'r', signing: 2 },
          results: [
            {
              operation: 'upload',
              status: 400,
              error: { code: 'InvalidRequest', message: 'Please use AWS4-HMAC-SHA256.' },
              expected: 'denied',
            },
          ],
        },
      },
    },
    'broken sigv2-refused: bucket b',
  ],
  [
    'private on a bucket without ACLs, where an upload was accepted all the same',
    {
      config: with_('acl: private'),
      bucket: { ownership: 'BucketOwnerEnforced', kind: 'existing' },
      principal: {
        probe: {
          context: { bucket: BUCKET.slice('bucket '.length), endpoint: 'e', region: 'r', signing: 4, acl: 'private' },
          results: [{ operation: 'upload', status: 200, expected: 'allowed' }],
        },
      },
    },
  ],
  [
    'a busy S3',
    {
      principal: {
        probe: {
          context: { bucket: 'b', endpoint: 'e', region: 'r', signing: 4 },
          results: [{ operation: 'list', status: 503, error: { code: 'SlowDown' }, expected: 'allowed' }],
        },
      },
    },
    'warning throttled: bucket b',
  ],

  [
    'a clock that is ten minutes off',
    {
      principal: {
        probe: {
          context: { bucket: 'b', endpoint: 'e', region: 'r', signing: 4 },
          results: [{ operation: 'list', status: 200, clockAheadMs: -600_000, expected: 'allowed' }],
        },
      },
    },
    'warning clock-skew: this machine',
  ],
  [
    'a smoke deploy that was killed, also by its name alone, and one that runs',
    {
      smokeApps: [
        { name: 'halcyon-smoke-aaaaaaaa', running: false },
        { name: 'halcyon-smoke-bbbbbbbb', running: true },
      ],
      strays: ['halcyon-smoke-aaaaaaaa', 'halcyon-smoke-bbbbbbbb', 'halcyon-smoke-cccccccc'],
    },
    'warning smoke-app-left: app halcyon-smoke-aaaaaaaa',
    'warning smoke-app-left: app halcyon-smoke-cccccccc',
    'info smoke-app-running: app halcyon-smoke-bbbbbbbb',
  ],
  ['an app that is missing', { app: { state: 'missing', vars: {}, info: undefined } }, `broken app-not-found: ${APP}`],
  ['an app on the stack cnb', { app: { info: { name: 'x', generation: 'cedar', stack: 'cnb' } as HerokuApp } }, `broken app-cnb: ${APP}`],
  ['packages that expire by age', { config: with_('retention: { expireAfterDays: 90 }') }, `warning packages-expire: ${BUCKET}`],
  [
    'a buildpack alone',
    { app: { lastBuild: { releaseId: 'r2', buildpackOnly: true }, releases: DEPLOYED } },
    `broken buildpack-only: ${APP}`,
  ],
  [
    'a buildpack alone, and back since',
    {
      app: { lastBuild: { releaseId: 'r2', buildpackOnly: true }, releases: [{ ...release(3, 'Rollback to v1'), id: 'r3' }, ...DEPLOYED] },
    },
  ],
  [
    'a buildpack alone, after an older rollback',
    {
      app: {
        lastBuild: { releaseId: 'r2', buildpackOnly: true },
        releases: [...DEPLOYED, { ...release(1, 'Rollback to v0'), id: 'r1' }],
      },
    },
    `broken buildpack-only: ${APP}`,
  ],
  ['nothing to run, and no log that says why', { app: { processTypes: [], releases: DEPLOYED } }, `broken buildpack-only: ${APP}`],
  ['nothing to run, as nothing was ever deployed', { app: { processTypes: [], releases: [release(1, 'Initial release')] } }],
  [
    'an install archive that is gone',
    { app: { lastBuild: { buildpackOnly: false, install: 's3://b/k', stored: false } } },
    `warning install-archive-missing: ${APP}`,
  ],
  ['an install archive that is there', { app: { lastBuild: { buildpackOnly: false, install: 's3://b/k', stored: true } } }],
  [
    'an install archive that a read-only app never made',
    { app: { access: 'read-only', lastBuild: { buildpackOnly: false, install: 's3://b/k', stored: false } } },
  ],
  ['an old stack', { app: { stackState: 'deprecated' } }, `warning stack-old: ${APP}`],
  ['upstream on a stack without GHC', { app: { switches: {} } }, `info stack-without-ghc: ${APP}`],
  ['a config var that is missing', { app: { vars: without('HALCYON_S3_BUCKET') } }, `broken config-vars-differ: ${APP}`],
  ['no key at all', { app: { vars: {} } }, `broken config-vars-differ: ${APP}`],
  [
    'HALCYON_NO_UPLOAD where uploads are wanted',
    { app: { vars: { ...wantedVars, HALCYON_NO_UPLOAD: '1' } } },
    `broken config-vars-differ: ${APP}`,
  ],
  [
    'an older key that is active',
    { app: holdingOld, principal: { keys: [NOW, { ...OLD, status: 'Active' }] } },
    `warning key-not-current: ${APP}`,
  ],
  [
    'an older key that is inactive',
    { app: holdingOld, principal: { keys: [NOW, { ...OLD, status: 'Inactive' }] } },
    `broken key-inactive: ${APP}`,
  ],
  ['a key that AWS does not know', { app: holdingOld }, `broken key-unknown: ${APP}`],
  [
    'a retired key by a rollback',
    {
      app: {
        ...holdingOld,
        releases: [release(9, 'Deploy 1234'), release(8, 'Rollback to v3'), release(7, 'Set HALCYON_AWS_ACCESS_KEY_ID config vars')],
      },
    },
    `broken rolled-back-key: ${APP}`,
  ],
  [
    'a retired key that was set after a rollback',
    {
      app: {
        ...holdingOld,
        releases: [release(9, 'Set HALCYON_AWS_ACCESS_KEY_ID, HALCYON_AWS_SECRET_ACCESS_KEY config vars'), release(8, 'Rollback to v3')],
      },
    },
    `broken key-unknown: ${APP}`,
  ],
  [
    'switches that are left on',
    {
      app: {
        switches: { HALCYON_URL: 'x', HALCYON_PURGE_CACHE: '1', HALCYON_NO_BUILD_DEPENDENCIES: '1', HALCYON_NO_PRIVATE_STORAGE: '1' },
      },
    },
    `broken private-storage-off: ${APP}`,
    `warning purge-cache-left: ${APP}`,
    `warning no-build-dependencies-left: ${APP}`,
  ],
  ['a switch that says 0', { app: { switches: { HALCYON_URL: 'x', HALCYON_PURGE_CACHE: '0' } } }],
  [
    'another version of the SigV4 buildpack',
    { app: { buildpackPlan: { urls: [], changes: [{ action: 'replace', url: OURS, from: 'https://old', reason: '' }] } } },
    `warning sigv4-buildpack-other: ${APP}`,
  ],
  [
    'things in flight',
    {
      app: {
        builds: [{ id: 'b1', status: 'pending', createdAt: 'T', updatedAt: 'T' }],
        oneOffs: [{ name: 'run.1', type: 'run', state: 'up', releaseVersion: 3, createdAt: 'T', command: 'x' }],
        releases: [release(4, 'Deploy', 'pending')],
      },
    },
    `info build-in-flight: ${APP}`,
    `info dyno-in-flight: ${APP}`,
    `info release-pending: ${APP}`,
  ],
  [
    'what could not be read of an app',
    { app: { state: 'unreadable', vars: {}, switches: {}, unread: ['config vars: no'] } },
    `warning not-checked: ${APP}`,
  ],
  ['an app that may not be used', { app: { state: 'unreadable', vars: {}, info: undefined } }, `broken app-forbidden: ${APP}`],
  [
    'a secret that is not that of the key',
    { app: { vars: { ...wantedVars, HALCYON_AWS_SECRET_ACCESS_KEY: 'sha256:other' } } },
    `broken config-vars-differ: ${APP}`,
  ],
  ['a buildpack that is not served', { buildpack: { url: OURS, unread: [], status: 403 } }, 'broken buildpack-not-served: buildpack'],
  [
    'a buildpack that cannot be reached',
    { buildpack: { url: OURS, unread: [], failure: 'ENOTFOUND' } },
    'broken buildpack-not-served: buildpack',
  ],
  ['a hosted buildpack', { buildpack: HOSTED }, 'info buildpack-home: buildpack'],
  [
    'an account that lets nothing more be made public',
    { buildpack: { ...HOSTED, blocks: ['BlockPublicPolicy'] } },
    'warning account-blocks-public: buildpack',
    'info buildpack-home: buildpack',
  ],
  [
    'an account that lets nobody in',
    { buildpack: { ...HOSTED, blocks: ['BlockPublicPolicy', 'RestrictPublicBuckets'] } },
    'broken account-blocks-public: buildpack',
    'info buildpack-home: buildpack',
  ],
  [
    'earlier homes of the buildpack',
    { buildpack: HOSTED, homes: { '111122223333': ['eu-west-1', 'us-east-1', 'sa-east-1'] } },
    'warning buildpack-home-left: buildpack',
    'warning buildpack-home-left: buildpack',
    'info buildpack-home: buildpack',
  ],
  [
    'an account whose settings may not be read',
    { buildpack: { ...HOSTED, unread: ['Block Public Access of the account: no'] } },
    'warning not-checked: buildpack',
    'info buildpack-home: buildpack',
  ],
  ['a buildpack that is served', { buildpack: { url: OURS, unread: [], status: 200 } }],
];

test.each(TABLE)('%s', (_, changes, ...findings) => expect(said(changes)).toEqual(findings));

test('every finding says what a build log shows and what mends it', () => {
  for (const [, changes] of TABLE) {
    for (const finding of runChecks(observation(changes))) {
      expect(finding.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(finding.looksLike.length).toBeGreaterThan(0);
      expect(finding.fix.length).toBeGreaterThan(0);
      expect(finding.message).not.toMatch(/\.$|^[A-Z][a-z]+ [a-z]+ [a-z]+ is/);
      expect(finding.message).not.toContain('sha256:');
    }
  }
});

describe('of config vars', () => {
  const message = (vars: Record<string, string>) =>
    runChecks(observation({ app: { vars } })).find(({ name }) => name === 'config-vars-differ');
  test('what differs is named, a secret without its value', () => {
    expect(message({ ...wantedVars, HALCYON_S3_ACL: 'private', HALCYON_AWS_SECRET_ACCESS_KEY: 'sha256:other' })?.message).toBe(
      'HALCYON_AWS_SECRET_ACCESS_KEY is not that of its key; HALCYON_S3_ACL is "private", should be "bucket-owner-full-control"',
    );
  });
  test('what it looks like depends on which', () => {
    expect(message(without('HALCYON_S3_BUCKET'))?.looksLike).toContain('External storage');
    expect(message({ ...wantedVars, HALCYON_S3_ENDPOINT: 's3.amazonaws.com' })?.looksLike).toContain('Incorrect HALCYON_S3_ENDPOINT');
    expect(message({ ...wantedVars, HALCYON_NO_UPLOAD: '1' })?.looksLike).toContain('no "Uploading');
    expect(message({ ...wantedVars, HALCYON_S3_ACL: 'private' })?.looksLike).toContain('Uploading');
  });
});

test('the worst comes first', () => {
  const severities = runChecks(
    observation({
      bucket: { state: 'gone' },
      app: { stackState: 'deprecated', builds: [{ id: 'b', status: 'pending', createdAt: 'T', updatedAt: 'T' }] },
    }),
  ).map(({ severity }) => severity);
  expect(severities).toEqual(['broken', 'warning', 'info']);
});

test('checks change nothing of what they judge', () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  const frozen = freeze(observation({ bucket: { state: 'gone' } }));
  for (const check of CHECKS) expect(() => check(frozen)).not.toThrow();
});

test('docs/doctor.md names every finding that the tests have seen', () => {
  const documented = new Set(readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8').match(/`[a-z0-9-]+`/g));
  const seen = new Set(TABLE.flatMap(([, changes]) => runChecks(observation(changes)).map(({ name }) => `\`${name}\``)));
  expect(seen.size).toBeGreaterThan(30);
  expect([...seen].filter((name) => !documented.has(name))).toEqual([]);
});

test('users without a boundary, as a word to who runs the kit', () => {
  const of = (changes: Changes) => runChecks(observation(changes)).map(({ name, severity }) => `${severity} ${name}`);
  expect(of({ over: { permissionsBoundary: undefined } })).toEqual(['info no-permissions-boundary']);
  expect(of({})).toEqual([]);
});

test('a hosted buildpack that was swapped is broken, whatever else is well', () => {
  const url = `https://s3.eu-west-1.amazonaws.com/b/buildpack/halcyon-sigv4-${'0'.repeat(64)}.tgz`;
  const findings = runChecks(observation({ buildpack: { url, status: 200, unread: [], tampered: 'f'.repeat(64) } }));
  expect(findings.map(({ name, severity }) => `${severity} ${name}`)).toEqual(['broken buildpack-tampered']);
});

test('what an earlier file left behind is found, with what mends it, and breaks nothing', () => {
  const left = {
    ...{ account: '111122223333', unread: 'no such right' },
    teams: [{ team: 'old', users: ['halcyon.team.old.upload.abcdef'] }],
    stacks: [{ name: 'halcyon-old', region: 'eu-west-2', team: 'old' }],
    buckets: [{ name: 'halcyon-old-111122223333-eu-west-2', region: 'eu-west-2', team: 'old' }],
  };
  expect(runChecks(observation({ left })).map(({ name, severity, subject }) => [name, severity, subject])).toEqual([
    ['team-left', 'warning', 'team old'],
    ['stack-left', 'warning', 'stack halcyon-old in eu-west-2'],
    ['not-checked', 'warning', 'what an earlier file left behind'],
    ['bucket-left', 'info', 'bucket halcyon-old-111122223333-eu-west-2'],
  ]);
});
