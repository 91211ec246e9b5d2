import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EDITS, regionBeside } from '../../accept/fleet.plan.js';
import type { AcceptReport } from '../../accept/run.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { HERE, NOTHING, PROBES, startAcceptGround, WHOLE, type AcceptGround } from '../integration/support/accept-ground.js';
import { Workplace } from '../integration/support/target.js';

let ground: AcceptGround;
const works: Workplace[] = [];
beforeAll(async () => void (ground = await startAcceptGround()));
afterAll(async () => {
  for (const work of works) work.remove();
  await ground?.stop();
});

/** How many go to their end at once: one beside those that do not, two with HALCYON_EVERY=1. */
const HOW_MANY = process.env.HALCYON_EVERY === '1' ? 2 : 1;

test(`${HOW_MANY} whole at once with one that is killed, the next, which sweeps it, and one that is stopped: all is proven, and nothing left`, async () => {
  // Only looks like one of a run's.
  await ground.heroku.createApp({ name: 'halcyon-accept-abcdefgh-api' });
  const whole = Array.from({ length: HOW_MANY }, wholeRun);
  const [reports] = await Promise.all([Promise.all(whole), sweptRun().then(stoppedRun)]);
  for (const { stages } of reports) {
    const titles = stages.map(({ title }) => title);
    for (const { name } of EDITS) expect(titles).toContain(`Edit under load: ${name}`);
    // Load was there, in each part that says so.
    const loads = stages.flatMap(({ proofs }) => proofs.flatMap(({ proof }) => /^of (\d+) requests/.exec(proof)?.[1] ?? []));
    expect(loads).toHaveLength(EDITS.length + 2);
    expect(Math.min(...loads.map(Number))).toBeGreaterThan(5);
  }
  for (const region of ['eu-west-1', regionBeside('eu-west-1')]) {
    const { s3, iam, secrets, cloudformation } = clients(ground.sandbox.aws, { region });
    expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect((await iam.send(new ListUsersCommand({ PathPrefix: '/halcyon/' }))).Users).toEqual([]);
    expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    expect((await cloudformation.send(new DescribeStacksCommand({}))).Stacks ?? []).toEqual([]);
  }
  expect((await ground.heroku.apps()).map(({ name }) => name)).toEqual(['halcyon-accept-abcdefgh-api']);
});

async function wholeRun(): Promise<AcceptReport> {
  const work = new Workplace(ground.sandbox.env);
  works.push(work);
  const { stdout, stderr, code } = await work.kit([...WHOLE, '--json']);
  const report = JSON.parse(stdout) as AcceptReport;
  const bad = report.stages.flatMap(({ title, proofs }) => proofs.filter(({ ok }) => !ok).map((proof) => ({ title, ...proof })));
  expect(bad, stderr).toEqual([]);
  expect(code).toBe(0);
  const page = readFileSync(join(work.dir, 'accept.html'), 'utf8');
  for (const secret of [ground.sandbox.env.HEROKU_API_KEY, ground.sandbox.env.AWS_SECRET_ACCESS_KEY])
    expect(work.printed + page).not.toContain(secret);
  expect(page).toContain(report.run);
  return report;
}

/** Killed while its fleet is being made, and swept by the next run, which lets be those that are under way. */
async function sweptRun(): Promise<void> {
  const killed = await begun();
  killed.child.kill('SIGKILL');
  await killed.ended;
  const before = await ground.thingsOfRun(killed.id);
  expect(before.apps).toHaveLength(6);
  expect(before.stacks.length).toBeGreaterThan(0);
  const { code, stderr } = await ground.work.kit(PROBES);
  expect(code, stderr).toBe(0);
  expect(stderr.match(/removing what run \w+ left behind/g)).toEqual([`removing what run ${killed.id} left behind`]);
  expect(await ground.thingsOfRun(killed.id)).toEqual(NOTHING);
}

/** Ctrl-C takes its own down. */
async function stoppedRun(): Promise<void> {
  const stopped = await begun();
  stopped.child.kill('SIGINT');
  expect((await stopped.ended).code).toBe(130);
  expect(await ground.thingsOfRun(stopped.id)).toEqual(NOTHING);
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
