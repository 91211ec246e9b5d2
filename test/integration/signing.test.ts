import { CreateUserCommand, DeleteUserCommand } from '@aws-sdk/client-iam';
import { GetBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { CONFIG_VAR_NAMES } from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { InProcess } from './support/in-process.js';
import { principalIn } from '../support/principals.js';
import { parseConfig } from '../../lib/config/index.js';
import { userName } from '../../lib/contract/index.js';

/** Signature versions over the life of a shared bucket, in this order. */
let sandbox: Sandbox;
let work: InProcess;
let aws: Aws;
let heroku: Heroku;
const HOH = 'https://github.com/mietek/haskell-on-heroku';
const BUCKET = () => `halcyon-common-${sandbox.aws.account}-us-east-1`;
const file = (signing: string) => `
buckets: { common: { account: '${sandbox.aws.account}', region: us-east-1 } }
teams:
  payments: { bucket: { shared: common, prefix: payments }, apps: { payments-api: { mode: upload } } }
  search: { bucket: { shared: common, prefix: search }, apps: { search-web: { mode: upload } } }
signing: ${signing}
`;
const V2 = '{ version: 2, acknowledgeV2: true }';

beforeAll(async () => {
  sandbox = await startSandbox();
  Object.assign(process.env, sandbox.env);
  aws = createAws({ region: 'us-east-1' });
  heroku = createHeroku({ token: sandbox.env.HEROKU_API_KEY ?? '', host: sandbox.env.HEROKU_HOST });
  for (const name of ['payments-api', 'search-web']) {
    await heroku.createApp({ name });
    await heroku.setBuildpacks(name, [HOH]);
  }
  work = new InProcess(sandbox.env);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

const refusesV2 = async () => {
  const { Policy } = await (await aws.s3()).send(new GetBucketPolicyCommand({ Bucket: BUCKET() }));
  return (Policy ?? '').includes('DenySigV2');
};
const ours = async (app: string) =>
  Object.keys(await heroku.configVars(app)).filter((name) => (CONFIG_VAR_NAMES as string[]).includes(name));

test('sync without a stack is blocked, and says so with exit code 1, looking or not', async () => {
  work.write(file(V2));
  for (const last of ['--dry-run', '--yes']) {
    const { code, stdout } = await work.kit(['sync', 'payments', last]);
    expect(code).toBe(1);
    expect(stdout).toContain('blocked: ');
    expect(stdout).not.toContain('nothing to change');
  }
});

test('a stack whose creation failed is made anew', async () => {
  const iam = await aws.iam();
  const UserName = userName(principalIn(parseConfig(file(V2)), 'payments', 'upload'));
  await iam.send(new CreateUserCommand({ UserName }));
  expect((await work.kit(['up', 'payments', '--yes', '--no-smoke'])).code).toBe(1);
  await iam.send(new DeleteUserCommand({ UserName }));
  const { stdout } = await work.ok(['up', 'payments', '--dry-run']);
  expect(stdout).toContain('its last creation failed: is made anew');
});

test('version 2 on a bucket that refuses it stops before any app is written', async () => {
  const { code, stdout, stderr } = await work.kit(['up', 'payments', '--yes', '--no-smoke']);
  expect(code, stderr).toBe(1);
  expect(stdout + stderr).toMatch(/takes Signature Version 4 only.*version: 4/s);
  expect(await ours('payments-api')).toEqual([]);
});

test('and where it accepts version 2, the same command goes on', async () => {
  sandbox.aws.settings.sigv2.buckets[BUCKET()] = 'accept';
  await work.ok(['up', '--all', '--yes', '--no-smoke']);
  expect(await ours('payments-api')).toContain('HALCYON_AWS_ACCESS_KEY_ID');
  expect(await refusesV2()).toBe(false);
});

test('a shared bucket refuses version 2 only when the last team has moved to version 4', async () => {
  work.write(file('{ version: 4, buildpack: hosted }'));
  const first = await work.ok(['up', 'payments', '--yes', '--no-smoke']);
  expect(first.stderr).toContain('search-web of search does not have the SigV4 buildpack yet; run "halcyon-kit up search"');
  expect((await heroku.buildpacks('payments-api'))[0]).toMatch(/halcyon-sigv4-[0-9a-f]{64}\.tgz$/);
  expect(await refusesV2()).toBe(false);

  const log = () => [...sandbox.heroku.log().filter(({ path }) => path.endsWith('/buildpack-installations'))];
  sandbox.heroku.clearLog();
  const last = await work.ok(['up', 'search', '--yes', '--no-smoke']);
  expect(last.stderr).not.toContain('goes on accepting');
  expect(log().filter(({ method }) => method === 'PUT')).toHaveLength(1);
  expect(last.stderr.indexOf('Setting buildpacks of search-web')).toBeLessThan(last.stderr.indexOf('deploying halcyon-bucket-common'));
  expect(last.stderr).toContain('Setting buildpacks of search-web');
  expect(await refusesV2()).toBe(true);
});

test('AWS on this machine with a Heroku that is not is refused before anything is asked', async () => {
  const { code, stderr } = await work.kit(['up', 'search', '--yes'], { env: { HEROKU_HOST: 'heroku.com' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/AWS_ENDPOINT_URL(_S3)? is .*on this machine/);
});
