import { checkAccount, identity } from '../aws/identity.js';
import type { Team } from '../config/model.js';
import type { FoundKey, Policy } from '../engine/index.js';
import { KitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import { inStep } from '../io/io-host.js';
import type { ChangeOptions, CommandResult } from '../cli/command.js';
import { withPrincipals } from '../cli/principals.js';
import { runTeams } from '../cli/run-teams.js';
import { exitCodeOf, renderOutcome } from '../cli/render.js';
import { regionOf, writeEvidence, type Session } from '../cli/session.js';

/** Looking at apps beforehand is for the preview only: a Heroku that answers slowly must not keep a leaked key alive for longer. */
const LOOK_MS = 10_000;

export interface EmergencyOptions extends ChangeOptions {
  readonly evidence?: string;
  readonly policy: Partial<Policy>;
}

interface TeamKey extends FoundKey {
  readonly team: Team;
}

/**
 * A leaked key dies first: that takes AWS alone, so nothing about Heroku can be in the way. All else comes afterwards, and what of it
 * cannot be done is said, with exit code 1. Teams without the key are left out.
 * @throws KitError `key-not-found` where no user of the session's teams has the key; `wrong-account`.
 */
export async function emergency(session: Session, keyId: string, options: EmergencyOptions): Promise<CommandResult> {
  const { host } = session;
  const { killKey } = await import('../engine/index.js');
  const { team, principal, user, status } = await find(session, keyId);
  const whose = `${keyId} is a key of ${principal} (IAM user ${user}), ${status.toLowerCase()}`;
  const found = [whose, ...(await appsWith(session, team, keyId))].join('\n');
  if (options.dryRun) {
    const text = `${found}\nit would be made inactive at once; then its apps would get a new key, and it would be deleted`;
    return { data: { keyId, team: team.name, principal, user, status }, text };
  }
  host.io.info(`${found}\n`);
  if (!(await host.confirm(`Deactivate ${keyId} at once?`))) throw new KitError('declined', 'nothing was changed');

  const killed = await killKey(contextOf(session, team), team, keyId);
  host.io.info(`${keyId} is inactive, and stays so`);
  const intent = { kind: 'emergency', keyId } as const;
  const evidence = (more: object) => writeEvidence(options.evidence, { intent, killed, ...more }, host);
  try {
    const { preflight } = await import('../heroku/preflight.js');
    const heroku = await session.heroku();
    // Apps that cannot be worked on stop none of the others.
    const { problems } = await inStep(host.io, 'checking apps', () => preflight(heroku, [team], { signal: host.signal }));
    for (const { message } of problems) host.io.warn(message);
    const outcomes = await runTeams(await withPrincipals({ ...session, teams: [team] }, { deploying: false }), {
      intent,
      policy: options.policy,
    });
    await evidence({ problems, outcomes });
    const text = [`${keyId} is inactive`, ...outcomes.map(renderOutcome), ...problems.map(({ message }) => `remains: ${message}`)];
    const data = { intent, killed, problems, outcomes };
    return { data, text: text.join('\n'), exitCode: problems.length > 0 ? 1 : exitCodeOf(outcomes) };
  } catch (error) {
    if (host.signal.aborted || !(error instanceof KitError) || error.code === 'evidence-not-written') throw error;
    await evidence({ error: { code: error.code, message: error.message } });
    const text = `${keyId} is inactive and does not work any more, but its apps may have no new key yet: ${error.message}; mend that and run the same command again`;
    throw new KitError(error.code, text, { cause: error, details: { keyId, inactive: true } });
  }
}

/** The one team, of those that were asked for, with a user that has the key. */
async function find(session: Session, keyId: string): Promise<TeamKey> {
  const { findKey } = await import('../engine/index.js');
  const wanted = session.teams.flatMap((team) =>
    team.bucket === undefined ? [] : [{ team, account: team.bucket.spec.account, by: `team ${team.name}` }],
  );
  const look = async (): Promise<TeamKey> => {
    const problems: unknown[] = [];
    const who = wanted[0] === undefined ? undefined : await identity(session.aws(regionOf(wanted[0].team) ?? ''));
    for (const { team, account } of wanted) {
      if (account !== who?.account) continue;
      try {
        const found = await findKey(contextOf(session, team), team, keyId);
        if (found !== undefined) return { ...found, team };
      } catch (error) {
        problems.push(error);
      }
    }
    // What keeps from looking at another team matters only now.
    if (problems.length > 0) throw problems[0];
    if (who !== undefined) checkAccount(who, wanted);
    const names = session.teams.map(({ name }) => name).join(', ');
    throw new KitError(
      'key-not-found',
      `no IAM user of ${names} has a key ${keyId}; nothing was changed; check the id, or ask \`aws iam get-access-key-last-used --access-key-id ${keyId}\` whose it is`,
    );
  };
  return inStep(session.host.io, `looking for ${keyId}`, look, ({ principal }) => `it is a key of ${principal}`);
}

/** Which apps hold the key, as far as Heroku tells in good time. What cannot be told is a line, never an error. */
async function appsWith(session: Session, team: Team, keyId: string): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(resolve, LOOK_MS, 'Heroku does not answer')));
  const read = async (heroku: Heroku, app: string): Promise<string> => {
    const vars = await heroku.configVars(app).catch(messageOf);
    if (typeof vars === 'string') return vars;
    return vars.HALCYON_AWS_ACCESS_KEY_ID === keyId ? `held by ${app}` : '';
  };
  const ask = async (app: string): Promise<string> => {
    const heroku = await session.heroku().catch(messageOf);
    const answer = typeof heroku === 'string' ? heroku : await Promise.race([read(heroku, app), late]);
    return answer === '' || answer.startsWith('held by') ? answer : `whether ${app} holds it is not known: ${answer}`;
  };
  const lines = await Promise.all(team.apps.map(({ name }) => ask(name))).finally(() => clearTimeout(timer));
  session.host.signal.throwIfAborted();
  const told = lines.filter((line) => line !== '');
  return told.length > 0 ? told : [`no app of ${team.name} holds it`];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const contextOf = ({ aws, host }: Session, team: Team) => ({ aws: aws(regionOf(team) ?? ''), io: host.io, signal: host.signal });
