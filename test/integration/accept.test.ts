import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AcceptReport } from '../../accept/run.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { DRY, HERE, NOTHING, PROBES, startAcceptGround, type AcceptGround } from './support/accept-ground.js';

/** What takes seconds; the whole of it is in test/whole. */
let ground: AcceptGround;
beforeAll(async () => void (ground = await startAcceptGround()));
afterAll(() => ground?.stop());
const buckets = async () => ((await clients(ground.sandbox.aws).s3.send(new ListBucketsCommand({}))).Buckets ?? []).map(({ Name }) => Name);

test('every probe is answered here as it is assumed, and the probes leave nothing', async () => {
  const { stdout, code } = await ground.work.kit([...PROBES, '--json']);
  const { stages, run } = JSON.parse(stdout) as AcceptReport;
  const other = stages.flatMap(({ proofs }) => proofs.filter(({ ok }) => !ok));
  expect(other).toEqual([]);
  expect(code).toBe(0);
  expect(await ground.thingsOfRun(run)).toEqual(NOTHING);
  expect(await buckets()).toEqual([]);
});

test('an account that is not the one named is refused, and a dry run or a run over its budget makes nothing', async () => {
  ground.sandbox.aws.clearLog();
  ground.sandbox.heroku.clearLog();
  const other = await ground.work.kit(['accept', '--account', '999999999999', '--region', 'eu-west-1', '--yes']);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('these AWS credentials are for account 111122223333')]);
  const dry = await ground.work.kit(DRY);
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('in all at most 0.')]);
  const dear = await ground.work.kit([...HERE, '--budget', '0.01usd']);
  expect([dear.code, dear.stderr]).toEqual([1, expect.stringContaining('raise --budget')]);
  const asked = new Set(ground.sandbox.aws.log().map(({ operation }) => operation));
  expect([...asked]).toEqual(['GetCallerIdentity']);
  expect(ground.sandbox.heroku.log()).toEqual([]);
});
