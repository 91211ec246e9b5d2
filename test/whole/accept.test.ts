import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EDITS, regionBeside } from '../../accept/fleet.plan.js';
import type { AcceptReport } from '../../accept/run.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { Workplace } from '../integration/support/target.js';

let sandbox: Sandbox;
const works: Workplace[] = [];
beforeAll(async () => void (sandbox = await startSandbox()));
afterAll(async () => {
  for (const work of works) work.remove();
  await sandbox?.stop();
});

test('two whole runs at once prove everything, do not disturb each other, and leave nothing', async () => {
  const reports = await Promise.all(
    [1, 2].map(async () => {
      const work = new Workplace(sandbox.env);
      works.push(work);
      const args = ['accept', '--account', '111122223333', '--region', 'eu-west-1', '--yes', '--json', '--report', 'page.html'];
      const { stdout, stderr, code } = await work.kit(args);
      const report = JSON.parse(stdout) as AcceptReport;
      const bad = report.stages.flatMap(({ title, proofs }) => proofs.filter(({ ok }) => !ok).map((proof) => ({ title, ...proof })));
      expect(bad, stderr).toEqual([]);
      expect(code).toBe(0);
      const page = readFileSync(join(work.dir, 'page.html'), 'utf8');
      for (const secret of [sandbox.env.HEROKU_API_KEY, sandbox.env.AWS_SECRET_ACCESS_KEY])
        expect(work.printed + page).not.toContain(secret);
      expect(page).toContain(report.run);
      return report;
    }),
  );
  for (const { stages } of reports) {
    const titles = stages.map(({ title }) => title);
    for (const { name } of EDITS) expect(titles).toContain(`Edit under load: ${name}`);
    // Load was there, in each part that says so.
    const loads = stages.flatMap(({ proofs }) => proofs.flatMap(({ proof }) => /^of (\d+) requests/.exec(proof)?.[1] ?? []));
    expect(loads).toHaveLength(EDITS.length + 2);
    expect(Math.min(...loads.map(Number))).toBeGreaterThan(5);
  }
  for (const region of ['eu-west-1', regionBeside('eu-west-1')]) {
    const { s3, iam, secrets, cloudformation } = clients(sandbox.aws, { region });
    expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect((await iam.send(new ListUsersCommand({ PathPrefix: '/halcyon/' }))).Users).toEqual([]);
    expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    expect((await cloudformation.send(new DescribeStacksCommand({}))).Stacks ?? []).toEqual([]);
  }
  expect(await createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url }).apps()).toEqual([]);
});
