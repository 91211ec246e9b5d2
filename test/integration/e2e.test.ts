import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { identity } from '../../lib/aws/identity.js';
import {
  buildpackBucketName,
  CONFIG_VAR_NAMES,
  KIT_OBJECT_PREFIX,
  parseSecretValue,
  secretName,
  teamStackName,
  userName,
} from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { InProcess } from './support/in-process.js';
import { startTarget, unique, Workplace, type Target } from './support/target.js';
import { principalIn } from '../support/principals.js';
import { parseConfig } from '../../lib/config/index.js';

/** The main job from the command line, against whatever the environment names; by default against a sandbox of its own. */
let target: Target;
let work: Workplace;
/** The same commands without a process each, for what the first tests have shown of the command line. */
let here: InProcess;
let aws: Aws;
let heroku: Heroku;
let account = '';
const id = unique();
const one = `one-${id}`;
const two = `two-${id}`;
const apps = { builder: `e2e-${id}-builder`, api: `e2e-${id}-api`, lab: `e2e-${id}-lab`, web: `e2e-${id}-web` };
const HOH = 'https://github.com/mietek/haskell-on-heroku';

const file = (changes: Partial<Record<keyof typeof apps, string>> = {}) => `
buckets:
  common-${id}: { account: '${account}', region: us-east-1, retention: { retain: false } }
teams:
  ${one}:
    bucket: { shared: common-${id}, prefix: one }
    apps:
      ${apps.builder}: { mode: ${changes.builder ?? 'upload'} }
      ${apps.api}: { mode: ${changes.api ?? 'read-only'} }
      ${apps.lab}: { mode: ${changes.lab ?? 'public'} }
  ${two}:
    bucket: { account: '${account}', region: eu-west-1 }
    apps:
      ${apps.web}: { mode: ${changes.web ?? 'upload'}, clean: false }
signing: { version: 4, buildpack: hosted }
`;

beforeAll(async () => {
  target = await startTarget();
  Object.assign(process.env, target.env);
  aws = createAws({ region: 'us-east-1' });
  account = (await identity(aws)).account;
  heroku = createHeroku({ token: target.env.HEROKU_API_KEY ?? '', host: target.env.HEROKU_HOST });
  for (const app of Object.values(apps)) {
    await heroku.createApp({ name: app });
    await heroku.setBuildpacks(app, [HOH]);
    await heroku.patchConfigVars(app, { NOT_OURS: 'stays' });
  }
  work = new Workplace(target.env);
  work.write(file());
  here = new InProcess(target.env);
  here.write(file());
});

afterAll(async () => {
  await here?.kit(['down', '--all', '--bucket', `common-${id}`, '--delete-bucket', '--yes', '--force']);
  for (const app of Object.values(apps)) await heroku?.deleteApp(app);
  work?.remove();
  here?.remove();
  await target?.stop();
});

const secretOf = async (team: string, access: 'upload' | 'read-only' | 'append-only', region = 'us-east-1') => {
  const name = secretName(principalIn(parseConfig(file()), team, access));
  const answer = await (await createAws({ region }).secrets()).send(new GetSecretValueCommand({ SecretId: name }));
  return parseSecretValue(answer.SecretString ?? '', name);
};

const state = async () => ({
  keys: await Promise.all(
    (
      [
        { team: one, access: 'upload' },
        { team: one, access: 'read-only' },
        { team: two, access: 'append-only' },
      ] as const
    ).map(async (principal) =>
      (
        await (
          await aws.iam()
        ).send(new ListAccessKeysCommand({ UserName: userName(principalIn(parseConfig(file()), principal.team, principal.access)) }))
      ).AccessKeyMetadata?.map((key) => `${key.AccessKeyId} ${key.Status}`),
    ),
  ),
  releases: await Promise.all(Object.values(apps).map(async (app) => (await heroku.releases(app, { max: 1 }))[0]?.version)),
});

/** What the kit keeps in the buckets of the file: the record of holders, for one. */
async function kitObjects(): Promise<string[]> {
  const texts: string[] = [];
  for (const { bucket } of parseConfig(file()).teams) {
    if (bucket === undefined) continue;
    const s3 = await createAws({ region: bucket.spec.region }).s3();
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket.spec.name, Prefix: KIT_OBJECT_PREFIX }));
    for (const { Key } of Contents)
      texts.push((await (await s3.send(new GetObjectCommand({ Bucket: bucket.spec.name, Key }))).Body?.transformToString()) ?? '');
  }
  return texts;
}

describe('from one file to buckets proven by real builds', () => {
  test('a dry run shows everything and changes nothing', async () => {
    const before = await Promise.all(Object.values(apps).map((app) => heroku.releases(app)));
    const { stdout } = await work.ok(['up', '--all', '--dry-run', '--json']);
    const picture = JSON.parse(stdout) as {
      stacks: Array<{ stack: string }>;
      prove: unknown;
      teams: Array<{ plan: { steps: Array<{ kind: string }> } }>;
    };
    expect(picture.stacks.map(({ stack }) => stack)).toEqual(expect.arrayContaining([teamStackName(one), teamStackName(two)]));
    expect(picture.prove).toEqual([
      { team: one, modes: ['upload', 'read-only', 'public'] },
      { team: two, modes: ['upload'] },
    ]);
    expect(picture.teams.flatMap(({ plan }) => plan.steps.map(({ kind }) => kind))).toEqual(
      expect.arrayContaining(['create-key', 'verify', 'promote', 'write-apps']),
    );
    expect(await Promise.all(Object.values(apps).map((app) => heroku.releases(app)))).toEqual(before);
  });

  test('without --yes and without a terminal it asks for --yes, and changes nothing', async () => {
    const { code, stderr } = await work.kit(['up', '--all']);
    expect(code).toBe(1);
    expect(stderr).toContain('add --yes');
  });

  test('up deploys, makes keys, writes config vars and proves each mode', async () => {
    const seen = watchArguments();
    const { stdout, code, stderr } = await work.kit(['up', '--all', '--yes', '--verbose', '--json', '--evidence', 'evidence.json'], {
      onStart: (child) => seen.watch(child.pid ?? 0),
    });
    const commandLines = seen.stop();
    expect(code, stderr).toBe(0);
    expect(commandLines).toContain('halcyon-kit.js up');
    const result = JSON.parse(stdout) as {
      outcomes: Array<{ status: string }>;
      smoke: Array<{ mode: string; ok: boolean; proofs: unknown[] }>;
    };
    expect(result.outcomes.map(({ status }) => status)).toEqual(['done', 'done']);
    expect(result.smoke.map(({ mode, ok }) => [mode, ok])).toEqual(
      expect.arrayContaining([
        ['upload', true],
        ['read-only', true],
        ['public', true],
      ]),
    );
    const key = await secretOf(one, 'upload');
    const vars = await heroku.configVars(apps.builder);
    expect(vars).toMatchObject({
      HALCYON_AWS_ACCESS_KEY_ID: key.accessKeyId,
      HALCYON_AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      NOT_OURS: 'stays',
      HALCYON_S3_BUCKET: `halcyon-common-${id}-${account}-us-east-1/one`,
      HALCYON_S3_ACL: 'bucket-owner-full-control',
    });
    expect(Object.keys(await heroku.configVars(apps.lab)).filter((name) => (CONFIG_VAR_NAMES as string[]).includes(name))).toEqual([]);
    expect((await heroku.buildpacks(apps.builder))[0]).toMatch(/halcyon-sigv4-[0-9a-f]{64}\.tgz$/);
    for (const secret of [key.secretAccessKey, target.env.HEROKU_API_KEY ?? '', target.env.AWS_SECRET_ACCESS_KEY ?? '']) {
      if (secret !== '') expect(commandLines.includes(secret)).toBe(false);
    }
  });

  test('a second up changes nothing: no key, no PATCH, no release, and no build of what is proven', async () => {
    const before = await state();
    target.sandbox?.heroku.clearLog();
    target.sandbox?.aws.clearLog();
    const { stdout } = await work.ok(['up', '--all', '--yes', '--json']);
    const { outcomes, smoke, proven } = JSON.parse(stdout) as {
      outcomes: Array<{ status: string }>;
      smoke: unknown[];
      proven: Array<{ team: string }>;
    };
    expect(outcomes.every(({ status }) => status === 'done' || status === 'nothing-due')).toBe(true);
    expect(smoke).toEqual([]);
    expect(proven.map(({ team }) => team)).toEqual([one, two]);
    expect(await state()).toEqual(before);
    expect(target.sandbox?.heroku.log().filter(({ method }) => method !== 'GET') ?? []).toEqual([]);
    expect(
      target.sandbox?.aws
        .log()
        .filter(
          ({ operation }) => /AccessKey$|PutSecretValue|UpdateStack|CreateChangeSet/.test(operation) && !/^(List|Get)/.test(operation),
        ) ?? [],
    ).toEqual([]);
  });

  test('a hand-changed config var is mended, with one release on that app alone', async () => {
    await heroku.patchConfigVars(apps.api, { HALCYON_NO_UPLOAD: null });
    const before = await state();
    await work.ok(['sync', one, '--yes']);
    const after = await state();
    expect((await heroku.configVars(apps.api)).HALCYON_NO_UPLOAD).toBe('1');
    expect(after.releases.map((version, index) => (version ?? 0) - (before.releases[index] ?? 0))).toEqual([0, 1, 0, 0]);
    expect(after.keys).toEqual(before.keys);
  });

  test('no secret in anything printed, in the evidence, in a template, or in an object of the kit’s', async () => {
    const secrets = [
      (await secretOf(one, 'upload')).secretAccessKey,
      (await secretOf(one, 'read-only')).secretAccessKey,
      (await secretOf(two, 'append-only', 'eu-west-1')).secretAccessKey,
      ...[target.env.HEROKU_API_KEY, target.env.AWS_SECRET_ACCESS_KEY].filter((secret) => secret !== undefined),
    ];
    const templates = await Promise.all(
      [[one, 'us-east-1'] as const, [two, 'eu-west-1'] as const].map(
        async ([team, region]) =>
          (await (await createAws({ region }).cloudformation()).send(new GetTemplateCommand({ StackName: teamStackName(team) })))
            .TemplateBody ?? '',
      ),
    );
    const files = readdirSync(work.dir).map((name) => readFileSync(join(work.dir, name), 'utf8'));
    expect(files.length).toBeGreaterThanOrEqual(2);
    const objects = await kitObjects();
    expect(objects.join('')).toContain(apps.web);
    for (const text of [work.printed, ...templates, ...files, ...objects])
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });

  test('status says that all is as in the file', async () => {
    const { stdout } = await work.ok(['status']);
    expect(stdout).toContain(`${one}/upload`);
    expect(stdout).toMatch(new RegExp(`${apps.builder} .*current .*as in the file`));
  });
});

describe('operators', () => {
  test('the printed policy is all that an operator needs in AWS, and makes nobody an administrator', async () => {
    const iam = await aws.iam();
    const user = `e2e-operator-${id}`;
    const bounded = `${file()}permissionsBoundary: e2e-limit-${id}\n`;
    here.write(bounded);
    const printed = async (what: string) => (await here.ok(['policy', what])).stdout;
    // By an administrator, once: the boundary, and the operator.
    await iam.send(new CreatePolicyCommand({ PolicyName: `e2e-limit-${id}`, PolicyDocument: await printed('boundary') }));
    await iam.send(new CreateUserCommand({ UserName: user }));
    const managed = await iam.send(new CreatePolicyCommand({ PolicyName: user, PolicyDocument: await printed('operator') }));
    await iam.send(new AttachUserPolicyCommand({ UserName: user, PolicyArn: managed.Policy?.Arn }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: user }));
    const env = { AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId ?? '', AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? '' };
    for (const args of [
      ['status'],
      ['up', two, '--yes', '--no-smoke'], // sets the boundary on the user that is there
      ['rotate', two, '--yes', '--soak', '0s', '--no-smoke'],
      ['up', two, '--yes'],
      ['down', two, '--delete-bucket', '--yes'],
      ['up', two, '--yes', '--no-smoke'],
    ]) {
      const ran = await here.kit(args, { env });
      expect(ran.code, `${args.join(' ')}\n${ran.stderr}`).toBe(0);
    }
    const ours = userName(principalIn(parseConfig(file()), two, 'append-only'));
    expect((await iam.send(new GetUserCommand({ UserName: ours }))).User?.PermissionsBoundary?.PermissionsBoundaryArn).toMatch(
      new RegExp(`:policy/e2e-limit-${id}$`),
    );

    const operator = createAws({
      region: 'us-east-1',
      key: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    });
    const asOperator = await operator.iam();
    const everything = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
    const widen = (UserName: string) => new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument: everything });
    const denied = { name: expect.stringMatching(/^AccessDenied/) };
    // A user of one's own, without the boundary; then one that has none yet.
    await expect(asOperator.send(new CreateUserCommand({ UserName: `mine-${id}`, Path: '/halcyon/' }))).rejects.toMatchObject(denied);
    await iam.send(new CreateUserCommand({ UserName: `free-${id}`, Path: '/halcyon/' }));
    await expect(asOperator.send(widen(`free-${id}`))).rejects.toMatchObject(denied);
    // An app's user, whose key is in Heroku: its policy may say all, and it may do nothing more.
    await asOperator.send(widen(ours));
    const held = await secretOf(two, 'append-only', 'eu-west-1');
    const asApp = createAws({ region: 'us-east-1', key: held });
    await expect((await asApp.iam()).send(new CreateUserCommand({ UserName: `theirs-${id}` }))).rejects.toMatchObject(denied);
    // Out of the boundary, or into a wider one.
    await expect(asOperator.send(new DeleteUserPermissionsBoundaryCommand({ UserName: ours }))).rejects.toMatchObject(denied);
    const PermissionsBoundary = managed.Policy?.Arn;
    await expect(asOperator.send(new PutUserPermissionsBoundaryCommand({ UserName: ours, PermissionsBoundary }))).rejects.toMatchObject(
      denied,
    );
    // Nor is the buildpack the operator's to replace.
    const buildpack = { Bucket: buildpackBucketName(account, 'us-east-1'), Key: 'buildpack/planted' };
    const s3 = await operator.s3();
    await expect(s3.send(new PutObjectCommand({ ...buildpack, Body: 'x' }))).rejects.toMatchObject(denied);
    await s3.send(new PutObjectCommand({ ...buildpack, Body: 'x', IfNoneMatch: '*' }));
    await expect(s3.send(new DeleteObjectCommand(buildpack))).rejects.toMatchObject(denied);
    await iam.send(new DeleteUserPolicyCommand({ UserName: ours, PolicyName: 'all' }));
    await iam.send(new DeleteUserCommand({ UserName: `free-${id}` }));
    here.write(file());
    await here.ok(['up', two, '--yes', '--no-smoke']);
  });

  test('Ctrl-C half way leaves nothing that a rerun does not finish', async () => {
    await here.ok(['down', two, '--yes']);
    const interrupted = await work.kit(['up', two, '--yes', '--no-smoke'], {
      onStart: (child) => child.stderr?.on('data', (chunk) => /deploying halcyon-two/.test(String(chunk)) && child.kill('SIGINT')),
    });
    expect(interrupted.code).toBe(130);
    const { stdout } = await work.ok(['up', two, '--yes', '--no-smoke', '--json']);
    expect((JSON.parse(stdout) as { outcomes: Array<{ status: string }> }).outcomes[0]?.status).toBe('done');
    expect((await heroku.configVars(apps.web)).HALCYON_AWS_ACCESS_KEY_ID).toBe(
      (await secretOf(two, 'append-only', 'eu-west-1')).accessKeyId,
    );
  });

  test('an app that changes its mode moves to another principal, and the old one goes', async () => {
    here.write(file({ api: 'upload' }));
    await here.ok(['up', one, '--yes', '--no-smoke']);
    expect((await heroku.configVars(apps.api)).HALCYON_AWS_ACCESS_KEY_ID).toBe((await secretOf(one, 'upload')).accessKeyId);
    expect((await heroku.configVars(apps.api)).HALCYON_NO_UPLOAD).toBeUndefined();
    await here.ok(['rotate', one, '--finish', '--yes', '--soak', '0s']);
    await here.ok(['up', one, '--yes', '--no-smoke']);
    await expect(
      (await aws.iam()).send(new GetUserCommand({ UserName: userName(principalIn(parseConfig(file()), one, 'read-only')) })),
    ).rejects.toMatchObject({ name: 'NoSuchEntityException' });
    here.write(file());
    await here.ok(['up', one, '--yes', '--no-smoke']);
  });

  test('down unsets only our config vars, keeps the bucket, and up takes it back', async () => {
    await here.ok(['down', two, '--yes']);
    const vars = await heroku.configVars(apps.web);
    expect(vars.NOT_OURS).toBe('stays');
    expect(Object.keys(vars).filter((name) => (CONFIG_VAR_NAMES as string[]).includes(name))).toEqual([]);
    expect(await heroku.buildpacks(apps.web)).toEqual([HOH]);
    const { stderr } = await here.ok(['up', two, '--yes', '--no-smoke']);
    expect(stderr).toContain(`taking bucket halcyon-${two}-${account}-eu-west-1 back into halcyon-${two}`);
  });

  test('a shared bucket that is used is not taken down', async () => {
    const { code, stderr } = await here.kit(['down', '--bucket', `common-${id}`, '--yes']);
    expect(code).toBe(1);
    expect(stderr).toContain(`still used by team ${one}`);
  });
});

describe('mistakes, before anything is changed', () => {
  test.each([
    ['an app that does not exist', () => file().replace(apps.web, `no-such-app-${id}`), /no-such-app/],
    ['another account', () => file().replaceAll(account, '999988887777'), /999988887777.*--profile/s],
  ])('%s', async (_what, wrong, message) => {
    const before = await state();
    here.write(wrong());
    const ran = await here.kit(['up', two, '--yes']);
    here.write(file());
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(message);
    expect(await state()).toEqual(before);
  });

  test('a token that Heroku refuses', async () => {
    const { code, stderr } = await work.kit(['status'], { env: { HEROKU_API_KEY: 'not-a-token-of-heroku' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/HEROKU_API_KEY|heroku login/);
    expect(stderr).not.toContain('not-a-token-of-heroku');
  });
});

/** Command lines of a process and of all it starts, sampled while it runs. */
function watchArguments(): { watch(pid: number): void; stop(): string } {
  let seen = '';
  let timer: NodeJS.Timeout | undefined;
  const sample = (root: number) =>
    execFile('ps', ['-eo', 'pid=,ppid=,args='], { maxBuffer: 8 << 20 }, (_error, stdout) => {
      const family = new Set([root]);
      for (const line of stdout.split('\n')) {
        const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
        if (!family.has(Number(pid)) && !family.has(Number(parent))) continue;
        family.add(Number(pid));
        seen += `${args}\n`;
      }
    });
  return {
    watch: (pid) => (timer = setInterval(() => sample(pid), 100)),
    stop() {
      clearInterval(timer);
      return seen;
    },
  };
}
