import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  DeleteUserPolicyCommand,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetBucketPolicyCommand,
  ListObjectsV2Command,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { publishBuildpack } from '../../lib/buildpack/publish.client.js';
import { buildpacksWanted, signingBuildpackUrl } from '../../lib/buildpack/signing.js';
import { parseConfig, teamNamed, type KitConfig } from '../../lib/config/index.js';
import { buildpackBucketName, secretName, userName, type Access } from '../../lib/contract/index.js';
import { runTeam } from '../../lib/engine/index.js';
import { runDoctor, type DoctorReport } from '../../lib/doctor/index.js';
import type { Finding } from '../../lib/doctor/model.js';
import { observeBuildpacks, syncBuildpacks } from '../../lib/heroku/buildpacks.sync.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';
import { tarball } from '../../lib/tarball.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { deployAll } from '../support/deploy.js';
import { principalIn } from '../support/principals.js';
import { variant } from '../support/variant.js';

const REGION = 'eu-west-1';
const CONFIG = `buckets:
  common: { account: "111122223333", region: us-east-1 }
teams:
  payments:
    bucket: { account: "111122223333", region: ${REGION} }
    apps:
      payments-builder: { mode: upload }
      payments-api: { mode: read-only }
      payments-lab: { mode: public }
  search:
    bucket: { shared: common, prefix: search/prod }
    credentials: per-app
    apps:
      search-web: { mode: upload, clean: false }
signing: { version: 4, buildpack: hosted }
`;
const BUCKET = `halcyon-payments-111122223333-${REGION}`;

let sandbox: Sandbox;
let heroku: Heroku;
let config: KitConfig;
const parse = (text: string): KitConfig => ({ ...parseConfig(text), s3Url: sandbox.aws.url });
const clients = new Map<string, Aws>();
const aws = (region: string): Aws => {
  const made = clients.get(region) ?? createAws({ region, maxAttempts: 2 });
  clients.set(region, made);
  return made;
};

const HOSTING = { name: buildpackBucketName('111122223333', 'us-east-1'), account: '111122223333' };

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url, patience: { baseMs: 5 } });
  config = parse(CONFIG);
  await deployAll(sandbox.aws, config);
  await publishBuildpack(aws('us-east-1'), HOSTING);
  for (const team of config.teams) for (const app of team.apps) await sandbox.heroku.ensureApp(app.name);
  await converge(config);
});
afterAll(async () => {
  await sandbox?.stop();
});
afterEach(() => {
  sandbox.aws.clearFaults();
  sandbox.aws.settings.clockOffsetMs = 0;
});

/** What `halcyon-kit sync` does. */
async function converge(of: KitConfig): Promise<void> {
  const wanted = buildpacksWanted(of, of.teams, await signingBuildpackUrl(of));
  await syncBuildpacks(heroku, await observeBuildpacks(heroku, wanted, of.buildpack), { io: silentIo });
  for (const team of of.teams) {
    const context = { config: of, aws: aws(team.bucket?.spec.region ?? 'us-east-1'), heroku, io: silentIo };
    const outcome = await runTeam(context, team, { kind: 'ensure' });
    if (outcome.status !== 'done' && outcome.status !== 'nothing-due') throw new Error(JSON.stringify(outcome));
  }
}

const doctor = (options: { of?: KitConfig; teams?: string[]; writeProbe?: boolean } = {}): Promise<DoctorReport> => {
  const { of = config, teams = ['payments'], writeProbe = false } = options;
  return runDoctor({ config: of, teams: teams.map((name) => teamNamed(of, name)), aws, heroku, io: silentIo, writeProbe });
};
/** What matters at rest: `info` tells of no fault. */
const names = ({ findings }: DoctorReport): string[] =>
  findings.filter(({ severity }) => severity !== 'info').map(({ severity, name, subject }) => `${severity} ${name}: ${subject}`);
const found = ({ findings }: DoctorReport, name: string): Finding | undefined => findings.find((finding) => finding.name === name);

const user = (access: Access): string => userName(principalIn(config, 'payments', access));
const keyIdOf = async (access: Access): Promise<string> => {
  const { AccessKeyMetadata = [] } = await (await aws(REGION).iam()).send(new ListAccessKeysCommand({ UserName: user(access) }));
  return AccessKeyMetadata[0]?.AccessKeyId ?? '';
};
/** Do `work` while something is wrong, and put it right again. */
async function during<T>(fault: () => Promise<unknown>, mend: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  await fault();
  try {
    return await work();
  } finally {
    await mend();
  }
}

describe('no false alarm', () => {
  test('on a healthy set-up', async () => {
    const report = await doctor({ teams: ['payments', 'search'] });
    expect(names(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.findings.map(({ name }) => name).filter((name) => name !== 'stack-without-ghc' && name !== 'buildpack-home')).toEqual([
      'no-permissions-boundary',
    ]);
  });

  test('nor with the write probe, which leaves nothing behind', async () => {
    const report = await doctor({ teams: ['payments', 'search'], writeProbe: true });
    expect(names(report)).toEqual([]);
    for (const [region, Bucket] of [
      [REGION, BUCKET],
      ['us-east-1', 'halcyon-common-111122223333-us-east-1'],
    ] as const) {
      const { Contents = [] } = await (await aws(region).s3()).send(new ListObjectsV2Command({ Bucket }));
      expect(Contents.map(({ Key }) => Key).filter((key) => key?.includes('doctor'))).toEqual([]);
    }
  });

  test('and without the write probe nothing is written', async () => {
    sandbox.aws.clearLog();
    sandbox.heroku.clearLog();
    await doctor({ teams: ['payments', 'search'] });
    const writes = sandbox.aws.log().filter(({ operation }) => /^(Put|Delete|Create|Update|Tag|Untag|Attach)/.test(operation));
    expect(writes).toEqual([]);
    expect(sandbox.heroku.log().filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

test('no secret is in what it says', async () => {
  const { SecretString = '' } = await (
    await aws(REGION).secrets()
  ).send(new GetSecretValueCommand({ SecretId: secretName(principalIn(config, 'payments', 'upload')) }));
  const secret = (JSON.parse(SecretString) as Record<string, string>).HALCYON_AWS_SECRET_ACCESS_KEY as string;
  const report = await during(
    () => heroku.patchConfigVars('payments-builder', { HALCYON_S3_ACL: 'private' }),
    () => heroku.patchConfigVars('payments-builder', { HALCYON_S3_ACL: 'bucket-owner-full-control' }),
    () => doctor(),
  );
  expect(names(report)).toEqual(['broken config-vars-differ: app payments-builder']);
  expect(secret.length).toBeGreaterThan(30);
  expect(JSON.stringify(report)).not.toContain(secret);
});

describe('refusals of storage requests', () => {
  const existing = (settings: string, signing = '{ version: 4, buildpack: "https://example.com/sigv4" }') =>
    parse(`teams:
  payments:
    bucket: { existing: ${BUCKET}, account: "111122223333", ${settings} }
    apps: { payments-builder: { mode: upload } }
signing: ${signing}
`);

  test('SigV2 refused', async () => {
    const report = await doctor({ of: existing(`region: ${REGION}`, '{ version: 2, acknowledgeV2: true }') });
    expect(found(report, 'sigv2-refused')).toMatchObject({ severity: 'broken', subject: `bucket ${BUCKET}` });
    expect(found(report, 'sigv2-refused')?.looksLike).toContain('400 (bad request)');
    expect(report.ok).toBe(false);
  });

  test('ACL refused, and ownership that is not the template’s', async () => {
    const report = await doctor({ of: existing(`region: ${REGION}, acl: private`) });
    expect(found(report, 'acl-refused')).toMatchObject({ severity: 'broken', subject: `bucket ${BUCKET}` });
    expect(found(report, 'acl-refused')?.fix).toContain('acl: bucket-owner-full-control');
    const open = await during(
      async () =>
        (await aws(REGION).s3()).send(
          new PutBucketOwnershipControlsCommand({
            Bucket: BUCKET,
            OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
          }),
        ),
      async () =>
        (await aws(REGION).s3()).send(
          new PutBucketOwnershipControlsCommand({
            Bucket: BUCKET,
            OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
          }),
        ),
      () => doctor(),
    );
    expect(names(open)).toEqual([`warning ownership-drift: bucket ${BUCKET}`]);
  });

  test('wrong endpoint: a bucket in another region', async () => {
    const report = await doctor({ of: existing('region: us-west-2') });
    expect(found(report, 'wrong-endpoint')).toMatchObject({ severity: 'broken', subject: `bucket ${BUCKET}` });
    expect(found(report, 'wrong-endpoint')?.fix).toContain(`region: ${REGION}`);
  });

  test('wrong endpoint: an app’s own', async () => {
    const { port } = sandbox.aws;
    const report = await during(
      () => heroku.patchConfigVars('payments-api', { HALCYON_S3_ENDPOINT: `s3.us-east-2.localhost:${port}` }),
      () => heroku.patchConfigVars('payments-api', { HALCYON_S3_ENDPOINT: `localhost:${port}` }),
      () => doctor(),
    );
    expect(names(report)).toEqual(['broken wrong-endpoint: app payments-api', 'broken config-vars-differ: app payments-api']);
    expect(found(report, 'config-vars-differ')?.looksLike).toContain('Incorrect HALCYON_S3_ENDPOINT');
  });

  test('a key that is inactive', async () => {
    const id = await keyIdOf('upload');
    const set = (Status: 'Active' | 'Inactive') => async () =>
      (await aws(REGION).iam()).send(new UpdateAccessKeyCommand({ UserName: user('upload'), AccessKeyId: id, Status }));
    const report = await during(set('Inactive'), set('Active'), () => doctor());
    expect(names(report)).toEqual(['broken key-inactive: principal payments/upload']);
  });

  test('a key that is not known yet', async () => {
    const { settings } = sandbox.aws;
    Object.assign(settings, { keyDelayByService: { s3: 3_600_000 }, keyDelayAccept: 0 });
    try {
      expect(names(await doctor())).toEqual([
        'warning key-not-yet-known: principal payments/read-only',
        'warning key-not-yet-known: principal payments/upload',
      ]);
    } finally {
      Object.assign(settings, { keyDelayByService: {}, keyDelayAccept: 0.5 });
    }
  });

  test('a policy that denies', async () => {
    const s3 = await aws(REGION).s3();
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
    const policy = JSON.parse(Policy) as { Statement: unknown[] };
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${BUCKET}/*`,
      Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/halcyon/*' } },
    };
    const report = await during(
      () =>
        s3.send(
          new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify({ ...policy, Statement: [...policy.Statement, deny] }) }),
        ),
      () => s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy })),
      () => doctor(),
    );
    expect(names(report)).toEqual([
      'broken policy-denies: principal payments/read-only',
      'broken policy-denies: principal payments/upload',
    ]);
    expect(found(report, 'bucket-policy-extra')).toMatchObject({ severity: 'info' });
    expect(found(report, 'policy-denies')?.looksLike).toContain('403 (forbidden)');
  });

  test('bucket gone', async () => {
    const gone = parse(CONFIG.replace(`region: ${REGION} }`, `region: ${REGION}, name: acme-not-there }`));
    expect(names(await doctor({ of: gone }))).toContain('broken bucket-gone: bucket acme-not-there');
  });

  test('clock skew', async () => {
    sandbox.aws.settings.clockOffsetMs = 40 * 60_000;
    const report = await doctor();
    expect(found(report, 'clock-skew')).toMatchObject({
      severity: 'broken',
      message: expect.stringContaining('off by 40 minutes') as string,
    });
  });

  test('clock skew that is not refused yet', async () => {
    sandbox.aws.settings.clockOffsetMs = -10 * 60_000;
    expect(names(await doctor())).toEqual(['warning clock-skew: this machine']);
  });

  describe('TLS', () => {
    let server: Server;
    beforeAll(async () => {
      // A certificate for localhost of an authority that nobody trusts.
      const { generate } = await import('selfsigned');
      const pems = await generate([{ name: 'commonName', value: 'localhost' }]);
      server = createServer({ key: pems.private, cert: pems.cert }, (_, answer) => answer.end());
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    });
    afterAll(() => server?.close());

    test('a certificate that nobody vouches for', async () => {
      const { port } = server.address() as AddressInfo;
      const report = await doctor({ of: existing(`region: ${REGION}, endpoint: "localhost:${port}"`) });
      expect(found(report, 'tls')).toMatchObject({ severity: 'broken', subject: `bucket ${BUCKET}` });
    });

    test('nobody there', async () => {
      const report = await doctor({ of: existing(`region: ${REGION}, endpoint: "localhost:1"`) });
      expect(found(report, 'endpoint-unreachable')).toMatchObject({ severity: 'broken' });
    });
  });
});

describe('buckets', () => {
  test('a policy that was removed', async () => {
    const s3 = await aws(REGION).s3();
    const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
    const report = await during(
      () => s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET })),
      () => s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy })),
      () => doctor(),
    );
    expect(names(report)).toEqual([`warning bucket-policy-drift: bucket ${BUCKET}`]);
    expect(found(report, 'bucket-policy-drift')?.message).toContain('DenyReadOnlyWrites');
  });

  test('public access let in', async () => {
    const set = (on: boolean) => async () =>
      (await aws(REGION).s3()).send(
        new PutPublicAccessBlockCommand({
          Bucket: BUCKET,
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            IgnorePublicAcls: true,
            BlockPublicPolicy: on,
            RestrictPublicBuckets: on,
          },
        }),
      );
    const report = await during(set(false), set(true), () => doctor());
    expect(names(report)).toEqual([`warning public-access-open: bucket ${BUCKET}`]);
    expect(found(report, 'public-access-open')?.message).toBe('Block Public Access is off for BlockPublicPolicy, RestrictPublicBuckets');
  });

  variant('more keys than a listing shows', async () => {
    const s3 = await aws(REGION).s3();
    await s3.send(new CreateBucketCommand({ Bucket: 'acme-crowded', CreateBucketConfiguration: { LocationConstraint: REGION } }));
    const put = (i: number) =>
      s3.send(
        new PutObjectCommand({ Bucket: 'acme-crowded', Key: `deep/linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-${i}.tar.gz` }),
      );
    for (let i = 0; i < 1001; i += 50) await Promise.all(Array.from({ length: Math.min(50, 1001 - i) }, (_, j) => put(i + j)));
    const crowded = parse(
      CONFIG.replace(
        `{ account: "111122223333", region: ${REGION} }`,
        `{ existing: acme-crowded, prefix: deep, account: "111122223333", region: ${REGION} }`,
      ),
    );
    expect(found(await doctor({ of: crowded }), 'listing-cut')).toMatchObject({
      severity: 'warning',
      message: '1001 keys under deep/linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-, and Halcyon lists the first 1000 only',
    });
  });
});

describe('principals', () => {
  test('a policy that was changed', async () => {
    const iam = await aws(REGION).iam();
    const wide = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }] };
    const report = await during(
      () => iam.send(new PutUserPolicyCommand({ UserName: user('read-only'), PolicyName: 'more', PolicyDocument: JSON.stringify(wide) })),
      () => iam.send(new DeleteUserPolicyCommand({ UserName: user('read-only'), PolicyName: 'more' })),
      () => doctor(),
    );
    expect(names(report)).toEqual(['warning user-policy-extra: principal payments/read-only']);
  });

  test('a key that nobody here made', async () => {
    const iam = await aws(REGION).iam();
    let AccessKeyId = '';
    const report = await during(
      async () => (AccessKeyId = (await iam.send(new CreateAccessKeyCommand({ UserName: user('upload') }))).AccessKey?.AccessKeyId ?? ''),
      () => iam.send(new DeleteAccessKeyCommand({ UserName: user('upload'), AccessKeyId })),
      () => doctor(),
    );
    expect(names(report)).toEqual(['warning unknown-key: principal payments/upload']);
    expect(found(report, 'unknown-key')?.fix).toContain(`--delete-unknown-key ${AccessKeyId}`);
  });

  test('a key that was deleted', async () => {
    const search = teamNamed(config, 'search');
    const iam = await aws('us-east-1').iam();
    const UserName = userName(principalIn(config, 'search', 'append-only'));
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    const report = await during(
      () => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: AccessKeyMetadata[0]?.AccessKeyId })),
      () => runTeam({ config, aws: aws('us-east-1'), heroku, io: silentIo }, search, { kind: 'ensure' }),
      () => doctor({ teams: ['search'] }),
    );
    expect(names(report)).toEqual(['broken key-unknown: principal search/search-web/append-only']);
    expect(names(await doctor({ teams: ['search'] }))).toEqual([]);
  });

  test('a stack that was never deployed', async () => {
    const more = parse(
      CONFIG.replace(
        '  search:\n',
        `  fresh:\n    bucket: { account: "111122223333", region: ${REGION} }\n    apps: { fresh-web: { mode: upload } }\n  search:\n`,
      ),
    );
    await sandbox.heroku.ensureApp('fresh-web');
    expect(names(await doctor({ of: more, teams: ['fresh'] }))).toEqual(
      expect.arrayContaining([
        'broken stack-missing: stack halcyon-fresh',
        `broken bucket-gone: bucket halcyon-fresh-111122223333-${REGION}`,
      ]),
    );
  });
});

describe('apps', () => {
  const patched = (app: string, changes: Record<string, string>, undo: Record<string, string | null>) =>
    during(
      () => heroku.patchConfigVars(app, changes),
      () => heroku.patchConfigVars(app, undo),
      () => doctor(),
    );

  test.each([
    ['HALCYON_PURGE_CACHE', 'warning purge-cache-left'],
    ['HALCYON_NO_BUILD_DEPENDENCIES', 'warning no-build-dependencies-left'],
    ['HALCYON_NO_PRIVATE_STORAGE', 'broken private-storage-off'],
  ])('%s left behind', async (name, expected) => {
    expect(names(await patched('payments-api', { [name]: '1' }, { [name]: null }))).toEqual([`${expected}: app payments-api`]);
  });

  test('an app of mode public that has private storage', async () => {
    const report = await patched('payments-lab', { HALCYON_S3_BUCKET: 'x' }, { HALCYON_S3_BUCKET: null });
    expect(names(report)).toEqual(['broken config-vars-differ: app payments-lab']);
  });

  test('a secret that is not that of the key', async () => {
    const { HALCYON_AWS_SECRET_ACCESS_KEY: secret = '' } = await heroku.configVars('payments-api');
    const report = await patched(
      'payments-api',
      { HALCYON_AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) },
      { HALCYON_AWS_SECRET_ACCESS_KEY: secret },
    );
    expect(names(report)).toEqual(['broken secret-wrong: app payments-api', 'broken config-vars-differ: app payments-api']);
  });

  test('a release that brought a retired key back', async () => {
    const iam = await aws(REGION).iam();
    const { HALCYON_AWS_ACCESS_KEY_ID: id = '', HALCYON_AWS_SECRET_ACCESS_KEY: secret = '' } = await heroku.configVars('payments-api');
    const old = (await iam.send(new CreateAccessKeyCommand({ UserName: user('read-only') }))).AccessKey;
    const mine = { HALCYON_AWS_ACCESS_KEY_ID: id, HALCYON_AWS_SECRET_ACCESS_KEY: secret };
    await heroku.patchConfigVars('payments-api', {
      HALCYON_AWS_ACCESS_KEY_ID: old?.AccessKeyId ?? '',
      HALCYON_AWS_SECRET_ACCESS_KEY: old?.SecretAccessKey ?? '',
    });
    // Only a release with a slug can be rolled back to.
    const cabal =
      'name: a\nversion: 1\nbuild-type: Simple\ncabal-version: >=1.10\nexecutable a\n  main-is: Main.hs\n  build-depends: base\n';
    const { id: build } = await heroku.startBuild(
      'payments-api',
      tarball({ 'a.cabal': { content: cabal }, 'cabal.config': { content: '' } }),
    );
    await vi.waitFor(async () => expect((await heroku.build('payments-api', build)).status).toBe('succeeded'), {
      timeout: 60_000,
      interval: 200,
    });
    const [release] = await heroku.releases('payments-api', { max: 1 });
    await heroku.patchConfigVars('payments-api', mine);
    await iam.send(new DeleteAccessKeyCommand({ UserName: user('read-only'), AccessKeyId: old?.AccessKeyId }));
    const report = await during(
      () =>
        fetch(`${sandbox.heroku.url}/apps/payments-api/releases`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${sandbox.heroku.token}`,
            accept: 'application/vnd.heroku+json; version=3',
            'content-type': 'application/json',
          },
          body: JSON.stringify({ release: release?.id }),
        }).then(async (answer) => expect([answer.status, answer.status < 300 || (await answer.text())]).toEqual([201, true])),
      () => heroku.patchConfigVars('payments-api', mine),
      () => doctor(),
    );
    expect(names(report)).toEqual(['broken rolled-back-key: app payments-api']);
    expect(found(report, 'rolled-back-key')?.message).toMatch(/^release v\d+ \(Rollback to v\d+\) brought back key AKIA/);
  });

  test('buildpacks: order, absence, and one that is left', async () => {
    const right = await heroku.buildpacks('payments-api');
    expect(right).toHaveLength(2);
    const having = (urls: string[]) =>
      during(
        () => heroku.setBuildpacks('payments-api', urls),
        () => heroku.setBuildpacks('payments-api', right),
        () => doctor(),
      );
    expect(names(await having([...right].reverse()))).toEqual(['broken buildpack-order: app payments-api']);
    expect(names(await having(right.slice(1)))).toEqual(['broken sigv4-buildpack-missing: app payments-api']);
    expect(names(await having(right.slice(0, 1)))).toEqual(['broken no-haskell-on-heroku: app payments-api']);
    const publicHas = await heroku.buildpacks('payments-lab');
    const report = await during(
      () => heroku.setBuildpacks('payments-lab', right),
      () => heroku.setBuildpacks('payments-lab', publicHas),
      () => doctor(),
    );
    expect(names(report)).toEqual(['warning sigv4-buildpack-left: app payments-lab']);
  });

  test('an app that is not there, one of the Fir generation, one on an old stack', async () => {
    const of = parse(`teams:
  lab:
    apps: { lab-none: { mode: public }, lab-fir: { mode: public }, lab-old: { mode: public }, lab-theirs: { mode: public } }
`);
    await sandbox.heroku.ensureApp('lab-fir', { generation: 'fir' });
    await sandbox.heroku.ensureApp('lab-old', { stack: 'heroku-22' });
    await sandbox.heroku.ensureApp('lab-theirs', { forbidden: true });
    expect(names(await doctor({ of, teams: ['lab'] })).sort()).toEqual([
      'broken app-fir: app lab-fir',
      'broken app-forbidden: app lab-theirs',
      'broken app-not-found: app lab-none',
      'warning stack-old: app lab-old',
    ]);
  });
});

test('a hosted buildpack that is not served', async () => {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  const s3 = await aws('us-east-1').s3();
  const Bucket = HOSTING.name;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const report = await during(
    () => Promise.all(Contents.map(({ Key }) => s3.send(new DeleteObjectCommand({ Bucket, Key })))),
    () => publishBuildpack(aws('us-east-1'), HOSTING),
    () => doctor(),
  );
  expect(names(report)).toEqual(['broken buildpack-not-served: buildpack']);
});
