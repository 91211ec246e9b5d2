import pMap from 'p-map';
import { createAws, type Aws } from '../aws/aws.js';
import { checkAccount, identity } from '../aws/identity.js';
import { loadConfig } from '../config/index.js';
import { holdersOf, regionOf, teamNamed } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { digestOf } from '../contract/index.js';
import { NOTHING_LEFT, type Left } from '../deploy/left.plan.js';
import type { ConfirmedRecord } from '../engine/index.js';
import { isKitError, KitError } from '../errors.js';
import { herokuApiUrl, isLocal } from '../heroku/host.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import type { PreflightProblem } from '../heroku/preflight.js';
import { networkOf, type Network } from '../network/network.js';
import { CONCURRENCY, type CommandHost, type GlobalOptions } from './command.js';

/** What a command works with: the file, the teams it is about, and the two clouds, each opened when first asked for. */
export interface Session {
  readonly config: KitConfig;
  /** Of what the file means: comments and defaults written out make no difference. */
  readonly fileDigest: string;
  readonly teams: readonly Team[];
  /** Teams, and stacks, that are worked on side by side. */
  readonly concurrency: number;
  readonly network: Network;
  readonly host: CommandHost;
  readonly aws: (region: string) => Aws;
  /** @param home - whose account makes apps, and is first asked for those that the file has not. */
  readonly heroku: (home?: Team) => Promise<Heroku>;
  /** Apps that cannot be worked on, and why; none before {@link admit} has looked. */
  readonly refused: readonly PreflightProblem[];
  /** Heroku's ids of the apps that were found, by name. */
  readonly ids: ReadonlyMap<string, string>;
  /** What the apps of a team were last seen to have, by its name; none before {@link admit} has looked. */
  readonly records: ReadonlyMap<string, ConfirmedRecord>;
  /** Apps outside the file that are not asked what they hold. */
  readonly forget: ReadonlySet<string>;
  /** What an earlier file made, and this one no longer names; nothing before {@link admit} has looked. */
  readonly left: Left;
}

export async function openSession(
  names: readonly string[],
  options: GlobalOptions & { forget?: readonly string[] },
  host: CommandHost,
): Promise<Session> {
  const network = networkOf(host.env, (text) => host.io.warn(text));
  const { file, ...meaning } = await loadConfig(options.config);
  const config: KitConfig = { ...meaning, file, s3Url: network.s3Url };
  let aws: Aws | undefined;
  const teams = selectTeams(config, names, options.all === true);
  return {
    config,
    fileDigest: digestOf(meaning),
    network,
    teams,
    concurrency: options.concurrency ?? CONCURRENCY,
    host,
    aws: (region) => (aws ??= createAws({ region, profile: options.profile, network })).in(region),
    heroku: herokuOf(teams, host, network),
    refused: [],
    ids: new Map(),
    records: new Map(),
    forget: new Set(options.forget),
    left: NOTHING_LEFT,
  };
}

/** The session for some of its teams: the others' tokens are not needed. */
export const narrowed = (session: Session, teams: readonly Team[]): Session => ({
  ...session,
  teams,
  heroku: herokuOf(teams, session.host, session.network),
});

function herokuOf(teams: readonly Team[], { env, io, signal }: CommandHost, network: Network): Session['heroku'] {
  const open = async () => {
    const [{ createHeroku }, { openAccounts }] = await Promise.all([import('../heroku/heroku.client.js'), import('../heroku/accounts.js')]);
    return openAccounts(teams, env, (token, tokenFrom) => createHeroku({ token, tokenFrom, host: env.HEROKU_HOST, io, signal, network }));
  };
  let accounts: ReturnType<typeof open> | undefined;
  return async (home) => (await (accounts ??= open()))(home);
}

/** Without a session. @param teams - whose accounts. Default: that of HEROKU_API_KEY, or ~/.netrc. */
export const openHeroku = (host: CommandHost, network: Network, teams: readonly Team[] = []): Promise<Heroku> =>
  herokuOf(teams, host, network)();

/** @throws KitError `team-not-found`, or `team-missing` where none is named and there are several. */
export function selectTeams(config: Pick<KitConfig, 'teams' | 'file'>, names: readonly string[], all: boolean): readonly Team[] {
  if (all) {
    if (names.length > 0) throw new KitError('team-ambiguous', `name teams or give --all, not both: got ${names.join(', ')} and --all`);
    return config.teams;
  }
  if (names.length > 0) return [...new Set(names)].map((name) => teamNamed(config, name));
  if (config.teams.length === 1) return config.teams;
  throw new KitError('team-missing', `say which team, or --all; there are: ${config.teams.map((team) => team.name).join(', ') || 'none'}`);
}

/** Where teams are to be in AWS, for {@link checkAccount}; none of a team whose every app is public. */
export const placesOf = (teams: readonly Team[]) =>
  teams.flatMap((team) =>
    team.bucket === undefined
      ? []
      : [{ team, by: `team ${team.name}`, account: team.bucket.spec.account, region: team.bucket.spec.region }],
  );

/** The team without the apps that cannot be worked on. */
export const workable = ({ refused }: Pick<Session, 'refused'>, team: Team): Team => ({
  ...team,
  apps: team.apps.filter(({ name }) => !refused.some(({ app }) => app === name)),
});

/** What the key engine works with, for one team. */
export async function engineContext(session: Session, team: Team) {
  const { config, host, aws, heroku, ids, forget } = session;
  const refused = new Map(session.refused.map(({ app, message }) => [app, message]));
  return {
    config,
    aws: aws(regionOf(team) ?? 'us-east-1'),
    heroku: await heroku(team),
    io: host.io,
    signal: host.signal,
    refused,
    ids,
    confirmed: session.records.get(team.name)?.confirmed,
    forget,
  };
}

/**
 * Credentials, accounts, apps: whatever would stop the work is found before anything is changed. An app that cannot be worked on stops
 * its own alone, and is named.
 * @param options.deploying - stacks are about to be deployed. Default false.
 * @param options.everywhere - stacks that an earlier file left are looked for in every region. Default false.
 * @returns the session with those apps refused; from now on it asks for the others by their ids, and knows where the hosted buildpack is
 * served from, and the principals that AWS has.
 */
export async function admit(session: Session, { deploying = false, everywhere = false } = {}): Promise<Session> {
  const { teams, host, aws, heroku } = session;
  const wanted = placesOf(teams);
  const region = wanted[0]?.region;
  refuseLocalAws(host.env);
  const step = host.io.step('checking credentials and apps');
  try {
    const [who, api] = await Promise.all([region === undefined ? undefined : identity(aws(region)), heroku()]);
    if (who !== undefined) checkAccount(who, wanted);
    const [{ preflight }, { byId }, { withBuildpackHomes }, { withPrincipals }] = await Promise.all([
      import('../heroku/preflight.js'),
      import('../heroku/by-id.js'),
      import('../buildpack/home.client.js'),
      import('./principals.js'),
    ]);
    const listed = api.now();
    const { problems, apps } = await preflight(api, teams, { signal: host.signal });
    const settled = await withPrincipals(session, { deploying, everywhere });
    const config = await withBuildpackHomes(settled.config, settled.teams, aws);
    step.done(who === undefined ? undefined : `AWS account ${who.account}`);
    for (const { message } of problems) host.io.warn(message);
    const ids = new Map([...apps].map(([name, { id }]) => [name, id]));
    const admitted = { ...settled, config, heroku: async (home?: Team) => byId(await heroku(home), apps), refused: problems, ids };
    return { ...admitted, records: await openRecords(admitted, apps, listed) };
  } catch (error) {
    step.fail(host.signal.aborted ? host.signal.reason : error);
    throw error;
  }
}

/** Where a record cannot be read, the apps are asked; where it cannot be kept, they are the next time. */
async function openRecords(session: Session, apps: ReadonlyMap<string, HerokuApp>, listed: number): Promise<Session['records']> {
  const [{ openConfirmed }, { Trust }] = await Promise.all([import('../engine/index.js'), import('../heroku/confirmed.js')]);
  const { io } = session.host;
  const byId = new Map([...apps.values()].map((app) => [app.id, app]));
  const trust = new Trust((id) =>
    io.warn(
      `app ${byId.get(id)?.name ?? id} changed without Heroku saying so: apps are asked from now on; run again for those that were not`,
    ),
  );
  const open = async (team: Team) => {
    const dispensable = (error: unknown): undefined => {
      if (!isKitError(error)) throw error;
      io.debug(`the record of ${team.name}'s apps: ${error.message}`);
    };
    const own = holdersOf(team).flatMap(({ name }) => apps.get(name) ?? []);
    const of = { apps: new Map(own.map((app) => [app.id, app])), listed };
    const record = await openConfirmed(await engineContext(session, team), team, trust, of).catch(dispensable);
    return record === undefined ? [] : [[team.name, { ...record, save: () => record.save().catch(dispensable) }] as const];
  };
  return new Map((await pMap(session.teams, open, { concurrency: session.concurrency })).flat());
}

/**
 * Apps on Heroku cannot reach this machine, and what is left of a sandbox's settings would be written to all of them.
 * @throws KitError `aws-endpoint-local`.
 */
export function refuseLocalAws(env: NodeJS.ProcessEnv): void {
  const name = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'].find((one) => env[one] && URL.canParse(env[one]) && isLocal(new URL(env[one])));
  if (name === undefined || isLocal(new URL(herokuApiUrl(env.HEROKU_HOST)))) return;
  throw new KitError(
    'aws-endpoint-local',
    `${name} is ${env[name]}, on this machine, which apps on Heroku cannot reach; unset it, or set HEROKU_HOST to the sandbox's Heroku as well`,
  );
}
