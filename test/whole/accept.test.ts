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
import { startAcceptGround, WHOLE, type AcceptGround } from '../integration/support/accept-ground.js';
import { Workplace } from '../integration/support/target.js';

let ground: AcceptGround;
const works: Workplace[] = [];
beforeAll(async () => void (ground = await startAcceptGround()));
afterAll(async () => {
  for (const work of works) work.remove();
  await ground?.stop();
});

test('two whole at once: all is proven, and nothing left', async () => {
  // Only looks like one of a run's.
  await ground.heroku.createApp({ name: 'halcyon-accept-abcdefgh-api' });
  const reports = await Promise.all([wholeRun(), wholeRun()]);
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
