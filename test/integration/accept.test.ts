import { afterAll, beforeAll, expect, test } from 'vitest';
import { namesOf } from '../../lib/accept/fleet.plan.js';
import type { AcceptReport } from '../../lib/accept/run.js';
import { thingsOf } from '../../lib/accept/things.client.js';
import { createAws } from '../../lib/aws/aws.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Workplace } from './support/target.js';

/** The probes, and what becomes of a run that is killed. The whole of it: test/whole. */
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

test('a killed run is swept by the next, which lets be one that is under way and what only looks like a run’s', async () => {
  const s3 = clients(sandbox.aws).s3;
  await heroku().createApp({ name: 'halcyon-accept-abcdefgh-api' });
  const killed = await begun('SIGKILL');
  const going = await begun();
  const before = await thingsOfRun(killed.id);
  expect([before.stacks.length, before.apps.length]).toEqual([expect.any(Number), 6]);
  expect(before.stacks.length).toBeGreaterThan(0);

  const { code, stderr } = await work.kit([...here, '--probes']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`removing what run ${killed.id} left behind`);
  expect(stderr).not.toContain(going.id);
  expect(await thingsOfRun(killed.id)).toEqual(NOTHING);
  expect((await thingsOfRun(going.id)).apps).toHaveLength(6);

  // Ctrl-C takes its own down.
  going.child.kill('SIGINT');
  expect((await going.ended).code).toBe(130);
  expect(await thingsOfRun(going.id)).toEqual(NOTHING);
  expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  expect((await heroku().apps()).map(({ name }) => name)).toEqual(['halcyon-accept-abcdefgh-api']);
});

/** A run whose fleet is being made. @param signal - it is ended by. */
async function begun(signal?: 'SIGKILL') {
  let child: Parameters<NonNullable<Parameters<Workplace['kit']>[1]>['onStart'] & {}>[0] | undefined;
  let id = '';
  let ready: () => void = () => undefined;
  const making = new Promise<void>((done) => (ready = done));
  const ended = work.kit([...here, '--verbose'], {
    onStart(started) {
      child = started;
      let said = '';
      started.stderr?.on('data', (chunk) => {
        said += String(chunk);
        id ||= /run ([0-9a-z]{8}) on account/.exec(said)?.[1] ?? '';
        if (/looking at stacks, keys and apps/.test(said)) ready();
      });
    },
  });
  await making;
  for (let tries = 0; (await thingsOfRun(id)).stacks.length === 0 && tries < 60; tries++)
    await new Promise((done) => setTimeout(done, 500));
  if (child === undefined) throw new Error('it was not started');
  if (signal !== undefined) {
    child.kill(signal);
    await ended;
  }
  return { id, child, ended };
}
