import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { CreateUserCommand, DeleteUserCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { HeadBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { deleteBucket } from '../../lib/aws/bucket.js';
import { emptyBucket } from '../../lib/smoke/objects.client.js';
import { resourcesIn } from '../../lib/aws/stack.js';
import { buildApp } from '../../lib/stacks/app.js';
import { createDeployer } from '../../lib/deploy/deploy.client.js';
import { prepareStack } from '../../lib/deploy/prepare.client.js';
import { stacksFor, type StackChanges, type StackTarget } from '../../lib/deploy/stacks.plan.js';
import { asRequest } from '../../lib/deploy/template.client.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { startLocalAws, type LocalAws } from '../../sandbox/aws/index.js';
import { clients, failure } from '../../sandbox/test/support/clients.js';
import { EXAMPLE } from '../support/config.js';
import { principalIn } from '../support/principals.js';
import { parseConfig } from '../../lib/config/index.js';
import { secretName, userName, type Access } from '../../lib/contract/index.js';
import { EVERY } from '../support/every.js';
import { variant } from '../support/variant.js';

/** The plain `cdk` CLI, as cdk.json sets it up, from the project's directory. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUCKET = 'halcyon-payments-111122223333-eu-west-1';

let aws: LocalAws;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'halcyon-cdk-'));
  aws = await startLocalAws({ region: 'eu-west-1' });
});
afterAll(async () => {
  await aws?.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

function cdk(text: string, ...args: string[]): Promise<Ran> {
  const file = join(directory, 'halcyon.yaml');
  writeFileSync(file, text);
  return new Promise((resolve, reject) => {
    const argv = [join(ROOT, 'node_modules/aws-cdk/bin/cdk'), ...args, '-c', `config=${file}`, '--output', join(directory, 'cdk.out')];
    const child = spawn(process.execPath, argv, {
      cwd: ROOT,
      env: { ...process.env, ...aws.env, AWS_REGION: 'eu-west-1', CDK_HOME: join(directory, 'home'), CI: 'true', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', reject).on('close', (code) => resolve({ code, output }));
  });
}
const deploy = (text: string, stack: string, ...args: string[]) => cdk(text, 'deploy', stack, '--require-approval', 'never', ...args);

/** For the CLI: what the app of cdk.json makes of the file, made in this process. Where the app itself counts, it is left to cdk.json. */
function synthesized(text: string): string[] {
  const outdir = mkdtempSync(join(directory, 'assembly-'));
  buildApp(parseConfig(text), { outdir }).synth();
  return ['--app', outdir, '--build', ''];
}

async function stack(name: string, region = 'eu-west-1') {
  const { cloudformation } = clients(aws, { region });
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: name })).catch(() => ({ Stacks: [] }));
  return Stacks?.[0];
}
const events = async (name: string) =>
  (await clients(aws).cloudformation.send(new DescribeStackEventsCommand({ StackName: name }))).StackEvents?.length;
const users = async (of = 'payments') =>
  ((await clients(aws).iam.send(new ListUsersCommand({}))).Users ?? [])
    .map((user) => `${user.Path}${user.UserName}`)
    .filter((name) => name.includes(of))
    .sort();
const secret = async (SecretId: string) => failure(clients(aws).secrets.send(new DescribeSecretCommand({ SecretId })));
const bucket = async () => (await failure(clients(aws).s3.send(new HeadBucketCommand({ Bucket: BUCKET })))).status ?? 200;

/** Takes a user's name, so that CloudFormation cannot make it. */
async function squat(UserName: string): Promise<() => Promise<unknown>> {
  const { iam } = clients(aws);
  await iam.send(new CreateUserCommand({ UserName }));
  return () => iam.send(new DeleteUserCommand({ UserName }));
}

const nameOf = (access: Access, text = EXAMPLE) => userName(principalIn(parseConfig(text), 'payments', access));
const CHANGED = EXAMPLE.replace('payments-api: { mode: read-only }', 'payments-api: { mode: upload, clean: false }');

// Each test starts the CLI several times, seconds each on an idle machine.
describe('the plain cdk CLI', { timeout: 300_000 }, () => {
  test('lists every stack', async () => {
    const { code, output } = await cdk(EXAMPLE, 'list');
    expect(code, output).toBe(0);
    expect(output.match(/^halcyon-.*$/gm)?.sort()).toEqual([
      'halcyon-bucket-common',
      'halcyon-buildpack',
      'halcyon-payments',
      'halcyon-search',
    ]);
  });

  test('says what is wrong with the file, without a stack trace', async () => {
    const { code, output } = await cdk(EXAMPLE.replace('read-only', 'readonly'), 'list');
    expect(code).toBe(1);
    expect(output).toMatch(/halcyon\.yaml:\d+:\d+ {2}teams\.payments\.apps\.payments-api\.mode: .*readonly/);
    expect(output).not.toMatch(/^\s+at .*\(/m);
  });

  test('a first deployment that fails half way leaves nothing, and the next run mends it', async () => {
    const leave = await squat(nameOf('read-only'));
    const failed = await deploy(EXAMPLE, 'halcyon-payments');
    expect(failed.code, failed.output).toBe(1);
    expect((await stack('halcyon-payments'))?.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(await bucket()).toBe(404);
    expect(await users()).toEqual([`/${nameOf('read-only')}`]);

    await leave();
    const mended = await deploy(EXAMPLE, 'halcyon-payments');
    expect(mended.code, mended.output).toBe(0);
    expect((await stack('halcyon-payments'))?.StackStatus).toBe('CREATE_COMPLETE');
    expect(await users()).toEqual([`/halcyon/read-only/payments/${nameOf('read-only')}`, `/halcyon/upload/payments/${nameOf('upload')}`]);
    expect((await secret(secretName(principalIn(parseConfig(EXAMPLE), 'payments', 'read-only')))).name).toBe('none');
  });

  test('a second deployment is a no-op; a team in a shared bucket brings its stack along', async () => {
    const before = await events('halcyon-payments');
    const { code, output } = await deploy(EXAMPLE, 'halcyon-payments', 'halcyon-search', ...synthesized(EXAMPLE));
    expect(code, output).toBe(0);
    expect(output).toContain('no changes');
    expect((await cdk(EXAMPLE, 'diff', 'halcyon-payments', '--fail', ...synthesized(EXAMPLE))).code).toBe(0);
    expect(await events('halcyon-payments')).toBe(before);
    for (const name of ['halcyon-bucket-common', 'halcyon-search'])
      expect((await stack(name, 'us-east-1'))?.StackStatus).toBe('CREATE_COMPLETE');
  });

  test('a changed mode fails half way, rolls back, and then updates in place', async () => {
    await clients(aws).s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'ghc/kept', Body: 'prebuilt' }));
    const made = synthesized(CHANGED);
    expect((await cdk(CHANGED, 'diff', 'halcyon-payments', '--fail', ...made)).code).toBe(1);
    const leave = await squat(nameOf('append-only', CHANGED));
    const failed = await deploy(CHANGED, 'halcyon-payments', ...made);
    expect(failed.code, failed.output).toBe(1);
    expect((await stack('halcyon-payments'))?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await users()).toContain(`/halcyon/read-only/payments/${nameOf('read-only')}`);
    await leave();

    const { code, output } = await deploy(CHANGED, 'halcyon-payments', ...made);
    expect(code, output).toBe(0);
    expect((await stack('halcyon-payments'))?.StackStatus).toBe('UPDATE_COMPLETE');
    // The read-only user left the stack, and builds may still hold its key.
    expect(await users()).toEqual([
      `/halcyon/append-only/payments/${nameOf('append-only', CHANGED)}`,
      `/halcyon/read-only/payments/${nameOf('read-only')}`,
      `/halcyon/upload/payments/${nameOf('upload')}`,
    ]);
    expect((await clients(aws).s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'ghc/kept' }))).ContentLength).toBe(8);
  });

  test('destroying is refused until protection is lifted, and keeps the bucket', async () => {
    const refused = await cdk(CHANGED, 'destroy', 'halcyon-payments', '--force', ...synthesized(CHANGED));
    expect(refused.code, refused.output).toBe(1);
    expect(refused.output).toContain('TerminationProtection');

    const lifted = await deploy(CHANGED, 'halcyon-payments', '-c', 'protect=false');
    expect(lifted.code, lifted.output).toBe(0);
    const { code, output } = await cdk(CHANGED, 'destroy', 'halcyon-payments', '--force', ...synthesized(CHANGED));
    expect(code, output).toBe(0);
    expect(await stack('halcyon-payments')).toBeUndefined();
    // Keys are not CloudFormation's to kill: users and secrets stay until `halcyon-kit down` has retired them.
    expect(await users()).toHaveLength(3);
    expect((await secret(secretName(principalIn(parseConfig(EXAMPLE), 'payments', 'upload')))).name).toBe('none');
    expect((await clients(aws).s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'ghc/kept' }))).ContentLength).toBe(8);
  });

  test('more users than a template in a request holds need no bootstrap bucket', async () => {
    const apps = (count: number) => Array.from({ length: count }, (_, i) => `crowd-app-${i}: { mode: upload }`).join(', ');
    const crowd = (count: number) =>
      `teams: { crowd: { bucket: { account: "111122223333", region: eu-west-1 }, credentials: per-app, apps: { ${apps(count)} } } }`;
    // As many as a stack holds with HALCYON_EVERY=1; that they fit is a test of the stacks.
    const most = EVERY ? 245 : 30;
    const { code, output } = await deploy(crowd(most), 'halcyon-crowd', ...synthesized(crowd(most)));
    expect(code, output).toBe(0);
    for (const name of ['halcyon-crowd', 'halcyon-kit-templates']) expect((await stack(name))?.StackStatus).toBe('CREATE_COMPLETE');
    expect(await users('/crowd/')).toHaveLength(most);
    if (!EVERY) return;
    const fewer = await deploy(crowd(most - 1), 'halcyon-crowd', ...synthesized(crowd(most - 1)));
    expect([fewer.code, (await stack('halcyon-crowd'))?.StackStatus], fewer.output).toEqual([0, 'UPDATE_COMPLETE']);
    // The one that left its stack may still be in use: the engine lets go of it.
    expect(await users('/crowd/')).toHaveLength(most);
  });

  test('the kit’s own deployment tells of the templates’ bucket, and makes it first; deleted by hand it says what to do', async () => {
    const before = { ...process.env };
    Object.assign(process.env, aws.env);
    const region = 'eu-central-1';
    const deployerOf = (count: number) => {
      const apps = Array.from({ length: count }, (_, i) => `group-app-${i}: { mode: upload }`).join(', ');
      const config = parseConfig(
        `teams: { group: { bucket: { account: "111122223333", region: ${region} }, credentials: per-app, apps: { ${apps} } } }`,
      );
      return createDeployer({ config, io: silentIo, network: networkOf() });
    };
    const [deployer, fewer] = [await deployerOf(50), await deployerOf(49)];
    try {
      expect((await deployer.diff(['halcyon-group'])).map(({ stack: name }) => name)).toEqual(['halcyon-kit-templates', 'halcyon-group']);
      const { deployed } = await deployer.deploy(['halcyon-group']);
      expect(deployed.map(({ stack: name }) => name)).toEqual(['halcyon-kit-templates', 'halcyon-group']);
      expect((await stack('halcyon-group', region))?.StackStatus).toBe('CREATE_COMPLETE');
      expect((await deployer.diff(['halcyon-group'])).flatMap(({ changes }) => changes)).toEqual([]);

      const there = createAws({ region });
      const bucket = { name: `halcyon-kit-templates-111122223333-${region}`, account: '111122223333' };
      await emptyBucket(there, bucket);
      await deleteBucket(there, bucket);
      const gone = {
        code: 'bucket-missing',
        message: expect.stringContaining('aws cloudformation delete-stack --stack-name halcyon-kit-templates'),
      };
      expect((await fewer.deploy(['halcyon-group'])).failed.get('halcyon-group')).toMatchObject(gone);
      await expect(asRequest(there, { Resources: { A: { Type: 'x'.repeat(60_000) } } })).rejects.toMatchObject(gone);
      const client = await there.cloudformation();
      await client.send(new DeleteStackCommand({ StackName: 'halcyon-kit-templates' }));
      await waitUntilStackDeleteComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName: 'halcyon-kit-templates' });
      expect((await fewer.deploy(['halcyon-group'])).failed.size).toBe(0);
      expect((await stack('halcyon-group', region))?.StackStatus).toBe('UPDATE_COMPLETE');
    } finally {
      process.env = before;
    }
  });

  variant('a stack of forty users of their own lets go of its bucket, takes one back in, and keeps whoever leaves it', async () => {
    const before = { ...process.env };
    Object.assign(process.env, aws.env);
    const region = 'eu-north-1';
    const there = createAws({ region });
    /** What `up` does about the stack. Apps are called anew each time, as a user's name is not used twice. */
    const bring = async (bucket: string, apps: string, count: number) => {
      const all = Array.from({ length: count }, (_, i) => `${apps}-${i}: { mode: upload }`).join(', ');
      const config = parseConfig(
        `teams: { big: { bucket: { account: "111122223333", region: ${region}, name: ${bucket} }, credentials: per-app, apps: { ${all} } } }`,
      );
      const deployer = await createDeployer({ config, io: silentIo, network: networkOf() });
      const target = stacksFor(config, config.teams).at(-1) as StackTarget;
      const diff = (await deployer.diff([target.name])).find((one) => one.stack === target.name) as StackChanges;
      const { failed } = await deployer.deploy([target.name], async (name, hands) => {
        const with_ = { aws: there, deployer, io: silentIo, signal: new AbortController().signal, hands };
        if (name === target.name) await prepareStack(diff, target, with_);
      });
      for (const [, error] of failed) throw error;
    };
    const inStack = async (type: string) => [...(await resourcesIn(there, 'halcyon-big', [type])).values()].map(({ name }) => name);
    const inIam = async () => (await users('/big/')).length;
    try {
      await bring('big-a', 'big-one', 40);
      await bring('big-b', 'big-two', 40);
      await bring('big-a', 'big-three', 40);
      expect([await inStack('AWS::S3::Bucket'), (await inStack('AWS::IAM::User')).length, await inIam()]).toEqual([['big-a'], 40, 120]);

      // Whoever leaves its stack stays in IAM.
      await bring('big-a', 'big-four', 1);
      expect([(await inStack('AWS::IAM::User')).length, await inIam()]).toEqual([1, 121]);
    } finally {
      process.env = before;
    }
  });

  test('nothing it writes holds a key', () => {
    const out = join(directory, 'cdk.out');
    const files = readdirSync(out).filter((name) => name.endsWith('.json'));
    expect(files).toContain('halcyon-payments.template.json');
    for (const name of files) {
      const text = readFileSync(join(out, name), 'utf8');
      expect(text.includes(aws.env.AWS_SECRET_ACCESS_KEY as string), name).toBe(false);
      expect(text, name).not.toMatch(/AKIA[A-Z2-7]{16}|AWS::IAM::AccessKey|SecretString|GenerateSecretString/);
    }
  });
});
