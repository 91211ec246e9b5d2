import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { accountBlocks } from '../../lib/buildpack/home.client.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { rootKey, send } from '../../sandbox/test/support/clients.js';
import { sigv4 } from '../../sandbox/test/support/sigv4.js';
import { InProcess } from './support/in-process.js';

/** Where the hosted buildpack lives, and what keeps it from being public. */
let sandbox: Sandbox;
let work: InProcess;
const aws = (region: string): Aws => createAws({ region });
const PATH = '/v20180820/configuration/publicAccessBlock';
const file = (region: string) => `teams:
  payments:
    bucket: { account: '${sandbox.aws.account}', region: ${region} }
    apps: { payments-api: { mode: upload } }
buildpack: { install: true }
`;

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  await createHeroku({ token: sandbox.env.HEROKU_API_KEY ?? '', host: sandbox.env.HEROKU_HOST }).createApp({ name: 'payments-api' });
  work = new InProcess(sandbox.env);
});
afterEach(() => block());
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

/** Block Public Access of the account, with these settings on; none: as it is at first. */
async function block(...on: string[]): Promise<void> {
  const settings = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];
  const body = `<PublicAccessBlockConfiguration>${settings.map((name) => `<${name}>${on.includes(name)}</${name}>`).join('')}</PublicAccessBlockConfiguration>`;
  const method = on.length === 0 ? 'DELETE' : 'PUT';
  const sent = { headers: { 'x-amz-account-id': sandbox.aws.account }, ...(on.length === 0 ? {} : { body }) };
  const headers = sigv4(rootKey(sandbox.aws), method, PATH, sent);
  expect((await send(sandbox.aws, { method, path: PATH, headers, ...(on.length === 0 ? {} : { body }) })).status).toBeLessThan(300);
}

const stacks = async (region: string) =>
  ((await (await aws(region).cloudformation()).send(new DescribeStacksCommand({}))).Stacks ?? []).map(({ StackName }) => StackName).sort();

test('an account that blocks public access is found before anything is made, and the other way is named', async () => {
  await block('BlockPublicPolicy');
  expect(await accountBlocks(aws('us-east-1'), sandbox.aws.account)).toEqual(['BlockPublicPolicy']);
  work.write(file('us-east-1'));
  const { code, stderr } = await work.kit(['up', '--yes', '--no-smoke']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('blocks public access as a whole (BlockPublicPolicy)') as string]);
  expect(stderr).toContain('signing.buildpack');
  expect(await stacks('us-east-1')).toEqual([]);
  work.write(`${file('us-east-1')}signing: { buildpack: "https://example.com/sigv4.tgz" }\n`);
  await work.ok(['up', '--dry-run']);
});

test('a sync before the first up changes nothing, and says who makes what lacks', async () => {
  work.write(file('us-east-1'));
  const { code, stdout, stderr } = await work.kit(['sync', '--yes']);
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/^blocked: IAM user \S+ does not exist; run halcyon-kit up payments, which makes it$/m),
  ]);
  expect(stderr).not.toContain('publishing');
  expect(sandbox.heroku.log().filter(({ method }) => method === 'PUT')).toEqual([]);
});

test('the home stays where it is when the file’s buckets move', async () => {
  work.write(file('us-east-1'));
  await work.ok(['up', '--yes', '--no-smoke']);
  expect(await stacks('us-east-1')).toEqual(['halcyon-buildpack', 'halcyon-payments']);
  expect((await work.ok(['status'])).stdout).toContain('SigV4 buildpack: served from us-east-1');

  work.write(file('eu-west-1'));
  const { stacks: changed, buildpacks } = JSON.parse((await work.kit(['up', '--dry-run', '--json'])).stdout) as {
    stacks: Array<{ stack: string; changes: unknown[] }>;
    buildpacks: Array<{ plan: { changes: unknown[] } }>;
  };
  expect(changed.filter(({ changes }) => changes.length > 0).map(({ stack }) => stack)).toEqual(['halcyon-payments']);
  expect(buildpacks.flatMap(({ plan }) => plan.changes)).toEqual([]);
});

test('what is served already goes on while only new public policies are refused; an account that lets nobody in is found', async () => {
  work.write(file('us-east-1'));
  await block('BlockPublicPolicy');
  await work.ok(['up', '--yes', '--no-smoke']);
  await block('RestrictPublicBuckets');
  expect((await work.kit(['up', '--yes', '--no-smoke'])).stderr).toContain('blocks public access as a whole (RestrictPublicBuckets)');
  expect((await work.kit(['doctor'])).stdout).toMatch(/✘ +account-blocks-public/);
});

test('the file may name another home, and the doctor tells of the one that is left', async () => {
  work.write(`${file('us-east-1')}signing: { region: eu-north-1 }\n`);
  await work.ok(['up', '--yes', '--no-smoke']);
  expect(await stacks('eu-north-1')).toEqual(['halcyon-buildpack']);
  expect((await work.kit(['doctor'])).stdout).toMatch(/buildpack-home-left .*us-east-1 as well/);
});
