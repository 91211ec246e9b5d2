import { loadConfig } from '../config/index.js';
import type { Team } from '../config/model.js';
import { KitError } from '../errors.js';
import { cut } from '../io/printable.js';
import { causesInLog } from '../smoke/log-causes.plan.js';
import { parseBuildLog } from '../smoke/log.js';
import type { CommandHost } from '../cli/command.js';
import { textGiven } from '../cli/given.js';
import { openHeroku } from '../cli/session.js';
import { broken, warning } from '../doctor/checks/finding.js';
import type { Finding } from '../doctor/model.js';
import { networkOf } from '../network/network.js';

export interface LogOptions {
  readonly config: string;
  /** A file, `-` for stdin, or `true`: of a build of `app`. */
  readonly log: string | true;
  readonly app?: string;
  /** Id of a build, or `latest`. */
  readonly build?: string;
}

/** What a build log tells. The file is used for the app's team only, where there is one; AWS is not asked. */
export async function findingsInLog(options: LogOptions, host: CommandHost): Promise<Finding[]> {
  const { app } = options;
  if ((options.log === true) !== (app !== undefined))
    throw new KitError(
      'options-conflict',
      'give a log (--log FILE, or - for stdin), or an app whose log is to be fetched (--log --app APP)',
    );
  const config = app === undefined ? undefined : await loadConfig(options.config).catch(() => undefined);
  const team = config?.teams.find(({ apps }) => apps.some(({ name }) => name === app));
  const text =
    options.log === true ? await fetched(app!, options.build ?? 'latest', host, team) : await textGiven(options.log, 'log-unreadable');
  return causesInLog(parseBuildLog(text), { app, team: team?.name }).map(({ code, message, remedy, line }) => ({
    ...(code === 'constraints-missing' ? warning : broken)(code, { message, looksLike: cut(line, 200), fix: remedy }),
    subject: app === undefined ? 'build log' : `app ${app}`,
  }));
}

/** Of a build that runs, up to its end. */
async function fetched(app: string, id: string, host: CommandHost, team: Team | undefined): Promise<string> {
  const heroku = await openHeroku(
    host,
    networkOf(host.env, (text) => host.io.warn(text)),
    team && [team],
  );
  const build = id === 'latest' ? (await heroku.builds(app, { max: 1 }))[0] : await heroku.build(app, id);
  if (build?.outputStreamUrl === undefined)
    throw new KitError('log-unreadable', `app ${app} has no build whose log Heroku still has; deploy it, or paste a log: --log -`);
  let text = '';
  await heroku.followStream(build.outputStreamUrl, (chunk) => void (text += chunk), host.signal);
  return text;
}
