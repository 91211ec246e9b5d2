import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import { startWire, type Wire } from '../engine/support/wire.js';
import { InProcess } from './support/in-process.js';
import { Workplace } from './support/target.js';

/** From apps that were set up by hand to a file, and from that file to the kit's keys, with nothing broken on the way. */
const BUCKET = 'acme-hand-made';
const SECRETS: string[] = [];
let wire: Wire;
let work: InProcess;
const keys: Record<string, { id: string; secret: string }> = {};

const iam = () => wire.aws.iam();
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:*'], Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`] }],
});
async function handMadeUser(UserName: string) {
  await (await iam()).send(new CreateUserCommand({ UserName }));
  await (await iam()).send(new PutUserPolicyCommand({ UserName, PolicyName: 'packages', PolicyDocument: policy }));
  const { AccessKey } = await (await iam()).send(new CreateAccessKeyCommand({ UserName }));
  keys[UserName] = { id: AccessKey?.AccessKeyId ?? '', secret: AccessKey?.SecretAccessKey ?? '' };
  SECRETS.push(keys[UserName].secret);
}
const set = (app: string, vars: Record<string, string | null>) => wire.heroku.patchConfigVars(app, vars);
const storage = (user: string, more: Record<string, string> = {}) => ({
  HALCYON_AWS_ACCESS_KEY_ID: keys[user]?.id ?? '',
  HALCYON_AWS_SECRET_ACCESS_KEY: keys[user]?.secret ?? '',
  HALCYON_S3_BUCKET: `${BUCKET}/halcyon`,
  ...more,
});
const heroku = async (path: string, body: object) => {
  const { url, token } = wire.sandbox.heroku;
  const headers = { Authorization: `Bearer ${token}`, Accept: 'application/vnd.heroku+json; version=3' };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await answer.json()) as { id: string };
};
const keysOf = async (UserName: string) => (await (await iam()).send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata ?? [];
const file = () => readFileSync(join(work.dir, 'halcyon.yaml'), 'utf8');
const apps = () => parseConfig(file()).teams.flatMap((team) => team.apps.map((app) => [team.name, app.name, app.mode]));

beforeAll(async () => {
  wire = await startWire();
  work = new InProcess(wire.sandbox.env);
  for (const app of ['hand-builder', 'hand-api', 'hand-lab', 'hand-free']) await wire.sandbox.heroku.ensureApp(app, { team: 'acme' });
  await wire.sandbox.heroku.ensureApp('hand-other', { forbidden: true });
  const s3 = await wire.aws.s3();
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'halcyon/linux/package.tar.gz', Body: 'package' }));
  await handMadeUser('acme-heroku');
  await handMadeUser('acme-readers');
  // Two that write the same config var in turn.
  for (const acl of ['private', 'bucket-owner-full-control', 'private']) await set('hand-builder', { HALCYON_S3_ACL: acl });
  await set('hand-builder', storage('acme-heroku', { HALCYON_S3_ENDPOINT: 's3.amazonaws.com', OTHER: 'left alone' }));
  await set('hand-api', storage('acme-readers', { HALCYON_NO_UPLOAD: '1' }));
  await set('hand-lab', { HALCYON_NO_PUBLIC_STORAGE: '1' });
  await set('hand-free', { UNRELATED: '1' });
});
afterAll(async () => {
  work?.remove();
  await wire?.stop();
});

describe('adopt', () => {
  test('describes what is there, changes nothing, and never writes over a file', async () => {
    const before = await Promise.all(['hand-builder', 'hand-api', 'hand-lab', 'hand-free'].map((app) => wire.heroku.releases(app)));
    const { stdout } = await work.ok(['adopt', '--heroku-team', 'acme', '-o', join(work.dir, 'halcyon.yaml')]);
    expect(apps()).toEqual([
      ['acme', 'hand-api', 'read-only'],
      ['acme', 'hand-builder', 'upload'],
      ['acme', 'hand-lab', 'public'],
    ]);
    const [team] = parseConfig(file()).teams;
    expect(team).toMatchObject({
      bucket: { kind: 'existing', prefix: 'halcyon', spec: { name: BUCKET, account: '111122223333', region: 'eu-west-1' } },
      heroku: { team: 'acme' },
    });
    expect(file()).toContain(`key today: ${keys['acme-heroku']?.id} of IAM user acme-heroku, held by hand-builder`);
    expect(stdout).toMatch(/note: hand-builder: HALCYON_S3_ACL went to and fro in v\d+, v\d+, v\d+/);
    expect(file()).not.toContain('EDIT:');
    const again = await work.kit(['adopt', 'hand-lab', '-o', join(work.dir, 'halcyon.yaml')]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('exists already')]);
    const after = await Promise.all(['hand-builder', 'hand-api', 'hand-lab', 'hand-free'].map((app) => wire.heroku.releases(app)));
    expect(after).toEqual(before);
  });

  test('by a pipeline, by Terraform, and of all that the account sees', async () => {
    const seen = async (...args: string[]) => {
      const { teams } = JSON.parse((await work.ok(['adopt', ...args, '--dry-run', '--json'])).stdout) as {
        teams: Array<{ apps: Array<{ name: string; remarks: string[] }> }>;
      };
      return teams.flatMap((team) => team.apps);
    };
    const pipeline = await heroku('/pipelines', { name: 'acme-pipe' });
    await heroku('/pipeline-couplings', { pipeline: pipeline.id, app: 'hand-api', stage: 'production' });
    expect((await seen('--pipeline', 'acme-pipe')).map(({ name }) => name)).toEqual(['hand-api']);
    const shown = {
      values: {
        root_module: {
          child_modules: [{ resources: [{ type: 'heroku_app', values: { name: 'hand-builder', config_vars: { HALCYON_S3_ACL: 'x' } } }] }],
        },
      },
    };
    writeFileSync(join(work.dir, 'state.json'), JSON.stringify(shown));
    const [managed] = await seen('--terraform', join(work.dir, 'state.json'));
    expect(managed).toMatchObject({
      name: 'hand-builder',
      remarks: expect.arrayContaining([expect.stringMatching(/^Terraform sets HALCYON_S3_ACL:/)]),
    });
    expect((await work.ok(['adopt', 'hand-api', 'hand-other', '--dry-run'])).stdout).toMatch(/# Left out: hand-other: Heroku refused/);
    expect((await seen()).map(({ name }) => name)).toEqual(['hand-api', 'hand-builder', 'hand-lab']);
    expect((await work.kit(['adopt', 'hand-free', '--dry-run'])).stderr).toContain('none of 1 apps has config vars of Halcyon');
  });

  test('without AWS credentials says what is to be filled in', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIANOSUCHKEY0000001', AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) };
    const before = { ...process.env };
    Object.assign(process.env, env);
    const { stdout, stderr } = await work.ok(['adopt', 'hand-builder', '-o', '-']);
    Object.assign(process.env, before);
    expect(stdout).toMatch(/account: "111122223333" # EDIT\n +region: us-east-1 # EDIT/);
    expect(stderr).toContain('not all of AWS could be looked at');
  });
});

describe('the first up', () => {
  test('is planned with every value that it overwrites; the bucket is none of its stacks', async () => {
    await work.ok(['validate']);
    const { stdout } = await work.ok(['plan', '--all']);
    expect(stdout).toMatch(/HALCYON_S3_ENDPOINT: s3\.amazonaws\.com → localhost:\d+/);
    expect(stdout).toMatch(/HALCYON_S3_ACL: private → bucket-owner-full-control/);
    expect(stdout).toContain(`note: hand-builder has ${keys['acme-heroku']?.id}, which is no key of team acme`);
    expect(stdout).not.toMatch(/^\+ .* bucket +.*acme/m);
  });

  test('gives the apps keys of the kit’s, and leaves the hand-made ones, their users and the bucket as they were', async () => {
    const running = wire.sandbox.heroku.holdBuild('hand-builder');
    await work.ok(['up', '--all', '--yes', '--no-smoke']);
    for (const user of ['acme-heroku', 'acme-readers']) {
      expect(await keysOf(user)).toMatchObject([{ AccessKeyId: keys[user]?.id, Status: 'Active' }]);
      const kept = await (await iam()).send(new GetUserPolicyCommand({ UserName: user, PolicyName: 'packages' }));
      expect(JSON.parse(decodeURIComponent(kept.PolicyDocument ?? ''))).toEqual(JSON.parse(policy));
      // What a build holds that began before goes on.
      const { id, secret } = keys[user] ?? { id: '', secret: '' };
      const client = await wire.aws.as({ accessKeyId: id, secretAccessKey: secret }).s3();
      await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'halcyon/linux/package.tar.gz' }));
    }
    running.end();
    await expect((await wire.aws.s3()).send(new GetBucketPolicyCommand({ Bucket: BUCKET }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
    const builder = await wire.heroku.configVars('hand-builder');
    expect(builder).toMatchObject({
      OTHER: 'left alone',
      HALCYON_S3_BUCKET: `${BUCKET}/halcyon`,
      HALCYON_S3_ACL: 'bucket-owner-full-control',
    });
    expect(builder.HALCYON_AWS_ACCESS_KEY_ID).not.toBe(keys['acme-heroku']?.id);
    // The doctor asks S3 as each app would.
    const { findings } = JSON.parse((await work.kit(['doctor', '--all', '--write-probe', '--json'])).stdout) as {
      findings: Array<{ severity: string; name: string; message: string }>;
    };
    // The build that was held above made a release with nothing to run.
    expect(findings.filter(({ severity, name }) => severity === 'broken' && name !== 'buildpack-only')).toEqual([]);
    expect((await work.ok(['plan', '--all'])).stdout).toContain('nothing to change');
    const { configVars } = JSON.parse((await work.ok(['explain', 'hand-builder', '--json'])).stdout) as {
      configVars: Array<{ live: string }>;
    };
    expect([...new Set(configVars.map(({ live }) => live))]).toEqual(['same']);
  });

  test('is followed by short-lived credentials for a developer: what the mode may, for a while, and no more', async () => {
    const cli = new Workplace(wire.sandbox.env);
    cli.write(file());
    const UserName = 'acme-developer';
    await (await iam()).send(new CreateUserCommand({ UserName }));
    const own = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' }] });
    await (await iam()).send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: own }));
    const { AccessKey } = await (await iam()).send(new CreateAccessKeyCommand({ UserName }));
    const asUser = { AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId ?? '', AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? '' };
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole' }],
    };
    const made = await (
      await iam()
    ).send(new CreateRoleCommand({ RoleName: 'developers', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    await (await iam()).send(new PutRolePolicyCommand({ RoleName: 'developers', PolicyName: 'own', PolicyDocument: own }));
    const role = made.Role?.Arn ?? '';
    const get = async (...args: string[]) => {
      const ran = await cli.kit(['creds', 'acme', '--json', ...args], { env: asUser });
      const found = JSON.parse(ran.stdout) as Record<string, string>;
      for (const secret of [found.SecretAccessKey, found.SessionToken]) expect(ran.stderr).not.toContain(secret);
      return found;
    };
    const may = async (found: Record<string, string>, key: string) => {
      const credentials = {
        accessKeyId: found.AccessKeyId ?? '',
        secretAccessKey: found.SecretAccessKey ?? '',
        sessionToken: found.SessionToken ?? '',
      };
      const handler = new NodeHttpHandler(await wire.aws.network.agents('aws'));
      const s3 = new S3Client({ region: 'eu-west-1', forcePathStyle: true, requestHandler: handler, credentials });
      const tried = async (work: () => Promise<unknown>) =>
        work().then(
          () => true,
          (error: Error) => error.name !== 'AccessDenied',
        );
      const acl = { ACL: 'bucket-owner-full-control' as const };
      return {
        get: await tried(() => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'halcyon/linux/package.tar.gz' }))),
        put: await tried(() => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `halcyon/${key}`, Body: 'x', ...acl }))),
        outside: await tried(() => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'elsewhere' }))),
        delete: await tried(() => s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: `halcyon/${key}` }))),
      };
    };
    const readOnly = await get();
    expect([readOnly.Version, Math.round((Date.parse(readOnly.Expiration ?? '') - Date.now()) / 600_000)]).toEqual([1, 6]);
    expect(await may(readOnly, 'a')).toEqual({ get: true, put: false, outside: false, delete: false });
    expect(await may(await get('--mode', 'append-only', '--duration', '15m'), 'b')).toEqual({
      get: true,
      put: true,
      outside: false,
      delete: false,
    });
    expect(await may(await get('--mode', 'upload', '--role', role), 'c')).toEqual({ get: true, put: true, outside: false, delete: true });
    const lines = await cli.kit(['creds', 'acme', '--role', role], { env: asUser });
    expect(lines.stdout).toMatch(
      /^export AWS_ACCESS_KEY_ID=ASIA\S+\nexport AWS_SECRET_ACCESS_KEY=\S+\nexport AWS_SESSION_TOKEN=\S+\nexport AWS_REGION=eu-west-1\n$/,
    );
    const session = /TOKEN=(\S+)/.exec(lines.stdout)?.[1] ?? '';
    const asRole = {
      AWS_ACCESS_KEY_ID: /ID=(\S+)/.exec(lines.stdout)?.[1] ?? '',
      AWS_SECRET_ACCESS_KEY: /SECRET_ACCESS_KEY=(\S+)/.exec(lines.stdout)?.[1] ?? '',
    };
    const refused = await cli.kit(['creds', 'acme'], { env: { ...asRole, AWS_SESSION_TOKEN: session } });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('name a role that may use the bucket with --role ARN')]);
    expect((await cli.kit(['creds', 'acme', '--duration', '2d'], { env: asUser })).stderr).toContain('from 15m to 36h');
    cli.remove();
  });

  test('makes them the kit’s: adopt finds them set up', async () => {
    const { stderr } = await work.kit(['adopt', 'hand-builder', '--dry-run']);
    expect(stderr).toContain('it has a key of the kit');
  });

  test('down leaves the bucket and the hand-made keys', async () => {
    await work.ok(['down', '--all', '--yes']);
    expect(await keysOf('acme-heroku')).toMatchObject([{ Status: 'Active' }]);
    await (await wire.aws.s3()).send(new GetObjectCommand({ Bucket: BUCKET, Key: 'halcyon/linux/package.tar.gz' }));
  });
});

test('no secret was ever printed or written', () => {
  expect(SECRETS.length).toBe(2);
  for (const secret of SECRETS) expect(work.printed + file()).not.toContain(secret);
});
