import { CreateStackCommand, DescribeStacksCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import { GetUserPolicyCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { identity } from '../../lib/aws/identity.js';
import { parseConfig } from '../../lib/config/index.js';
import { domainOf, partitionOf } from '../../lib/config/regions.js';
import { isOurBuildpack, USER_POLICY, userName } from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { halcyonEnv, run } from '../buildpack/support/shim.js';
import { principalIn } from '../support/principals.js';
import { InProcess } from './support/in-process.js';
import { EVERY } from '../support/every.js';

/** The main job in accounts of other partitions: stacks, keys, config vars, a hosted buildpack, real proofs; and AWS's host names there. */
const HOH = 'https://github.com/mietek/haskell-on-heroku';

// The other with HALCYON_EVERY=1: the sandbox's own tests hold what is different between partitions.
describe.each(EVERY ? ['cn-north-1', 'us-gov-west-1'] : ['cn-north-1'])('%s', (region) => {
  let sandbox: Sandbox;
  let work: InProcess;
  let aws: Aws;
  let heroku: Heroku;
  let file = '';

  beforeAll(async () => {
    sandbox = await startSandbox({ aws: { region }, heroku: { upstreamDir: null } });
    Object.assign(process.env, sandbox.env);
    aws = createAws({ region });
    heroku = createHeroku({ token: sandbox.env.HEROKU_API_KEY ?? '', host: sandbox.env.HEROKU_HOST });
    for (const name of ['payments-builder', 'payments-api']) {
      await heroku.createApp({ name });
      await heroku.setBuildpacks(name, [HOH]);
    }
    file = `teams:
  payments:
    bucket: { account: '${sandbox.aws.account}', region: ${region}, kmsKeyArn: '${await makeKey()}' }
    apps: { payments-builder: { mode: upload }, payments-api: { mode: read-only } }
signing: { version: 4, buildpack: hosted }
`;
    work = new InProcess(sandbox.env);
    work.write(file);
  });
  afterAll(async () => {
    work?.remove();
    await sandbox?.stop();
  });

  async function makeKey(): Promise<string> {
    const [cloudformation, StackName] = [await aws.cloudformation(), 'keys'];
    const template = { Resources: { Key: { Type: 'AWS::KMS::Key' } }, Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } } };
    await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
    await waitUntilStackCreateComplete({ client: cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName });
    return (await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.Outputs?.[0]?.OutputValue ?? '';
  }

  test('up deploys, makes keys, writes config vars, and proves a mode by a build', async () => {
    await work.ok(['up', '--all', '--yes', '--no-smoke']);
    expect((await work.ok(['smoke', '--mode', 'upload', '--yes'])).stdout).toContain('proofs');
    const policy = await (await aws.iam()).send(new GetUserPolicyCommand({ UserName: uploader(), PolicyName: USER_POLICY }));
    const text = decodeURIComponent(policy.PolicyDocument ?? '');
    expect([...new Set(text.match(/arn:[a-z-]+:/g))]).toEqual([`arn:${partitionOf(region)}:`]);
    expect(text).toContain(`arn:${partitionOf(region)}:kms:${region}:`);
    const hosted = (await heroku.buildpacks('payments-api')).find((url) => isOurBuildpack(url));
    expect((await fetchOf(hosted ?? '')).code).toBe(0);
    expect((await identity(aws)).arn).toBe(`arn:${partitionOf(region)}:iam::${sandbox.aws.account}:root`);
  });

  test('a rotation replaces every key, sync then has nothing to do, and doctor finds nothing broken', async () => {
    const keys = async () => (await (await aws.iam()).send(new ListAccessKeysCommand({ UserName: uploader() }))).AccessKeyMetadata ?? [];
    const [old] = await keys();
    await work.ok(['rotate', '--all', '--yes', '--no-smoke', '--soak', '0s']);
    expect((await keys()).map(({ AccessKeyId }) => AccessKeyId)).not.toContain(old?.AccessKeyId);
    expect((await work.ok(['sync', '--all', '--yes'])).stdout).toContain('nothing to');
    await work.ok(['doctor']);
  });

  test('Halcyon’s requests pass under AWS’s own host names, dual-stack too', async () => {
    const vars = await heroku.configVars('payments-builder');
    for (const host of [`s3.${region}`, `s3.dualstack.${region}`].map((name) => `${name}.${domainOf(region)}`)) {
      const env = halcyonEnv({ ...vars, HALCYON_S3_REGION: '', CURL_CA_BUNDLE: sandbox.env.CURL_CA_BUNDLE });
      const authorization = `Authorization: AWS ${vars.HALCYON_AWS_ACCESS_KEY_ID}:x`;
      const through = ['--connect-to', `${host}:443:localhost:${sandbox.aws.port}`];
      const url = `https://${host}/${vars.HALCYON_S3_BUCKET}/?prefix=`;
      const got = await run('curl', ['-sS', '-w', '%{http_code}', ...through, '-H', authorization, url], { env });
      expect([got.stderr, got.stdout.slice(-3)], host).toEqual(['', '200']);
    }
  });

  const uploader = () => userName(principalIn(parseConfig(file), 'payments', 'upload'));
  const fetchOf = (url: string) => run('curl', ['-sSf', '-o', '/dev/null', url], { env: { ...process.env, ...sandbox.env } });
});
