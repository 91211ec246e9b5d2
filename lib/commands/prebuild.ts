import { resolve } from 'node:path';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { parseDuration } from '../cli/duration.js';
import { admit, engineContext, narrowed, openSession, type Session } from '../cli/session.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { signingBuildpackUrl } from '../buildpack/signing.js';
import { display } from '../config/load.js';
import { KitError } from '../errors.js';
import { renderTable } from '../io/table.js';
import { lookAt, prebuildAll, type Prebuild, type PrebuildReport } from '../prebuild/prebuild.client.js';
import { costOf, inWaves, SIZES, type Size } from '../prebuild/prebuild.plan.js';
import { readSource, type Source } from '../prebuild/source.client.js';
import { withoutUserInfo } from '../smoke/app.client.js';
import { sweep } from '../smoke/leftovers.client.js';
import { failureOf } from '../smoke/report.js';
import { subjectOf } from '../smoke/subject.js';

export interface PrebuildCommandOptions extends ChangeOptions {
  readonly source?: readonly string[];
  readonly commit?: readonly string[];
  readonly size: string;
  readonly timeout: string;
  readonly deploy?: boolean;
}

/** Heroku lets a one-off dyno run for a day. */
const LONGEST_MS = 24 * 3_600_000;

export async function prebuild(apps: readonly string[], options: PrebuildCommandOptions, host: CommandHost): Promise<CommandResult> {
  const names = [...new Set(apps)];
  const size = SIZES.find((one) => one === options.size.toLowerCase());
  if (size === undefined)
    throw new KitError('size-unknown', `there is no size "${options.size}" to build on; there are: ${SIZES.join(', ')}`);
  const timeoutMs = parseDuration(options.timeout, '--timeout');
  if (timeoutMs < 60_000 || timeoutMs > LONGEST_MS)
    throw new KitError(
      'duration-invalid',
      `--timeout takes from 1m to 24h, as Heroku ends a one-off dyno after a day; got "${options.timeout}"`,
    );
  const session = await admitted(names, options, host);
  const contextOf = await contexts(session);
  const sources = new Map<string, Promise<Source>>();
  const jobs: Prebuild[] = [];
  for (const name of names) {
    const [directory, commit] = sourceOf(name, names, options);
    const key = JSON.stringify([directory, commit]);
    const source = await (sources.get(key) ?? sources.set(key, readSource(directory, commit)).get(key)!);
    const team = session.teams.find((one) => one.apps.some((app) => app.name === name))!;
    jobs.push(
      await lookAt(
        contextOf(team.name),
        subjectOf(
          team,
          team.apps.find((app) => app.name === name)!,
        ),
        source,
      ),
    );
  }
  const unready = jobs.find(({ prepared }) => options.deploy === true && prepared.differs.length > 0);
  if (unready !== undefined)
    throw new KitError(
      'prebuild-refused',
      `app ${unready.app} would not build like its short-lived app: ${unready.prepared.differs.join(', ')} differ; run halcyon-kit sync ${unready.subject.team.name} first, or leave out --deploy`,
    );
  const waves = inWaves(jobs);
  const plan = planOf(waves, size, timeoutMs, options.deploy === true);
  if (options.dryRun) return { data: { dryRun: true, ...plan }, text: renderPlan(plan) };
  host.io.info(renderPlan(plan));
  const replaced = options.deploy ? ' and then deploy it to the app itself, which replaces what runs there' : '';
  if (!(await host.confirm(`Build ${names.join(', ')} for at most ${plan.atMost}${replaced}?`)))
    throw new KitError('declined', 'nothing was changed');
  for (const team of session.teams) await sweep(contextOf(team.name), team, { apps: true, objects: false });
  const reports = await prebuildAll((job) => contextOf(job.subject.team.name), waves, { size, timeoutMs, deploy: options.deploy === true });
  host.evidence.note({ prebuild: reports });
  return { data: { ...plan, apps: reports }, text: reports.map(renderReport).join('\n'), exitCode: reports.every(({ ok }) => ok) ? 0 : 1 };
}

/** The teams that have these apps, looked at as every command does. @throws KitError `app-not-in-team`, or why an app cannot be worked on. */
async function admitted(names: readonly string[], options: ChangeOptions, host: CommandHost): Promise<Session> {
  const opened = await openSession([], { ...options, all: true }, host);
  const teams = opened.teams.filter((team) => team.apps.some(({ name }) => names.includes(name)));
  const known = teams.flatMap((team) => team.apps.map(({ name }) => name));
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new KitError('app-not-in-team', `app ${stranger} is in no team of ${display(options.config)}; add it to the file`);
  const session = await admit(narrowed(opened, teams));
  const refused = session.refused.find(({ app }) => names.includes(app));
  if (refused !== undefined) throw new KitError(refused.code, refused.message);
  return session;
}

async function contexts(session: Session) {
  const url = await signingBuildpackUrl(session.config, session.teams);
  await refuseTampered(url, { network: session.network, signal: session.host.signal });
  const made = await Promise.all(session.teams.map(async (team) => [team.name, await engineContext(session, team)] as const));
  const byTeam = new Map(made);
  return (team: string) => ({ ...byTeam.get(team)!, signingBuildpackUrl: url });
}

/** Directory and commit for an app: `APP=…` is for that one alone. */
function sourceOf(app: string, apps: readonly string[], { source, commit }: PrebuildCommandOptions): [directory: string, commit?: string] {
  const of = (values: readonly string[] = []): string | undefined => {
    const own = values.find((value) => value.startsWith(`${app}=`))?.slice(app.length + 1);
    return own ?? values.find((value) => !apps.some((other) => value.startsWith(`${other}=`)));
  };
  const [directory, at] = [of(source), of(commit)];
  if (directory === undefined && at === undefined)
    throw new KitError('source-missing', `say what to build for ${app}: --source DIR, or --commit REV of the git repository here`);
  return [resolve(directory ?? '.'), at];
}

function planOf(waves: readonly Prebuild[][], size: Size, timeoutMs: number, deploy: boolean) {
  const planned = waves.flatMap((wave, at) =>
    wave.map(({ app, subject, prepared, place, source }) => ({
      ...{ wave: at + 1, app, team: subject.team.name, stack: prepared.app.stack, source: source.from, storage: place },
      buildpacks: prepared.buildpacks.map(withoutUserInfo),
      configVars: Object.keys(prepared.configVars).sort(),
    })),
  );
  return {
    planned,
    size,
    hours: timeoutMs / 3_600_000,
    anHour: costOf(size, 3_600_000),
    atMost: costOf(size, timeoutMs, planned.length),
    deploy,
  };
}

function renderPlan({ planned, size, hours, anHour, atMost, deploy }: ReturnType<typeof planOf>): string {
  const rows = planned.map(({ wave, app, stack, source, storage }) => [String(wave), app, stack, source, `s3://${storage}`]);
  return [
    renderTable(['wave', 'app', 'stack', 'source', 'packages'], rows),
    `each on a short-lived app and a one-off dyno of size ${size} (${anHour} an hour, at most ${hours} h: ${atMost} in all, list price)`,
    ...(deploy ? ['then each source is deployed to its app, and replaces what runs there'] : []),
  ].join('\n');
}

function renderReport(report: PrebuildReport): string {
  const { app, ok, state, archive, release } = report;
  const done = { prebuilt: 'prebuilt', there: 'prebuilt already', failed: 'failed' }[state];
  if (ok) return `${app}: ${done}, ${archive}${release === undefined ? '' : `; deployed, v${release}`}`;
  return `${app}: ${failureOf(report, done)}`;
}
