import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { explainApp, renderExplained, type Live } from '../cli/explain.plan.js';
import { withPrincipals } from '../cli/principals.js';
import { narrowed, openSession, type Session } from '../cli/session.js';
import { checkAccount, identity } from '../aws/identity.js';
import { holdersOf, principalOf, regionOf } from '../config/derive.js';
import { readDocument } from '../config/document.js';
import { configText, display } from '../config/load.js';
import type { App, Team } from '../config/model.js';
import { didYouMean } from '../config/nearest.js';
import { oursOf, secretName, STAGES, type KeyPair } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';

/** Which config vars an app gets, where each comes from, what its key may do, and what a build does with it. Changes nothing; asks Heroku and AWS where it may. */
export async function explain(name: string, options: GlobalOptions & { offline?: boolean }, host: CommandHost): Promise<CommandResult> {
  const session = await openSession([], { ...options, all: true }, host);
  const document = readDocument(await configText(options.config));
  const team = session.teams.find((candidate) => holdersOf(candidate).some((one) => one.name === name));
  const app = team && holdersOf(team).find((one) => one.name === name);
  if (team === undefined || app === undefined) {
    const near = didYouMean(
      name,
      session.teams.flatMap((candidate) => holdersOf(candidate).map((one) => one.name)),
    );
    throw new KitError(
      'app-not-in-team',
      `no team of ${display(options.config)} has an app "${name}"; ${near ?? 'halcyon-kit validate lists them'}`,
    );
  }
  const notes: string[] = [];
  const asked = options.offline ? { team } : await ask(session, team, app, notes);
  const lineOf = (path: readonly string[]) => (isThere(document.data, path) ? document.problem(path, '').line : undefined);
  const explained = explainApp(session.config, asked.team, app, lineOf, asked.live);
  const differs = explained.configVars.filter(({ live }) => live === 'differs').length;
  if (differs > 0) notes.push(`${differs} differ on Heroku: "halcyon-kit plan ${team.name}" shows what would be done about it`);
  return { data: { ...explained, notes }, text: renderExplained(explained, notes) };
}

const isThere = (data: unknown, [step, ...rest]: readonly string[]): boolean =>
  step === undefined ||
  (typeof data === 'object' && data !== null && step in data && isThere((data as Record<string, unknown>)[step], rest));

interface Asked {
  readonly team: Team;
  readonly live?: Live;
}

/** As far as there are credentials; what could not be asked is noted. */
async function ask(session: Session, team: Team, app: App, notes: string[]): Promise<Asked> {
  const unless = (what: string) => (error: unknown) => {
    if (!isKitError(error)) throw error;
    notes.push(`${what}: ${error.message}`);
    return undefined;
  };
  const held = await narrowed(session, [team])
    .heroku()
    .then(async (heroku) => oursOf(await heroku.configVars(app.name)))
    .catch(unless('not compared with Heroku'));
  if (held === undefined) return { team };
  const known = await currentKey(session, team, app, held.HALCYON_AWS_ACCESS_KEY_ID ?? '').catch(unless('its key was not compared'));
  if (known !== undefined && known.key === undefined && principalOf(team, app) !== undefined)
    notes.push(`its principal has no key yet: "halcyon-kit up ${team.name}" makes one`);
  return { team: known?.team ?? team, live: { held, key: known?.key } };
}

/** The key that an app should have, by its principal's secret; none where it has no key yet. */
async function currentKey(session: Session, team: Team, app: App, held: string): Promise<{ team: Team; key?: KeyPair }> {
  const region = regionOf(team);
  if (region === undefined || principalOf(team, app) === undefined) return { team };
  const aws = session.aws(region);
  checkAccount(await identity(aws), [{ account: team.bucket?.spec.account ?? '', by: `team ${team.name}` }]);
  const settled = (await withPrincipals({ ...session, teams: [team] }, { deploying: false })).teams[0] ?? team;
  const principal = principalOf(settled, app);
  const { awsSecrets } = await import('../engine/ports/secrets-manager.client.js');
  const versions = principal === undefined ? undefined : await awsSecrets(aws).read(secretName(principal), [held]);
  const current = versions?.find(({ stages }) => stages.includes(STAGES.current));
  // Of another key than the one held, the id is enough to tell.
  return { team: settled, ...(current && { key: { accessKeyId: current.keyId, secretAccessKey: current.secret ?? '' } }) };
}
