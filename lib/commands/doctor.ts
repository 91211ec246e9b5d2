import { checkAccount, identity } from '../aws/identity.js';
import { renderTable } from '../io/table.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { openSession, placesOf } from '../cli/session.js';
import type { Finding } from '../doctor/model.js';
import { isKitError } from '../errors.js';
import type { LogOptions } from './doctor-log.js';

/** Findings about every team, or those named. Exit code 1 where anything is broken. */
export async function doctor(
  names: readonly string[],
  options: GlobalOptions & { writeProbe?: boolean } & Partial<Omit<LogOptions, 'config'>>,
  host: CommandHost,
): Promise<CommandResult> {
  const log = options.log ?? (options.app === undefined && options.build === undefined ? undefined : true);
  if (log !== undefined) {
    const { findingsInLog } = await import('./doctor-log.js');
    return told(await findingsInLog({ ...options, log }, host), 'nothing is known to be wrong in it');
  }
  const opened = await openSession(names, { ...options, all: options.all || names.length === 0 }, host);
  // Not the checks of the other commands: an app that is missing or of the Fir generation is a finding here, among others.
  const heroku = await opened.heroku();
  const places = placesOf(opened.teams);
  if (places[0] !== undefined) checkAccount(await identity(opened.aws(places[0].region)), places);
  const [{ runDoctor }, { withBuildpackHomes }, { withPrincipals }] = await Promise.all([
    import('../doctor/index.js'),
    import('../buildpack/home.client.js'),
    import('../cli/principals.js'),
  ]);
  // Without the list of users each principal's first generation is looked for, and what is amiss becomes a finding.
  const settled = await withPrincipals(opened, { deploying: false, everywhere: true }).catch((error: unknown) => {
    if (isKitError(error)) return opened;
    throw error;
  });
  const session = { ...settled, config: await withBuildpackHomes(settled.config, settled.teams, settled.aws) };
  const { findings } = await runDoctor({
    config: session.config,
    teams: session.teams,
    left: session.left,
    aws: session.aws,
    heroku,
    io: host.io,
    writeProbe: options.writeProbe === true,
    concurrency: session.concurrency,
    signal: host.signal,
  });
  return told(findings, 'nothing is broken');
}

function told(findings: readonly Finding[], well: string): CommandResult {
  const marks = { broken: '✘', warning: '!', info: '·' } as const;
  const rows = findings.map((finding) => [marks[finding.severity], finding.name, finding.subject, finding.message]);
  const details = findings
    .filter(({ severity }) => severity !== 'info')
    .map((finding) =>
      [
        `${finding.name} (${finding.subject})`,
        ...(finding.looksLike ? [`  in a build log: ${finding.looksLike}`] : []),
        `  to mend it: ${finding.fix}`,
      ].join('\n'),
    );
  const broken = findings.filter(({ severity }) => severity === 'broken').length;
  const ok = broken === 0;
  return {
    data: { ok, findings },
    text: [
      ...(rows.length > 0 ? [renderTable(['', 'finding', 'where', 'what'], rows), ''] : []),
      ...details,
      ...(details.length > 0 ? [''] : []),
      ok ? well : `${broken} broken`,
    ].join('\n'),
    exitCode: ok ? 0 : 1,
  };
}
