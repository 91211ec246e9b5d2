import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack, type App } from 'aws-cdk-lib/core';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { principalsOf } from '../../lib/config/derive.js';
import type { Principal, Team } from '../../lib/config/index.js';
import { buildApp, type BuildAppOptions } from '../../lib/stacks/app.js';
import { TeamStack } from '../../lib/stacks/team-stack.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

const made: string[] = [];
afterEach(() => made.splice(0).forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'halcyon-app-'));
  made.push(directory);
  return directory;
}
const synth = (text = EXAMPLE, options: BuildAppOptions = {}) => buildApp(exampleConfig(text), { outdir: temporary(), ...options }).synth();
const named = (name: string, text?: string, options?: BuildAppOptions) => synth(text, options).getStackByName(name);

describe('whole stacks', () => {
  test.each(['halcyon-payments', 'halcyon-search', 'halcyon-bucket-common', 'halcyon-buildpack'])('%s', (name) => {
    expect(named(name).template).toMatchSnapshot();
  });

  test('are what CloudFormation’s schemas allow', { timeout: 180_000 }, () => {
    const problems = (spoil: (app: App) => void): string[] => {
      const outdir = temporary();
      const app = buildApp(exampleConfig(), { outdir, validate: true });
      spoil(app);
      app.synth();
      const { pluginReports } = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
      return pluginReports.flatMap(({ violations }: { violations: unknown[] }) => violations.map((violation) => JSON.stringify(violation)));
    };
    expect(problems(() => {})).toEqual([]);
    const spoilt = problems((app) => new CfnBucket(new Stack(app, 'stray'), 'Bucket').addPropertyOverride('Nonsense', true));
    expect(spoilt.join()).toContain('Nonsense');
  });

  test('come out the same each time, whatever order teams are in', () => {
    const files = (text: string) => {
      const { directory } = synth(text);
      const names = readdirSync(directory).filter((name) => name.endsWith('.template.json'));
      return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
    };
    const [head, payments, search, tail] = EXAMPLE.split(/(?=^ {2}payments:)|(?=^ {2}search:)|(?=^signing:)/m);
    expect(files(`${head}${search}${payments}${tail}`)).toEqual(files(EXAMPLE));
  });
});

describe('the assembly', () => {
  test('needs no bootstrap and no assets', () => {
    const assembly = synth();
    for (const stack of assembly.stacks) {
      expect(stack.assets).toEqual([]);
      expect(stack.requiresBootstrapStackVersion).toBeUndefined();
      expect(stack.assumeRoleArn).toBeUndefined();
      expect(Object.keys(stack.template).sort()).toEqual(['Description', 'Outputs', 'Resources']);
    }
    expect(JSON.stringify(assembly.manifest)).not.toContain('cdk:asset-manifest');
  });

  test('names account and region of each stack', () => {
    expect(synth().stacks.map(({ stackName, environment: { account, region } }) => `${stackName} ${account} ${region}`)).toEqual([
      'halcyon-bucket-common 111122223333 us-east-1',
      'halcyon-buildpack 111122223333 us-east-1',
      'halcyon-payments 111122223333 eu-west-1',
      'halcyon-search 111122223333 us-east-1',
    ]);
  });

  test('serves the buildpack in each account by a stack of the one name', () => {
    const two = EXAMPLE.replace('{ account: "111122223333", region: eu-west-1,', '{ account: "444455556666", region: eu-west-1,');
    const serving = synth(two).stacks.filter(({ stackName }) => stackName === 'halcyon-buildpack');
    expect(serving.map(({ id, environment: { account, region } }) => `${id} ${account} ${region}`).sort()).toEqual([
      'halcyon-buildpack 111122223333 us-east-1',
      'halcyon-buildpack-444455556666 444455556666 eu-west-1',
    ]);
  });

  test('lets a bucket go on accepting version 2, and no other, where it is told to', () => {
    const acceptSigV2 = new Set(['halcyon-common-111122223333-us-east-1']);
    const denying = (options?: BuildAppOptions) =>
      synth(EXAMPLE, options)
        .stacks.filter(({ template }) => JSON.stringify(template).includes('DenySigV2'))
        .map(({ stackName }) => stackName);
    expect(denying()).toEqual(['halcyon-bucket-common', 'halcyon-payments']);
    expect(denying({ acceptSigV2 })).toEqual(['halcyon-payments']);
  });

  test('lets a bucket go on accepting a former ACL, and no other bucket', () => {
    const withAcls = (options?: BuildAppOptions) =>
      synth(EXAMPLE, options)
        .stacks.filter(({ template }) => JSON.stringify(template).includes('BucketOwnerPreferred'))
        .map(({ stackName }) => stackName);
    expect(withAcls()).toEqual([]);
    for (const [bucket, stack] of [
      ['halcyon-common-111122223333-us-east-1', 'halcyon-bucket-common'],
      ['halcyon-payments-111122223333-eu-west-1', 'halcyon-payments'],
    ])
      expect(withAcls({ formerAcls: new Map([[bucket as string, ['private']]]) })).toEqual([stack]);
  });

  test('protects what retains something, until told not to', () => {
    const protectedStacks = (options?: BuildAppOptions) =>
      synth(EXAMPLE, options)
        .stacks.filter(({ terminationProtection }) => terminationProtection)
        .map(({ stackName }) => stackName);
    expect(protectedStacks()).toEqual(['halcyon-bucket-common', 'halcyon-buildpack', 'halcyon-payments']);
    expect(protectedStacks({ protect: false })).toEqual([]);
  });

  test('deploys a shared bucket first, and locks nothing by an export', () => {
    const search = named('halcyon-search');
    expect(search.dependencies.map(({ id }) => id)).toContain('halcyon-bucket-common');
    expect(JSON.stringify(search.template)).not.toContain('ImportValue');
  });

  test('leaves out a team that has nothing to deploy', () => {
    const text = 'teams: { payments: { apps: { payments-lab: { mode: public } } } }\n';
    expect(synth(text).stacks).toEqual([]);
    const [team] = exampleConfig(text).teams;
    expect(
      () => new TeamStack(buildApp(exampleConfig()), 'x', { team: team as never, deployment: 'halcyon', signing: { version: 4 } }),
    ).toThrow('team "payments" has public apps only and so nothing to deploy; give it a bucket first');
  });
});

describe('a template too large for a request', () => {
  const TEMPLATES = 'halcyon-kit-templates';
  const team = (users: number, more = '') =>
    `teams: { payments: { bucket: { account: "111122223333", region: eu-west-1 }, credentials: per-app, ${more}apps: { ${Array.from({ length: users }, (_, i) => `payments-${i}: { mode: upload }`).join(', ')} } } }`;

  test('goes through a bucket in a stack of its own, deployed first; without bootstrap, and with the credentials at hand', () => {
    // As many users as a stack has room for.
    const assembly = synth(team(245));
    expect(assembly.stacks.map(({ stackName }) => stackName).sort()).toEqual(['halcyon-buildpack', TEMPLATES, 'halcyon-payments']);
    const stack = assembly.getStackByName('halcyon-payments');
    expect(Object.keys(stack.template.Resources).length).toBeLessThanOrEqual(500);
    expect(stack.dependencies.map(({ id }) => id)).toContain(TEMPLATES);
    expect(stack.stackTemplateAssetObjectUrl).toMatch(/^s3:\/\/halcyon-kit-templates-111122223333-eu-west-1\//);
    expect([stack.assumeRoleArn, stack.requiresBootstrapStackVersion]).toEqual([undefined, undefined]);
    expect(assembly.getStackByName(TEMPLATES).stackTemplateAssetObjectUrl).toBeUndefined();
    expect(assembly.getStackByName(TEMPLATES).template).toMatchSnapshot();
  });

  test('fits into S3’s limit where the file is accepted, whatever its names and tags', () => {
    const long = `a${'b'.repeat(18)}c`;
    const apps = Array.from({ length: 100 }, (_, i) => `${'x'.repeat(27)}${100 + i}: { mode: upload }`).join(', ');
    const tags = Array.from({ length: 35 }, (_, i) => `tag-${i}: "${'ä'.repeat(24)}"`).join(', ');
    const bucket = `account: "111122223333", region: ap-southeast-7, name: ${'b'.repeat(63)}, prefix: ${'p'.repeat(128)}, acl: public-read, allowPublicRead: true, kmsKeyArn: "arn:aws:kms:ap-southeast-7:111122223333:key/mrk-11111111222233334444555555555555"`;
    const text = `teams: { ${long}: { bucket: { ${bucket} }, credentials: per-app, tags: { ${tags} }, apps: { ${apps} } } }`;
    const bytes = Buffer.byteLength(JSON.stringify(named(`halcyon-${long}`, text).template));
    expect(bytes).toBeLessThan(1_000_000);
    expect(bytes).toBeGreaterThan(500_000);
  });

  test('whatever is sent in a request fits into it, and the bucket is made only where it is needed', () => {
    const tags = `tags: { ${Array.from({ length: 12 }, (_, i) => `tag-${i}: "${'ä'.repeat(100)}"`).join(', ')} }, `;
    const sent = [...Array.from({ length: 30 }, (_, i) => team(i + 1)), team(1, tags), team(2, tags), team(3, tags)].map((text) => {
      const assembly = synth(text);
      const { template, stackTemplateAssetObjectUrl } = assembly.getStackByName('halcyon-payments');
      const inline = stackTemplateAssetObjectUrl === undefined;
      expect(assembly.stacks.some(({ stackName }) => stackName === TEMPLATES)).toBe(!inline);
      return inline ? Buffer.byteLength(stringify(template)) : 0;
    });
    expect(Math.max(...sent)).toBeLessThanOrEqual(51_200);
    expect(sent.filter((bytes) => bytes > 0).length).toBeGreaterThan(10);
    expect(sent.filter((bytes) => bytes === 0).length).toBeGreaterThan(10);
  });
});

describe('principals', () => {
  const resources = (text: string, options?: BuildAppOptions) =>
    named('halcyon-payments', text, options).template.Resources as Record<string, Resource>;
  interface Resource {
    Type: string;
    DeletionPolicy: string;
    UpdateReplacePolicy: string;
    Properties: { UserName: string };
  }
  const users = (text = EXAMPLE, options?: BuildAppOptions) =>
    Object.values(resources(text, options))
      .filter(({ Type }) => Type === 'AWS::IAM::User')
      .map(({ Properties }) => Properties.UserName);

  test.each([
    ['prefix', 'versioning: true,', 'versioning: true, prefix: new,'],
    ['bucket', 'versioning: true,', 'versioning: true, name: halcyon-renamed,'],
    ['region', 'region: eu-west-1', 'region: eu-north-1'],
    ['account', 'account: "111122223333", region: eu-west-1', 'account: "444455556666", region: eu-west-1'],
  ])('another %s makes other users, and retains those that were', (_what, from, to) => {
    const [before, after] = [users(), users(EXAMPLE.replace(from, to))];
    expect(after).toHaveLength(before.length);
    expect(after.filter((name) => before.includes(name))).toEqual([]);
    const ids = (text: string) => Object.keys(resources(text)).filter((id) => id.startsWith('halcyonteam'));
    expect(ids(EXAMPLE.replace(from, to)).filter((id) => ids(EXAMPLE).includes(id))).toEqual([]);
  });

  test('another ACL makes other users of those that upload alone', () => {
    const [before, after] = [users(), users(EXAMPLE.replace('versioning: true,', 'versioning: true, acl: private,'))];
    expect(after.filter((name) => before.includes(name))).toEqual(before.filter((name) => name.includes('.read-only.')));
  });

  test('what reaches nothing else makes none', () => {
    for (const [from, to] of [
      ['versioning: true,', ''],
      ['tags: { cost-centre: "42" }', 'kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0b1c"'],
    ] as const)
      expect(users(EXAMPLE.replace(from, to))).toEqual(users());
  });

  test('users and their secrets never go with a template', () => {
    const made = Object.values(resources(EXAMPLE)).filter(({ Type }) => /IAM::User|SecretsManager/.test(Type));
    expect(made).toHaveLength(4);
    for (const resource of made) expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });

  test('of a later generation have another name, and are otherwise the same', () => {
    const config = exampleConfig();
    const [first] = principalsOf(config.teams[0] as Team);
    const teams = config.teams.map((team) =>
      team.name === 'payments' ? { ...team, principals: [{ ...(first as Principal), generation: 2 }] } : team,
    );
    const { template } = buildApp({ ...config, teams }, { outdir: temporary() })
      .synth()
      .getStackByName('halcyon-payments');
    expect(JSON.stringify(template)).toContain(`"UserName":"${users()[0]}-2"`);
  });
});
