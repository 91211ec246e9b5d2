import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { dryRunExitCode } from '../cli/changes.plan.js';
import { preview, renderPreview } from '../cli/preview.js';
import { buildpackWarnings, exitCodeOf, renderOutcome } from '../cli/render.js';
import { runTeams, runWithBuildpacks } from '../cli/run-teams.js';
import { admit, openSession } from '../cli/session.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { KitError } from '../errors.js';

/** `up` without stacks and smoke: for apps whose config vars were changed by hand, or that are new in the file. */
export async function sync(names: readonly string[], options: ChangeOptions, host: CommandHost): Promise<CommandResult> {
  const session = await admit(await openSession(names, options, host));
  const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
  await refuseTampered(buildpackUrl, { network: session.network, signal: host.signal });
  const seen = await preview(session, { buildpackUrl });
  for (const warning of buildpackWarnings(seen.buildpacks, session.config.buildpack.url)) host.io.warn(warning);
  const text = renderPreview(seen, options.verbose, (await session.heroku()).remaining());
  // To a team whose stack is not there yet, buildpacks alone are of no use.
  const stuck = seen.teams.every(({ plan }) => plan.blocked.some(({ code }) => code === 'user-missing' || code === 'secret-missing'));
  if (options.dryRun || stuck) return { data: seen, text, exitCode: dryRunExitCode(options, seen, seen.blocked) };
  host.io.info(`${text}\n`);
  if (seen.changes) {
    if (!(await host.confirm('Go on?'))) throw new KitError('declined', 'nothing was changed');
    await publishIfHosted(session.config, session.teams, session.aws, host.io);
  }
  const outcomes = await runWithBuildpacks(session, seen.buildpacks, () =>
    runTeams(session, { intent: { kind: 'ensure' }, command: 'sync', from: seen.teams }),
  );
  host.evidence.note({ outcomes });
  return { data: { outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) };
}
