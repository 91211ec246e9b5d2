import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { checkAccount, identity, ownerOfKey } from '../aws/identity.js';
import type { Team } from '../config/model.js';
import { parseUserName } from '../contract/index.js';
import { NOTHING_LEFT, teamLeft } from '../deploy/left.plan.js';
import type { Event, FoundKey, Policy } from '../engine/index.js';
import { holdersOf, namesOf, regionOf } from '../config/derive.js';
import { KitError } from '../errors.js';
import { herokuApiUrl } from '../heroku/host.js';
import { inStep } from '../io/io-host.js';
import type { ChangeOptions, CommandResult } from '../cli/command.js';
import { runTeams } from '../cli/run-teams.js';
import { exitCodeOf, renderOutcome } from '../cli/render.js';
import { Journal } from '../cli/journal.js';
import { Notifier } from '../cli/notify.js';
import { admit, narrowed, placesOf, type Session } from '../cli/session.js';

/** Looking at apps beforehand is for the preview only: a Heroku that answers slowly must not keep a leaked key alive for longer. */
const LOOK_MS = 10_000;

export interface EmergencyOptions extends ChangeOptions {
  readonly policy: Partial<Policy>;
}

/** Whose the key is, or was: then `found` is undefined. */
interface TeamKey {
  readonly team: Team;
  readonly found?: FoundKey;
  /** The file no longer has the team: its key is stopped, and nothing else of it is touched. */
  readonly left?: true;
}

/**
 * A leaked key dies first: that takes AWS alone, so nothing about Heroku can be in the way. All else comes afterwards, and what of it
 * cannot be done is said, with exit code 1. Teams without the key are left out. A key that is gone already is said to be, and what is left
 * to do for its apps is done.
 * @throws KitError `key-not-found` where no user of the session's teams has the key, or had it; `wrong-account`.
 */
export async function emergency(session: Session, keyId: string, options: EmergencyOptions): Promise<CommandResult> {
  const { host } = session;
  const { killKey } = await import('../engine/index.js');
  const { team, found, left } = await find(session, keyId);
  const whose =
    found === undefined
      ? `${keyId} was a key of team ${team.name}, and is gone already`
      : `${keyId} is a key of ${found.principal} (IAM user ${found.user}), ${found.status.toLowerCase()}`;
  const unknown = [`which apps hold it is not known here: the file has no team ${team.name}`];
  const shown = [whose, ...(left ? unknown : await appsWith(narrowed(session, [team]), team, keyId))].join('\n');
  if (options.dryRun) {
    const then = found === undefined ? 'apps without a key' : 'it would be made inactive at once; then its apps';
    const text = left
      ? `${shown}\nit would be made inactive at once, and nothing else done`
      : `${shown}\n${then} would get a new key${found === undefined ? '' : ', and it would be deleted'}`;
    return { data: { keyId, team: team.name, ...found }, text, exitCode: options.detailedExitcode ? 2 : 0 };
  }
  host.io.info(`${shown}\n`);
  const question = found === undefined ? 'Give its apps a new key, where they have none?' : `Deactivate ${keyId} at once?`;
  if (!(await host.confirm(question))) throw new KitError('declined', 'nothing was changed');

  const intent = { kind: 'emergency', keyId } as const;
  const killed: Event[] = [];
  host.evidence.note({ intent, killed });
  try {
    if (found !== undefined) await killKey(contextOf(session, team), team, keyId, found, killed);
    host.io.info(found === undefined ? whose : `${keyId} is inactive, and stays so`);
    const journal = new Journal(session, team, intent);
    for (const event of killed) journal.add(event);
    // Not waited for: what comes next is urgent.
    const notifier = new Notifier(session);
    const told = journal.end({ status: 'done', summary: `${keyId} is inactive` }).then((entry) => notifier.tell(team.name, entry));
    if (left) {
      await told.then(() => notifier.settled());
      const text = `${keyId} is inactive; the file has no team ${team.name}, so the apps that hold it get no other: put the team back and run halcyon-kit up ${team.name}, or retire it with halcyon-kit down ${team.name}`;
      return { data: { intent, killed, outcomes: [] }, text, exitCode: 1 };
    }
    // The key is dead: however slow Heroku is, the apps need another.
    session.network.reached.add(herokuApiUrl(host.env.HEROKU_HOST));
    const outcomes = await runTeams(await admit(narrowed(session, [team])), { intent, policy: options.policy });
    await told.then(() => notifier.settled());
    host.evidence.note({ outcomes });
    const text = [found === undefined ? `${keyId} is gone already` : `${keyId} is inactive`, ...outcomes.map(renderOutcome)];
    // Without a lease its apps have no key that works.
    return { data: { intent, killed, outcomes }, text: text.join('\n'), exitCode: exitCodeOf(outcomes, 1) };
  } catch (error) {
    if (host.signal.aborted || !(error instanceof KitError)) throw error;
    const inactive = found?.status !== 'Active' || killed.some(({ step }) => step === 'deactivate');
    const how = inactive ? 'is inactive and does not work any more, but its apps may have no new key yet' : 'STILL WORKS';
    const text = `${keyId} ${how}: ${error.message}; mend that and run the same command again`;
    throw new KitError(error.code, text, { cause: error, details: { keyId, inactive } });
  }
}

/**
 * The one team, of those that were asked for, with a user that has the key, or a secret that still tells of it. AWS tells whose a key is in one
 * request; users are gone through only where it does not: of many teams that takes minutes, for which the key works.
 */
async function find(session: Session, keyId: string): Promise<TeamKey> {
  const { findKey, wasKeyOf } = await import('../engine/index.js');
  const wanted = placesOf(session.teams);
  const look = async (): Promise<TeamKey> => {
    const problems: unknown[] = [];
    const mine: Team[] = [];
    const aws = wanted[0] && session.aws(wanted[0].region);
    const who = aws && (await identity(aws));
    const owner = aws && (await ownerAmong(aws, keyId).catch(() => undefined));
    if (owner !== undefined) {
      const known = wanted.filter(({ account }) => account === who?.account).map(({ team }) => ({ team }));
      const others = (await teamsLeft(session)).map((team) => ({ team, left: true as const }));
      const whose = [...known, ...others].find(({ team }) => namesOf(team).includes(owner.team));
      const found = whose && (await findKey(contextOf(session, whose.team), whose.team, keyId, owner.name));
      if (whose !== undefined && found !== undefined) return { ...whose, found };
    }
    for (const { team, account } of wanted) {
      if (account !== who?.account) continue;
      mine.push(team);
      try {
        const found = await findKey(contextOf(session, team), team, keyId);
        if (found !== undefined) return { found, team };
      } catch (error) {
        problems.push(error);
      }
    }
    // What keeps from looking at another team matters only now.
    if (problems.length > 0) throw problems[0];
    for (const team of mine) if (await wasKeyOf(contextOf(session, team), team, keyId)) return { team };
    if (who !== undefined) checkAccount(who, wanted);
    for (const team of await teamsLeft(session)) {
      const found = await findKey(contextOf(session, team), team, keyId);
      if (found !== undefined) return { found, team, left: true };
    }
    const names = session.teams.map(({ name }) => name).join(', ');
    throw new KitError(
      'key-not-found',
      `no IAM user of ${names} has a key ${keyId}; nothing was changed; check the id, or ask \`aws iam get-access-key-last-used --access-key-id ${keyId}\` whose it is`,
    );
  };
  return inStep(session.host.io, `looking for ${keyId}`, look, ({ team, found }) =>
    found === undefined ? `it was a key of team ${team.name}` : `it is a key of ${found.principal}`,
  );
}

/** The user of the kit's that has the key, where AWS tells. */
async function ownerAmong(aws: Aws, keyId: string): Promise<{ name: string; team: string } | undefined> {
  const { userNames } = await import('../engine/ports/iam.client.js');
  const name = await ownerOfKey(aws, keyId);
  const user = name === undefined ? undefined : (await userNames(aws)).find((one) => one.name === name);
  const team = user && parseUserName(user)?.team;
  return user === undefined || team === undefined ? undefined : { name: user.name, team };
}

/** Teams that have users and that the file does not name. */
async function teamsLeft({ aws, teams, config }: Session): Promise<Team[]> {
  const { userNames } = await import('../engine/ports/iam.client.js');
  const region = teams.map(regionOf).find((one) => one !== undefined);
  if (region === undefined) return [];
  const there = new Set((await userNames(aws(region))).flatMap((user) => parseUserName(user)?.team ?? []));
  return [...there].filter((name) => !config.teams.some((team) => team.name === name)).map((name) => teamLeft(name, NOTHING_LEFT));
}

/**
 * Which apps hold the key, as far as Heroku tells in good time: after that nothing more is asked, as the apps' new keys need the same requests.
 * What cannot be told is a line, never an error.
 */
async function appsWith(session: Session, team: Team, keyId: string): Promise<string[]> {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LOOK_MS))).then(() => void (over = true));
  const unknown = (app: string, why: string) => `whether ${app} holds it is not known: ${why}`;
  const told = new Map(holdersOf(team).map(({ name }) => [name, unknown(name, 'Heroku does not answer')]));
  const ask = async (app: string): Promise<void> => {
    if (over) return;
    const vars = await session
      .heroku()
      .then((heroku) => heroku.configVars(app))
      .catch(messageOf);
    const holds = typeof vars !== 'string' && vars.HALCYON_AWS_ACCESS_KEY_ID === keyId;
    told.set(app, typeof vars === 'string' ? unknown(app, vars) : holds ? `held by ${app}` : '');
  };
  await Promise.race([pMap(told.keys(), ask, { concurrency: 10 }), late]).finally(() => clearTimeout(timer));
  session.host.signal.throwIfAborted();
  const lines = [...told.values()].filter((line) => line !== '');
  return lines.length > 0 ? lines : [`no app of ${team.name} holds it`];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const contextOf = ({ aws, host, teams }: Session, team: Team) => ({
  aws: aws(regionOf(team) ?? teams.map(regionOf).find((one) => one !== undefined) ?? ''),
  io: host.io,
  signal: host.signal,
});
