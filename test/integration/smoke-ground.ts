import { CreateBucketCommand, ListObjectsV2Command, PutBucketOwnershipControlsCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { bucketPolicy, userPolicy } from '../../lib/constructs/policies.js';
import { desiredConfigVars, formatSecretValue, iamPath, secretName, userName, type Access } from '../../lib/contract/index.js';
import { principalsOf, storageOf, teamNamed } from '../../lib/config/derive.js';
import type { App, BucketSpec, KitConfig, Team } from '../../lib/config/model.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo, type IoHost } from '../../lib/io/io-host.js';
import { sourceTree } from '../../lib/smoke/archive.js';
import { currentKey } from '../../lib/smoke/app.client.js';
import type { SmokeContext } from '../../lib/smoke/smoke.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { principalIn } from '../support/principals.js';

/** A sandbox with teams set up by hand: buckets, users, policies, keys, secrets and apps as the kit would make them. */
export interface SmokeGround {
  readonly sandbox: Sandbox;
  readonly aws: Aws;
  readonly heroku: Heroku;
  readonly config: KitConfig;
  /** Secret access keys in use, for canary tests. */
  readonly secrets: string[];
  team(name: string): Team;
  /** Policy of a team's upload principal, as JSON. */
  policyOf(team: string): string;
  /** A directory with a source of a team's own, that nobody has built; its app has the config vars it should. */
  ownSource(): Promise<string>;
  context(more?: { io?: IoHost; signal?: AbortSignal }): SmokeContext;
  /** Names of smoke apps and keys of objects that are still there. */
  leftovers(): Promise<string[]>;
  stop(): Promise<void>;
}

const app = (name: string, mode: App['mode'], clean = true): App => ({ name, mode, clean, publicStorage: 'never', canary: false });
const spec = (name: string): BucketSpec => ({
  name,
  account: '111122223333',
  region: 'us-east-1',
  acl: 'bucket-owner-full-control',
  allowPublicRead: false,
  versioning: false,
  retention: { retain: true, noncurrentDays: 30 },
  tags: {},
});
const team = (name: string, bucket: Team['bucket'], apps: App[]): Team => ({
  name,
  ...(bucket ? { bucket } : {}),
  heroku: {},
  credentials: 'per-mode',
  publicStorage: 'never',
  tags: {},
  apps,
});

export async function startGround(options: { upstreamDir?: string | null } = {}): Promise<SmokeGround> {
  const sandbox = await startSandbox({
    aws: { settings: { sigv2: { default: 'accept' } } },
    heroku: { upstreamDir: options.upstreamDir === undefined ? null : options.upstreamDir },
  });
  const directories: string[] = [];
  Object.assign(process.env, sandbox.env);
  const stop = async () => {
    await sandbox.stop();
    for (const dir of directories) await rm(dir, { recursive: true });
  };
  try {
    const own = spec('payments-bucket');
    const common = spec('common-bucket');
    const config: KitConfig = {
      s3Url: sandbox.aws.url,
      deployment: 'halcyon',
      buckets: [{ ...common, id: 'common' }],
      signing: { version: 2, acknowledgeV2: true },
      buildpack: { install: false, url: 'https://github.com/mietek/haskell-on-heroku' },
      teams: [
        team('payments', { kind: 'own', spec: own }, [
          app('payments-builder', 'upload'),
          app('payments-api', 'read-only'),
          app('payments-archive', 'upload', false),
          app('payments-lab', 'public'),
        ]),
        team('search', { kind: 'shared', shared: 'common', spec: common, prefix: 'search' }, [
          app('search-web', 'upload'),
          app('search-api', 'read-only'),
        ]),
        team('ads', { kind: 'shared', shared: 'common', spec: common, prefix: 'ads' }, [app('ads-web', 'upload')]),
      ],
    };
    const aws = createAws({ region: 'us-east-1' });
    const secrets: string[] = [];
    for (const bucket of [own, common]) await makeBucket(aws, bucket, config);
    for (const one of config.teams) secrets.push(...(await makePrincipals(aws, one)));
    for (const name of config.teams.flatMap(({ apps }) => apps.map((a) => a.name))) await sandbox.heroku.ensureApp(name);
    const heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url, patience: { baseMs: 50 } });
    return {
      sandbox,
      aws,
      heroku,
      config,
      secrets,
      team: (name) => teamNamed(config, name),
      context: ({ io = silentIo, signal } = {}) => ({ config, aws, heroku, io, ...(signal ? { signal } : {}) }),
      policyOf: (name) => policyFor(teamNamed(config, name), 'upload'),
      ownSource: async () => {
        const search = teamNamed(config, 'search');
        const key = await currentKey(aws, principalIn(config, 'search', 'upload'));
        const vars = desiredConfigVars(storageOf(config, search, search.apps[0] as App), key);
        await heroku.patchConfigVars('search-web', vars);
        const dir = await mkdtemp(join(tmpdir(), 'own-source-'));
        directories.push(dir);
        for (const [path, { content }] of Object.entries(sourceTree('own-app', 'their own'))) await writeFile(join(dir, path), content);
        return dir;
      },
      leftovers: async () => [
        ...(await heroku.apps()).map(({ name }) => name).filter((name) => name.startsWith('halcyon-smoke-')),
        ...(await Promise.all([own, common].map((bucket) => keysIn(aws, bucket.name)))).flat(),
      ],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The user policy of a principal in a team's bucket. */
function policyFor(one: Team, access: Access): string {
  if (one.bucket === undefined) throw new Error(`team ${one.name} has no bucket`);
  const { spec: bucket, prefix } = one.bucket;
  const { acl, region, name: bucketName, account: bucketAccount } = bucket;
  return JSON.stringify(userPolicy({ partition: 'aws', bucketName, bucketAccount, access, acl, region, ...(prefix ? { prefix } : {}) }));
}

async function makeBucket(aws: Aws, { name }: BucketSpec, config: KitConfig): Promise<void> {
  const s3 = await aws.s3();
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(
    new PutBucketOwnershipControlsCommand({ Bucket: name, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }),
  );
  const policy = bucketPolicy({ partition: 'aws', bucketName: name, signing: config.signing.version });
  await s3.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(policy) }));
}

async function makePrincipals(aws: Aws, one: Team): Promise<string[]> {
  const [iam, secretsManager] = await Promise.all([aws.iam(), aws.secrets()]);
  const secrets: string[] = [];
  for (const principal of principalsOf(one)) {
    if (one.bucket === undefined) continue;
    const UserName = userName(principal);
    await iam.send(new CreateUserCommand({ UserName, Path: iamPath(principal.access, one.name) }));
    const PolicyDocument = policyFor(one, principal.access);
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'halcyon', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const value = formatSecretValue({ accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' });
    await secretsManager.send(new CreateSecretCommand({ Name: secretName(principal), SecretString: value }));
    secrets.push(AccessKey?.SecretAccessKey ?? '');
  }
  return secrets;
}

async function keysIn(aws: Aws, bucket: string): Promise<string[]> {
  const answer = await (await aws.s3()).send(new ListObjectsV2Command({ Bucket: bucket }));
  return (answer.Contents ?? []).map(({ Key }) => Key ?? '');
}
