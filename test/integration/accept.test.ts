import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AcceptReport } from '../../accept/run.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { DRY, HERE, NOTHING, PROBES, startAcceptGround, type AcceptGround } from './support/accept-ground.js';
import { variant } from '../support/variant.js';

/** What takes seconds; the whole of it is `npm run test:accept`. */
let ground: AcceptGround;
beforeAll(async () => void (ground = await startAcceptGround()));
afterAll(() => ground?.stop());

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

test('every probe is answered as assumed, and nothing is left', async () => {
  expect(await ground.thingsOfRun(await probes())).toEqual(NOTHING);
});

variant(
  'a run sweeps one that was killed, lets be one under way, finds every probe answered as assumed, and leaves nothing; Ctrl-C takes the other down',
  async () => {
    const other = await begun();
    // It would go on, and take the processor with it.
    other.child.kill('SIGSTOP');
    try {
      await sweptByTheNext();
    } finally {
      other.child.kill('SIGCONT');
      other.child.kill('SIGINT');
    }
    expect((await other.ended).code).toBe(130);
    expect(await ground.thingsOfRun(other.id)).toEqual(NOTHING);
    expect((await clients(ground.sandbox.aws).s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  },
);

async function sweptByTheNext(): Promise<void> {
  const killed = await begun();
  killed.child.kill('SIGKILL');
  await killed.ended;
  const before = await ground.thingsOfRun(killed.id);
  expect(before.apps).toHaveLength(6);
  expect(before.stacks.length).toBeGreaterThan(0);

  const run = await probes([`removing what run ${killed.id} left behind`]);
  for (const id of [killed.id, run]) expect(await ground.thingsOfRun(id)).toEqual(NOTHING);
}

/** @returns the id of the run. */
async function probes(swept: string[] = []): Promise<string> {
  const { code, stdout, stderr } = await ground.work.kit([...PROBES, '--json']);
  const { stages, run } = JSON.parse(stdout) as AcceptReport;
  expect(stages.flatMap(({ proofs }) => proofs.filter(({ ok }) => !ok))).toEqual([]);
  expect(code, stderr).toBe(0);
  expect(stderr.match(/removing what run \w+ left behind/g) ?? []).toEqual(swept);
  return run;
}

/** A run whose fleet is being made. */
async function begun() {
  let child: ChildProcess | undefined;
  let id = '';
  let ready: () => void = () => undefined;
  const making = new Promise<void>((done) => (ready = done));
  const ended = ground.work.kit([...HERE, '--verbose'], {
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
  for (let tries = 0; (await ground.thingsOfRun(id)).stacks.length === 0 && tries < 60; tries++)
    await new Promise((done) => setTimeout(done, 500));
  if (child === undefined) throw new Error('it was not started');
  return { id, child, ended };
}
