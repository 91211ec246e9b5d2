import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { converge } from '../cli/converge.js';
import { look, pictureExitCode, renderPicture } from '../cli/look.js';
import { buildpackWarnings, exitCodeOf, renderOutcome } from '../cli/render.js';
import { openSession, preflight, writeEvidence } from '../cli/session.js';
import { publishIfHosted, signingBuildpackUrl } from '../buildpack/signing.js';
import { KitError } from '../errors.js';

export interface SyncOptions extends ChangeOptions {
  readonly all?: boolean;
  readonly evidence?: string;
}

/** `up` without stacks and smoke: for apps whose config vars were changed by hand, or that are new in the file. */
export async function sync(names: readonly string[], options: SyncOptions, host: CommandHost): Promise<CommandResult> {
  const session = await openSession(names, options, host);
  const { heroku } = await preflight(session, host);
  const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
  const picture = await look(session, heroku, host, { buildpackUrl });
  for (const warning of buildpackWarnings(picture.buildpacks, session.config.buildpack.url)) host.io.warn(warning);
  if (options.dryRun || !picture.changes) return { data: picture, text: renderPicture(picture), exitCode: pictureExitCode(picture) };
  host.io.info(`${renderPicture(picture)}\n`);
  if (!(await host.confirm('Go on?'))) throw new KitError('declined', 'nothing was changed');
  await publishIfHosted(session.config, session.teams, (region) => session.aws(region), host.io);
  const outcomes = await converge(session, heroku, host, {
    intent: { kind: 'ensure' },
    buildpacks: { plans: picture.buildpacks },
    from: picture.teams,
  });
  await writeEvidence(options.evidence, { outcomes }, host);
  return { data: { outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) === 1 ? 1 : 0 };
}
