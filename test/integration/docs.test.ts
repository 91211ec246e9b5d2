import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  ListAccessKeysCommand,
  ListPoliciesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { principalsOf } from '../../lib/config/derive.js';
import { loadConfig } from '../../lib/config/index.js';
import { leaseKey, userName } from '../../lib/contract/index.js';
import { inactiveTag } from '../../lib/engine/tags.js';
import { sourceTree } from '../../lib/smoke/archive.js';
import { Objects } from '../../lib/smoke/objects.client.js';
import { startWire, type Wire } from '../engine/support/wire.js';
import { block, blocksOf, linesOf, shown } from '../support/markdown.js';
import { toolchain } from '../upstream/support/toolchain.js';
import { missing, upstreamDir } from '../upstream/support/upstream.js';
import { InProcess } from './support/in-process.js';
import type { Ran } from './support/target.js';

/** What the pages tell a newcomer to do, done in their order and by their own blocks. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const APPS = ['payments-builder', 'payments-api', 'payments-lab'];
const HOH = 'https://github.com/mietek/haskell-on-heroku';
const BUCKET = 'acme-packages';
const ACCEPT = linesOf(block('docs/accept.md', 'Acceptance on your own accounts'));
let wire: Wire;
let work: InProcess;
const cwd = process.cwd();

/** Lines that this file does not carry out, with whoever does, or why nobody. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'cd halcyon-kit': 'is where all of this runs',
  'npm run demo': 'the sandbox, up, rotate and down once more: a command of its own',
  [ACCEPT[1] ?? '']: 'test/whole/accept.test.ts, by this very line',
  [ACCEPT[2] ?? '']: 'test/integration/accept.test.ts, by this very line',
  'node_exporter --collector.textfile.directory=/var/lib/node_exporter': "someone else's program, which is not here",
};
const entered: string[] = [];

/** By bash, where a line is more than a command of ours. */
const shell = (line: string): Promise<Ran> =>
  new Promise((done) => {
    const env = { ...process.env, HOME: work.dir, PATH: `${join(work.dir, 'bin')}:${process.env.PATH}` };
    execFile('bash', ['-o', 'pipefail', '-c', line], { env }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

/** A line of a page as a person would enter it, who puts values for `AKIA…` and says yes. */
async function enter(line: string, code = 0, key = ''): Promise<string> {
  entered.push(line);
  const [, own, into] = /^halcyon-kit (?!accept)([^|>$&;]*?)(?: > (\S+))?$/.exec(line) ?? [];
  const ran = own === undefined ? await shell(line) : await work.kit(own.replace('AKIA…', key).split(/\s+/), { bare: true });
  if (into !== undefined) writeFileSync(into, ran.stdout);
  const output = stripVTControlCharacters(`${ran.stdout}\n${ran.stderr}`);
  if (ran.code !== code) throw new Error(`${line} ended with ${ran.code}, not ${code}:\n${output}`);
  return output;
}
const lines = (...of: Parameters<typeof block>): string[] => linesOf(block(...of));
/** What a page shows of an output is what there is. */
function shows(output: string, page: string, heading: string, nth = 0): void {
  for (const line of shown(block(page, heading, 'text', nth))) expect(output).toMatch(line);
}

const iam = () => wire.aws.iam();
const held = async (app: string) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID ?? '';
const file = () => readFileSync('halcyon.yaml', 'utf8');

beforeAll(async () => {
  // For what is prebuilt: that is upstream's own doing, where it is at hand.
  const upstream = (name: string) => `file://${join(upstreamDir, name)}`;
  const buildEnv = { HALCYON_URL: upstream('halcyon'), BASHMENOT_URL: upstream('bashmenot') };
  wire = await startWire({ heroku: missing ? {} : { readable: [upstreamDir], buildEnv } });
  work = new InProcess(wire.sandbox.env);
  mkdirSync(join(work.dir, 'bin'));
  const program = (name: string, script: string) => {
    writeFileSync(join(work.dir, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(work.dir, 'bin', name), 0o755);
  };
  program('halcyon-kit', `exec '${process.execPath}' '${join(root, 'dist/bin/halcyon-kit.js')}' "$@"`);
  program('heroku', `echo '${wire.sandbox.heroku.token}'`);
  program('terraform', `cat '${join(work.dir, 'state.json')}'`);
  const resources = APPS.map((name) => ({ type: 'heroku_app', values: { name } }));
  writeFileSync(join(work.dir, 'state.json'), JSON.stringify({ values: { root_module: { resources } } }));
  for (const app of APPS) await wire.sandbox.heroku.ensureApp(app, { team: 'acme', buildpacks: [HOH] });
});
afterAll(async () => {
  process.chdir(cwd);
  work?.remove();
  await wire?.stop();
});

describe('README.md, "For real"', () => {
  beforeAll(() => {
    mkdirSync(join(work.dir, 'my-deployment'));
    process.chdir(join(work.dir, 'my-deployment'));
  });

  test('from no file to keys that are rotated on a schedule', async () => {
    const [install, home, init, ...rest] = lines('README.md', 'For real');
    // npm ci: whoever runs this has done that.
    expect((install ?? '').split(' && ')).toEqual(['npm ci', 'npm install --global .']);
    const prefix = join(work.dir, 'global');
    await enter(`cd '${root}' && export npm_config_prefix='${prefix}' && ${install?.replace('npm ci && ', '')}`);
    expect(await enter(`'${join(prefix, 'bin/halcyon-kit')}' version`)).toMatch(/^\d+\.\d+\.\d+$/m);
    expect(home).toBe('cd ~/my-deployment');
    entered.push(install ?? '', home ?? '');
    await enter(init ?? '');
    await enter('halcyon-kit validate');
    // "edit it"
    writeFileSync('halcyon.yaml', block('README.md', 'Halcyon kit', 'yaml'));
    const [valid, dry, up, due] = rest;
    await enter(valid ?? '');
    await enter(dry ?? '');
    // The same by docs/plans.md, the second way that the block names.
    const [plan, verbose] = lines('docs/plans.md', 'Plans');
    shows(await enter(plan ?? ''), 'docs/plans.md', 'Plans');
    await enter(verbose ?? '');
    expect(await enter(lines('docs/plans.md', 'For a script: has anything changed?')[0] ?? '')).toContain('the world differ');
    expect(await held('payments-api')).toBe('');
    expect(up).toBe('halcyon-kit up --all');
    // There is no bucket to look into yet.
    expect(await enter('halcyon-kit status --packages')).toMatch(/^note: .*halcyon-payments-111122223333-eu-west-1/m);
    const [out, next] = lines('docs/plans.md', 'What was looked at is what is done');
    await enter(out ?? '');
    const output = await enter(next ?? '');
    // The block shows the demo's run, of which this is one team.
    const proofs = block('README.md', 'Sixty seconds, no accounts', 'text').split('\n');
    for (const line of shown(proofs.filter((one) => one.startsWith('✔  payments ')).join('\n'))) expect(output).toMatch(line);
    await enter(due ?? '');
  });

  test('and what a rotation prints', async () => {
    const [, ...rotation] = block('README.md', 'Sixty seconds, no accounts', 'text').split('$ halcyon-kit rotate ');
    const output = await enter(`halcyon-kit rotate ${rotation.join('').split('\n')[0]}`);
    for (const line of shown(rotation.join('').split('\n').slice(1).join('\n'))) expect(output).toMatch(line);
  });

  test('docs/plans.md, of what is there', async () => {
    const [, , rotate, down] = lines('docs/plans.md', 'Plans');
    shows(await enter(rotate ?? ''), 'docs/plans.md', 'Plans', 1);
    expect(await enter(down ?? '')).toMatch(/halcyon-payments[^]*bucket halcyon-payments-111122223333-eu-west-1/);
  });

  test('docs/status.md, docs/doctor.md and docs/configuration.md', async () => {
    const [all, verbose, metrics, page] = lines('docs/status.md', 'Status: on the terminal, as metrics, as a page');
    shows(await enter(all ?? ''), 'docs/status.md', 'Status: on the terminal, as metrics, as a page');
    expect(await enter(verbose ?? '')).toMatch(/payments-api +read-only +current +as in the file/);
    await enter(metrics ?? '');
    expect(readFileSync('halcyon.prom', 'utf8')).toContain('halcyon_apps{team="payments",state="current"} 3');
    await enter(page ?? '');
    expect(readFileSync('fleet.html', 'utf8')).toContain('payments-lab');
    const [cron] = lines('docs/status.md', 'Metrics');
    mkdirSync('node_exporter');
    await enter((cron ?? '').replace('/var/lib/', ''));
    entered.push(cron ?? '');
    expect(existsSync('node_exporter/halcyon.prom')).toBe(true);
    for (const line of lines('docs/status.md', 'A journal')) shows(await enter(line), 'docs/status.md', 'A journal');
    shows(await enter(lines('docs/doctor.md', 'What the doctor finds')[0] ?? ''), 'docs/doctor.md', 'What the doctor finds');
    for (const line of lines('docs/configuration.md', 'What an app gets by it')) await enter(line);
  });

  test('docs/packages.md: what no app could use', async () => {
    const [, dry, prune] = lines('docs/packages.md', 'What is in the bucket');
    const bucket = { name: 'halcyon-payments-111122223333-eu-west-1', account: '111122223333' };
    await new Objects(wire.aws, bucket).put(
      'linux-ubuntu-14.04-x86_64/halcyon-ghc-7.8.4.tar.gz',
      Buffer.from('of a stack that is no more'),
    );
    shows(await enter(dry ?? ''), 'docs/packages.md', 'What is in the bucket', 1);
    await enter(prune ?? '', 2);
    await enter(lines('docs/packages.md', 'From a scheduler')[0] ?? '', 2);
  });

  test('and all of it taken down again', async () => {
    await enter('halcyon-kit down payments --delete-bucket --yes');
    expect(await held('payments-builder')).toBe('');
  });
});

describe('what there is to prepare', () => {
  beforeAll(() => {
    mkdirSync(join(work.dir, 'prepared'));
    process.chdir(join(work.dir, 'prepared'));
  });

  test('docs/operator-policy.md: what it prints AWS takes, by the AWS CLI where there is one', async () => {
    writeFileSync('halcyon.yaml', block('README.md', 'Halcyon kit', 'yaml'));
    const cli = (await shell('aws --version')).code === 0;
    for (const line of lines('docs/operator-policy.md', 'What the operator must be allowed to do')) {
      const [, PolicyName, path] = /^aws iam create-policy --policy-name (\S+) --policy-document file:\/\/(\S+)$/.exec(line) ?? [];
      if (cli || path === undefined) await enter(line);
      else await (await iam()).send(new CreatePolicyCommand({ PolicyName, PolicyDocument: readFileSync(path, 'utf8') }));
      entered.push(line);
    }
    const { Policies = [] } = await (await iam()).send(new ListPoliciesCommand({ Scope: 'Local' }));
    expect(Policies.map(({ PolicyName }) => PolicyName)).toEqual(expect.arrayContaining(['halcyon-boundary', 'halcyon-operator']));
    expect(readFileSync('operator.json', 'utf8')).toContain('policy/halcyon-boundary');
  });

  test('docs/configuration.md: several Heroku accounts', async () => {
    writeFileSync(
      'halcyon.yaml',
      block('README.md', 'Halcyon kit', 'yaml').replace('payments:', '$&\n    heroku: { tokenFrom: HEROKU_TOKEN_PAYMENTS }'),
    );
    const [token, plan] = lines('docs/configuration.md', 'Several Heroku accounts');
    process.env.HEROKU_TOKEN_PAYMENTS = (await enter(`${token}; echo "$HEROKU_TOKEN_PAYMENTS"`)).trim();
    await enter(plan ?? '');
    delete process.env.HEROKU_TOKEN_PAYMENTS;
  });

  test('docs/doctor.md: build logs', async () => {
    writeFileSync('halcyon.yaml', block('README.md', 'Halcyon kit', 'yaml'));
    const [pasted, fetched] = lines('docs/doctor.md', 'What a build log tells');
    writeFileSync('build.log', '-----> Welcome to Haskell on Heroku\n   *** ERROR: Incorrect HALCYON_S3_ENDPOINT for b: e\n');
    await enter(pasted ?? '', 1);
    wire.sandbox.heroku.holdBuild('payments-api').end();
    await enter(fetched ?? '');
  });
});

describe('docs/adopt.md', () => {
  const UserName = 'heroku';
  let byHand = '';

  beforeAll(async () => {
    mkdirSync(join(work.dir, 'adopted'));
    process.chdir(join(work.dir, 'adopted'));
    for (const [path, { content }] of Object.entries(sourceTree('payments', 'a source'))) writeFileSync(path, content);
    const s3 = await wire.aws.s3();
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    const Resource = [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource }] });
    await (await iam()).send(new CreateUserCommand({ UserName }));
    await (await iam()).send(new PutUserPolicyCommand({ UserName, PolicyName: 'packages', PolicyDocument }));
    const { AccessKey } = await (await iam()).send(new CreateAccessKeyCommand({ UserName }));
    byHand = AccessKey?.AccessKeyId ?? '';
    const storage = {
      HALCYON_AWS_ACCESS_KEY_ID: byHand,
      HALCYON_AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? '',
      HALCYON_S3_BUCKET: BUCKET,
    };
    for (const app of APPS) await wire.heroku.setBuildpacks(app, [HOH]);
    await wire.heroku.patchConfigVars('payments-builder', { ...storage, HALCYON_S3_ENDPOINT: 's3.amazonaws.com' });
    await wire.heroku.patchConfigVars('payments-api', { ...storage, HALCYON_NO_UPLOAD: '1' });
    await wire.heroku.patchConfigVars('payments-lab', { HALCYON_NO_PRIVATE_STORAGE: '1' });
    const { url, token } = wire.sandbox.heroku;
    const post = async (path: string, body: object) => {
      const headers = { Authorization: `Bearer ${token}`, Accept: 'application/vnd.heroku+json; version=3' };
      return (await (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as { id: string };
    };
    const pipeline = await post('/pipelines', { name: 'payments' });
    for (const app of APPS) await post('/pipeline-couplings', { pipeline: pipeline.id, app, stage: 'production' });
  });

  test("each way to name the apps; the first one's file is the one to go on with", async () => {
    const [all, ...others] = lines('docs/adopt.md', 'Taking over what was set up by hand');
    await enter(all ?? '');
    renameSync('halcyon.yaml', 'first.yaml');
    for (const line of others) {
      const output = await enter(line);
      const written = line.includes('--dry-run') ? output : readFileSync(/-o (\S+)/.exec(line)?.[1] ?? 'halcyon.yaml', 'utf8');
      expect(written).toMatch(/payments-builder: \{? *\n? *mode: upload/);
      if (line.includes('--dry-run')) shows(output, 'docs/adopt.md', 'Taking over what was set up by hand');
      rmSync('halcyon.yaml', { force: true });
    }
    renameSync('first.yaml', 'halcyon.yaml');
    expect(existsSync('acme.yaml')).toBe(true);
  });

  test('then planned and brought up, with the hand-made keys left alone', async () => {
    // "rename it before the first up"
    writeFileSync('halcyon.yaml', file().replace(/^  acme:/m, '  payments:'));
    expect(file()).toMatch(/existing: "?acme-packages/);
    const [valid, dry, up] = lines('docs/adopt.md', 'Taking over what was set up by hand', 'sh', 1);
    await enter(valid ?? '');
    const shown = await enter(dry ?? '');
    expect(shown).toMatch(/HALCYON_S3_ENDPOINT: s3\.amazonaws\.com → /);
    shows(shown, 'docs/adopt.md', 'Taking over what was set up by hand', 1);
    expect(await held('payments-builder')).toBe(byHand);
    await enter(up ?? '');
    expect([byHand, '']).not.toContain(await held('payments-builder'));
    const { AccessKeyMetadata } = await (await iam()).send(new ListAccessKeysCommand({ UserName }));
    expect(AccessKeyMetadata).toMatchObject([{ AccessKeyId: byHand, Status: 'Active' }]);
  });

  test('docs/prebuild.md: refused without a GHC in the bucket; with one the packages are built, and the app is deployed from them', async () => {
    const [dry, build, deploy] = lines('docs/prebuild.md', 'Prebuilding');
    const refused = await enter(dry ?? '', 1);
    const place = /no GHC, and there is none under s3:\/\/acme-packages\/(\S*);.*put a GHC archive there/.exec(refused)?.[1];
    expect(place).toBeDefined();
    const objects = new Objects(wire.aws, { name: BUCKET, account: '111122223333' });
    // A compiler that stands in for the real one.
    for (const [key, archive] of toolchain((place ?? '').replace(/\/$/, ''))) await objects.put(key, archive);
    shows(await enter(dry ?? ''), 'docs/prebuild.md', 'Prebuilding');
    if (missing) return console.warn('nothing is prebuilt: set HALCYON_UPSTREAM_DIR');
    const buildpacks = await wire.heroku.buildpacks('payments-builder');
    const real = buildpacks.map((url) => (url === HOH ? `file://${join(upstreamDir, 'haskell-on-heroku')}` : url));
    await wire.heroku.setBuildpacks('payments-builder', real);
    const before = await wire.heroku.releases('payments-builder');
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    shows(await enter(build ?? ''), 'docs/prebuild.md', 'Prebuilding', 1);
    expect(await wire.heroku.releases('payments-builder')).toEqual(before);
    await enter(deploy ?? '');
    const [release] = await wire.heroku.releases('payments-builder');
    expect(release?.version).toBeGreaterThan(before[0]?.version ?? 0);
    shows(await enter(lines('docs/packages.md', 'What is in the bucket')[0] ?? ''), 'docs/packages.md', 'What is in the bucket');
    const output = await enter(lines('docs/status.md', 'What is in the buckets')[0] ?? '');
    shows(output, 'docs/status.md', 'What is in the buckets');
    await wire.heroku.setBuildpacks('payments-builder', buildpacks);
    expect(readFileSync('fleet.html', 'utf8')).toMatch(/"kind":"install","files":\d+,"bytes":\d+/);
  });

  test('docs/accept.md and docs/cost.md: what it would cost', async () => {
    const [dry] = lines('docs/accept.md', 'Acceptance on your own accounts');
    expect(lines('docs/cost.md', 'What the kit says beforehand')).toContain(dry);
    shows(await enter(dry ?? ''), 'docs/cost.md', 'What the kit says beforehand');
  });
});

describe('docs/runbooks.md', () => {
  const users = async () => {
    const [team] = (await loadConfig('halcyon.yaml')).teams;
    return team === undefined ? [] : principalsOf(team).map(userName);
  };
  const uploader = async () => (await users()).find((name) => name.includes('upload')) ?? '';
  const day = async () => {
    for (const UserName of await users()) {
      const { AccessKeyMetadata = [] } = await (await iam()).send(new ListAccessKeysCommand({ UserName }));
      const Tags = AccessKeyMetadata.filter(({ Status }) => Status === 'Inactive').map(({ AccessKeyId = '' }) => ({
        Key: inactiveTag(AccessKeyId),
        Value: new Date(Date.now() - 25 * 3_600_000).toISOString(),
      }));
      if (Tags.length > 0) await (await iam()).send(new TagUserCommand({ UserName, Tags }));
    }
  };

  test('Planned rotation', async () => {
    const [dry, rotate, finish, due] = lines('docs/runbooks.md', 'Planned rotation');
    const first = await held('payments-builder');
    await enter(dry ?? '');
    expect(await held('payments-builder')).toBe(first);
    await enter(rotate ?? '', 2);
    expect(await held('payments-builder')).not.toBe(first);
    await enter(finish ?? '', 2);
    await day();
    await enter(finish ?? '');
    await enter(due ?? '');
    const { AccessKeyMetadata } = await (await iam()).send(new ListAccessKeysCommand({ UserName: await uploader() }));
    expect(AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId)).toEqual([await held('payments-builder')]);
  });

  test('A key has leaked', async () => {
    const leaked = await held('payments-builder');
    const [emergency] = lines('docs/runbooks.md', 'A key has leaked');
    await enter(emergency ?? '', 0, leaked);
    expect([leaked, '']).not.toContain(await held('payments-builder'));
    const { AccessKeyMetadata } = await (await iam()).send(new ListAccessKeysCommand({ UserName: await uploader() }));
    expect(AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId)).not.toContain(leaked);
  });

  test("Packages on a developer's machine", async () => {
    const Statement = [{ Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    const trust = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole' };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
    const [UserName, RoleName, PolicyName] = ['developer', 'developers', 'own'];
    await (await iam()).send(new CreateUserCommand({ UserName }));
    await (await iam()).send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument }));
    await (await iam()).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    await (await iam()).send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    const { AccessKey } = await (await iam()).send(new CreateAccessKeyCommand({ UserName }));
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId, AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey });
    try {
      const [own, evaluated, byRole] = lines('docs/runbooks.md', "Packages on a developer's machine");
      shows(await enter(own ?? ''), 'docs/runbooks.md', "Packages on a developer's machine");
      expect(await enter(`${evaluated}; echo "$AWS_ACCESS_KEY_ID"`)).toMatch(/^ASIA/m);
      expect(JSON.parse((await enter(byRole ?? '')).split('\n')[0] ?? '')).toMatchObject({ Version: 1 });
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
    }
  });

  test('Someone else is working on the team', async () => {
    const lease = {
      id: 'ann',
      who: 'ann@laptop',
      pid: 4711,
      machine: 'hers',
      since: new Date(Date.now() - 180_000).toISOString(),
      ttl: 120_000,
    };
    const at = { Bucket: BUCKET, Key: leaseKey('payments') };
    await (await wire.aws.s3()).send(new PutObjectCommand({ ...at, Body: JSON.stringify(lease) }));
    const output = await enter('halcyon-kit rotate payments', 2);
    for (const line of shown(block('docs/runbooks.md', 'Someone else is working on the team', 'text'))) expect(output).toMatch(line);
    await (await wire.aws.s3()).send(new DeleteObjectCommand(at));
  });

  test('A key that nobody here made', async () => {
    const { AccessKey } = await (await iam()).send(new CreateAccessKeyCommand({ UserName: await uploader() }));
    const id = AccessKey?.AccessKeyId ?? '';
    const asThem = wire.aws.as({ accessKeyId: id, secretAccessKey: AccessKey?.SecretAccessKey ?? '' });
    await (await asThem.sts()).send(new GetCallerIdentityCommand({}));
    const output = await enter('halcyon-kit rotate payments', 1);
    for (const line of shown(block('docs/runbooks.md', 'A key that nobody here made', 'text'))) expect(output).toMatch(line);
    await enter(lines('docs/runbooks.md', 'A key that nobody here made')[0] ?? '', 0, id);
    const { AccessKeyMetadata = [] } = await (await iam()).send(new ListAccessKeysCommand({ UserName: await uploader() }));
    expect(AccessKeyMetadata.map(({ AccessKeyId }) => AccessKeyId)).not.toContain(id);
  });

  test('Undo', async () => {
    const before = await held('payments-builder');
    await enter('halcyon-kit rotate payments --no-smoke', 2);
    await enter(lines('docs/runbooks.md', 'Undo')[0] ?? '', 2);
    expect(await held('payments-builder')).toBe(before);
  });
});

test('no line of a page is left that is neither carried out here, nor elsewhere for a reason', () => {
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))];
  const written = pages.flatMap((page) =>
    blocksOf(readFileSync(join(root, page), 'utf8')).flatMap(({ language, text }) => (language === 'sh' ? linesOf(text) : [])),
  );
  const done = (line: string) => line in ELSEWHERE || entered.some((one) => one.includes(line));
  expect(written.filter((line) => !done(line) && !(missing && /prebuild|packages/.test(line)))).toEqual([]);
  expect(Object.keys(ELSEWHERE).filter((line) => !written.includes(line))).toEqual([]);
});
