import type { Intent, Policy } from '../engine/model.js';
import { KitError } from '../errors.js';
import { dryRunExitCode, isDoing, tallyOf } from '../cli/changes.plan.js';
import { parseDuration } from '../cli/duration.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { planTeams } from '../cli/preview.js';
import { prover } from '../cli/prove.js';
import { exitCodeOf, renderOutcome, renderPlans } from '../cli/render.js';
import { admit, openSession } from '../cli/session.js';
import { refuseTampered } from '../buildpack/served.client.js';
import { signingBuildpackUrl } from '../buildpack/signing.js';
import { runTeams } from '../cli/run-teams.js';
import { emergency } from './emergency.js';

export interface RotateOptions extends ChangeOptions {
  readonly due?: boolean;
  /** Default 90d. */
  readonly maxAge?: string;
  readonly waves: string;
  readonly soak: string;
  readonly finish?: boolean;
  readonly undo?: boolean;
  readonly emergency?: string;
  readonly deleteUnknownKey?: string;
  readonly smoke?: boolean;
}

/** Observe, plan, show, ask, carry out: the plan shown is the one that is executed, looked at anew before every step. */
export async function rotate(names: readonly string[], options: RotateOptions, host: CommandHost): Promise<CommandResult> {
  const intent = intentOf(options);
  if (options.maxAge !== undefined && !options.due)
    throw new KitError('options-conflict', '--max-age says when a key is due, so it needs --due; without it every key is replaced');
  const policy = {
    maxAge: parseDuration(options.maxAge ?? '90d', '--max-age'),
    soak: parseDuration(options.soak, '--soak'),
    waves: parseWaves(options.waves),
  };
  const opened = await openSession(names, options, host);
  if (intent.kind === 'emergency') return emergency(opened, intent.keyId, { ...options, policy });
  const session = await admit(opened);
  const plans = await planTeams(session, intent, { policy });
  const buildpackUrl = await signingBuildpackUrl(session.config, session.teams);
  if (!options.dryRun) await refuseTampered(buildpackUrl, { network: session.network, signal: host.signal });
  const text = [renderPlans(plans, options.verbose), tallyOf({ teams: plans }, (await session.heroku()).remaining())]
    .filter((part) => part !== '')
    .join('\n\n');
  if (options.dryRun) return { data: { teams: plans }, text, exitCode: dryRunExitCode(options, { teams: plans }) };
  if (plans.some(({ plan }) => isDoing(plan))) {
    host.io.info(`${text}\n`);
    if (!(await host.confirm(question(intent)))) throw new KitError('declined', 'nothing was changed');
  }
  const outcomes = await runTeams(session, {
    intent,
    policy,
    from: plans,
    ...(options.smoke === false ? {} : { smoke: prover(session, { buildpackUrl }) }),
  });
  host.evidence.note({ intent, outcomes });
  return { data: { intent, outcomes }, text: outcomes.map(renderOutcome).join('\n'), exitCode: exitCodeOf(outcomes) };
}

/** @throws KitError `options-conflict` where more than one thing is asked for. */
export function intentOf(options: Pick<RotateOptions, 'due' | 'finish' | 'undo' | 'emergency' | 'deleteUnknownKey'>): Intent {
  const asked: Array<[string, Intent]> = [];
  if (options.due) asked.push(['--due', { kind: 'rotate', due: true }]);
  if (options.finish) asked.push(['--finish', { kind: 'finish' }]);
  if (options.undo) asked.push(['--undo', { kind: 'undo' }]);
  if (options.emergency !== undefined) asked.push(['--emergency', { kind: 'emergency', keyId: options.emergency }]);
  if (options.deleteUnknownKey !== undefined)
    asked.push(['--delete-unknown-key', { kind: 'delete-unknown', keyId: options.deleteUnknownKey }]);
  if (asked.length > 1) throw new KitError('options-conflict', `give one of ${asked.map(([flag]) => flag).join(', ')}, not several`);
  return asked[0]?.[1] ?? { kind: 'rotate', due: false };
}

export function parseWaves(text: string): Policy['waves'] {
  const waves = text.split(',').map((part) => part.trim());
  const wrong = waves.find((wave) => !/^([1-9]\d*|([1-9]\d?|100)%)$/.test(wave));
  if (wrong !== undefined) throw new KitError('waves-invalid', `--waves takes counts and percentages like 1,10%,100%, got "${wrong}"`);
  const whole = waves.indexOf('100%');
  if (whole >= 0 && whole < waves.length - 1)
    throw new KitError('waves-invalid', `--waves ${text}: after 100% no app is left; end with it, as in 1,10%,100%`);
  return waves;
}

function question(intent: Intent): string {
  if (intent.kind === 'delete-unknown') return `Delete ${intent.keyId}, which the kit did not make?`;
  return 'Go on?';
}
