import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { acceptRun } from './accept.js';
import { costOf, expensesOf, minutesOf, refuseOver } from './cost.plan.js';
import { configOf, expiryOf, fleetOf, namesOf, newRunId, textOf } from './fleet.plan.js';
import { acceptPage, fingerprintOf } from './page.plan.js';
import type { AcceptReport, Kit } from './run.js';
import { createAws, type Aws } from '../lib/aws/aws.js';
import { checkAccount, identity } from '../lib/aws/identity.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../lib/cli/command.js';
import { refuseLocalAws, openHeroku } from '../lib/cli/session.js';
import { KitError } from '../lib/errors.js';
import { renderTable } from '../lib/io/table.js';
import { networkOf } from '../lib/network/network.js';

export interface AcceptCommandOptions extends Omit<ChangeOptions, 'config'> {
  readonly account: string;
  readonly region: string;
  readonly herokuTeam?: string;
  readonly budget: string;
  readonly minutes: string;
  readonly keep?: boolean;
  readonly probes?: boolean;
  readonly report?: string;
}

/** The kit's whole life on an account, on a fleet of its own that is taken down in the end. */
export async function accept(options: AcceptCommandOptions, host: CommandHost, kit: Kit, version: string): Promise<CommandResult> {
  const { account, region, herokuTeam } = options;
  const minutes = minutesOf(options.minutes);
  const place = { account, region, herokuTeam };
  const startedAt = new Date();
  // As long again to take it down; after that anyone's next run removes it.
  const id = newRunId(new Date(startedAt.getTime() + 2 * minutes * 60_000), randomInt(46_656));
  const file = fleetOf(id, place, 'hosted');
  configOf(file);
  const expenses = expensesOf(minutes);
  const cost = costOf(expenses);
  const rows = expenses.map(({ what, most, usd }) => [what, String(most), usd === 0 ? '–' : usd.toFixed(3)]);
  const what = [
    `run ${id} on account ${account} in ${region}: what it makes has "accept-${id}" in its name, and expires at ${expiryOf(id).toISOString()}`,
    renderTable(['', 'at most', 'USD at most'], rows),
    `in all at most ${cost.toFixed(2)} USD, for ${minutes} minutes and the taking down`,
  ].join('\n\n');
  refuseOver(options.budget, cost);
  refuseLocalAws(host.env);
  const network = networkOf(host.env, (text) => host.io.warn(text));
  const aws = clientsOf((where) => createAws({ region: where, profile: options.profile, network }));
  const who = await identity(aws(region));
  checkAccount(who, [{ account, by: 'the run' }]);
  if (options.dryRun)
    return {
      data: { run: id, account, region, expenses, cost, file },
      text: options.probes ? what : `${what}\n\n${textOf(file).trimEnd()}`,
    };
  host.io.info(`${what}\n`);
  if (!(await host.confirm(`Make all of this on account ${account}?`))) throw new KitError('declined', 'nothing was changed');

  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new KitError('accept-timeout', `the run took longer than ${minutes} minutes and was taken down; raise --minutes`)),
    minutes * 60_000,
  );
  const signal = AbortSignal.any([host.signal, late.signal]);
  // Not of that signal: what was made goes after an interruption, too.
  const heroku = await openHeroku({ ...host, signal: new AbortController().signal }, network);
  const names = namesOf(id, place);
  const profiled: Kit = (args, on) => kit(options.profile === undefined ? args : [...args, '--profile', options.profile], on);
  const stages = await acceptRun({ id, place, names, aws, heroku, host: { ...host, signal } }, profiled, options).finally(() =>
    clearTimeout(timer),
  );
  const report: AcceptReport = {
    run: id,
    version,
    account,
    region,
    operator: who.arn,
    ...(herokuTeam === undefined ? {} : { herokuTeam }),
    ...(network.s3Url === undefined ? {} : { endpoint: network.s3Url }),
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    stages,
    ok: stages.every(({ proofs }) => proofs.every(({ ok }) => ok)),
  };
  if (options.report !== undefined) await writeFile(options.report, acceptPage(report));
  return { data: { ...report, fingerprint: fingerprintOf(report) }, text: render(report, options.report), exitCode: report.ok ? 0 : 1 };
}

function render(report: AcceptReport, page?: string): string {
  const proofs = report.stages.flatMap(({ title, proofs: all }) => all.map((proof) => ({ title, ...proof })));
  const bad = proofs.filter(({ ok }) => !ok);
  return [
    ...report.stages.map(
      ({ title, proofs: all }) =>
        `${all.every(({ ok }) => ok) ? '✔' : '✘'} ${title}: ${all.filter(({ ok }) => ok).length} of ${all.length}`,
    ),
    ...bad.map(({ title, proof, expected, observed }) => `  ${title}: ${proof}: ${observed}, expected ${expected}`),
    `${proofs.length - bad.length} of ${proofs.length} proofs hold; sha256 ${fingerprintOf(report)}`,
    ...(page === undefined ? [] : [`the page is in ${page}`]),
  ].join('\n');
}

function clientsOf(make: (region: string) => Aws): (region: string) => Aws {
  const made = new Map<string, Aws>();
  return (region) => made.get(region) ?? made.set(region, make(region)).get(region)!;
}
