import { afterAll, beforeAll, expect, test } from 'vitest';
import { namesOf } from '../../accept/fleet.plan.js';
import type { AcceptReport } from '../../accept/run.js';
import { thingsOf } from '../../accept/things.client.js';
import { createAws } from '../../lib/aws/aws.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Workplace } from './support/target.js';

/** What takes seconds; the whole of it is in test/whole. */
const account = '111122223333';
const here = ['accept', '--account', account, '--region', 'eu-west-1', '--yes'];
let sandbox: Sandbox;
let work: Workplace;

beforeAll(async () => {
  sandbox = await startSandbox();
  Object.assign(process.env, sandbox.env);
  work = new Workplace(sandbox.env);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

const buckets = async () => ((await clients(sandbox.aws).s3.send(new ListBucketsCommand({}))).Buckets ?? []).map(({ Name }) => Name);
const heroku = () => createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
const thingsOfRun = (id: string) => {
  const place = { account, region: 'eu-west-1' };
  return thingsOf({ aws: (region) => createAws({ region }), heroku: heroku(), place, names: namesOf(id, place) });
};
const NOTHING = { apps: [], stacks: [], users: [], secrets: [], buckets: [] };

test('every probe is answered here as it is assumed, and the probes leave nothing', async () => {
  const { stdout, code } = await work.kit([...here, '--probes', '--json']);
  const { stages, run } = JSON.parse(stdout) as AcceptReport;
  const other = stages.flatMap(({ proofs }) => proofs.filter(({ ok }) => !ok));
  expect(other).toEqual([]);
  expect(code).toBe(0);
  expect(await thingsOfRun(run)).toEqual(NOTHING);
  expect(await buckets()).toEqual([]);
});

test('an account that is not the one named is refused, and a dry run or a run over its budget makes nothing', async () => {
  sandbox.aws.clearLog();
  sandbox.heroku.clearLog();
  const other = await work.kit(['accept', '--account', '999999999999', '--region', 'eu-west-1', '--yes']);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('these AWS credentials are for account 111122223333')]);
  const dry = await work.kit([...here, '--dry-run']);
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('in all at most 0.')]);
  const dear = await work.kit([...here, '--budget', '0.01usd']);
  expect([dear.code, dear.stderr]).toEqual([1, expect.stringContaining('raise --budget')]);
  const asked = new Set(sandbox.aws.log().map(({ operation }) => operation));
  expect([...asked]).toEqual(['GetCallerIdentity']);
  expect(sandbox.heroku.log()).toEqual([]);
});
