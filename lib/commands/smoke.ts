import type { Mode } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { proveTeams, renderReports } from '../cli/prove.js';
import { admit, openSession } from '../cli/session.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { signingBuildpackUrl } from '../buildpack/signing.js';

export interface SmokeOptions extends ChangeOptions {
  readonly mode?: Mode[];
  readonly prebuild?: boolean;
  readonly app?: string;
  readonly source?: string;
}

export async function smoke(names: readonly string[], options: SmokeOptions, host: CommandHost): Promise<CommandResult> {
  if ((options.app === undefined) !== (options.source === undefined))
    throw new KitError('options-conflict', '--app and --source go together: the app to deploy to, and the directory of its source');
  const opened = await openSession(names, options, host);
  if (options.app !== undefined && !opened.teams.some((team) => team.apps.some(({ name }) => name === options.app))) {
    throw new KitError(
      'app-not-in-team',
      `app ${options.app} is not in team ${opened.teams.map(({ name }) => name).join(', ')}; name its team, or add it to the file`,
    );
  }
  const session = await admit(opened);
  const refused = session.refused.find(({ app }) => app === options.app);
  if (refused !== undefined) throw new KitError(refused.code, refused.message);
  const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
  await refuseTampered(buildpackUrl, { network: session.network, signal: host.signal });
  if (options.dryRun) {
    const planned = session.teams.flatMap((team) =>
      [...new Set(team.apps.map(({ mode }) => mode))]
        .filter((mode) => options.mode === undefined || options.mode.includes(mode))
        .map((mode) => ({ team: team.name, mode, app: options.app ?? 'a short-lived app' })),
    );
    return {
      data: { planned },
      text:
        planned.map(({ team, mode, app }) => `would build and prove ${team}, ${mode}, on ${app}`).join('\n') ||
        'no mode in use was asked for',
    };
  }
  if (options.app !== undefined && !(await host.confirm(`Deploy ${options.source} to ${options.app}, which replaces what runs there?`)))
    throw new KitError('declined', 'nothing was changed');
  const reports = await proveTeams(session, {
    modes: options.mode,
    prebuild: options.prebuild,
    app: options.app,
    source: options.source,
    buildpackUrl,
  });
  if (reports.length === 0)
    throw new KitError('nothing-to-prove', 'no app of these teams has a mode that was asked for; leave out --mode, or correct it');
  host.evidence.note({ smoke: reports });
  return { data: { smoke: reports }, text: renderReports(reports), exitCode: reports.every(({ ok }) => ok) ? 0 : 1 };
}
