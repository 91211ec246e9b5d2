import pMap from 'p-map';
import { regionOf } from '../config/derive.js';
import { buildpackEnvironments } from '../config/environments.js';
import { buildpackBucketName, KEY_CONFIG_VARS, teamStackName } from '../contract/index.js';
import { signingBuildpackUrl } from '../buildpack/signing.js';
import { stackStates } from '../deploy/stack.client.js';
import { stacksFor } from '../deploy/stacks.plan.js';
import { inWords } from '../engine/clock.js';
import type { AppState, KeyState, PrincipalState, TeamObservation } from '../engine/model.js';
import { inBytes } from '../io/printable.js';
import { renderTable } from '../io/table.js';
import { placesOf } from '../prebuild/packages.client.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { parseDuration } from '../cli/duration.js';
import { driftOf, glanceOf, stageOf, type Glance, type GlanceTeam, type LastProof } from '../cli/glance.js';
import { metricsOf } from '../cli/metrics.js';
import { lastProof } from '../cli/proven.js';
import { alike, anyKey, several } from '../cli/render.js';
import { admit, engineContext, openSession } from '../cli/session.js';
import { glanceAtPackages } from '../cli/stock.js';
import { writeWhole } from '../cli/write-file.js';

export interface StatusOptions extends GlobalOptions {
  readonly maxAge?: string;
  readonly soak?: string;
  readonly metrics?: string;
  readonly html?: string;
  readonly packages?: boolean;
}

/** What needs attention, as far as every command looks; then what there is. Without a team every team is shown. */
export async function status(names: readonly string[], options: StatusOptions, host: CommandHost): Promise<CommandResult> {
  const { maxAge = '90d', soak = '24h', metrics, html, verbose } = options;
  const policy = { maxAge: parseDuration(maxAge, '--max-age'), soak: parseDuration(soak, '--soak') };
  const session = await admit(await openSession(names, { ...options, all: options.all || names.length === 0 }, host));
  const { observeTeam } = await import('../engine/index.js');
  const { config, left, refused } = session;
  const stateOf = await stackStates(session.aws, stacksFor(config, session.teams));
  const buildpackUrl = await signingBuildpackUrl(config, session.teams);
  const teams = await pMap(
    session.teams,
    async (team) => {
      const region = regionOf(team);
      const name = teamStackName(team.name);
      const stack = region === undefined ? undefined : stateOf(name, region);
      const [observation, proof] = await Promise.all([
        observeTeam(await engineContext(session, team), team),
        lastProof(session, team, { buildpackUrl, stateOf }),
      ]);
      return { team, observation, lastProof: proof, stack: stack && { name, exists: stack.exists, status: stack.status } };
    },
    { concurrency: session.concurrency },
  );
  const at =
    teams
      .map(({ observation }) => observation.at)
      .sort()
      .at(-1) ?? new Date().toISOString();
  const places = options.packages || html !== undefined ? placesOf(config.teams, session.teams) : undefined;
  const packages = places && (await glanceAtPackages(session, places, options.packages === true));
  const buildpack = buildpackEnvironments(config, session.teams);
  const glance = { ...glanceOf({ at, policy, config, left, refused, teams, buildpack }), ...(packages && { packages }) };
  if (metrics !== undefined) await writeWhole(metrics, metricsOf(glance), 0o644);
  if (html !== undefined) await writeWhole(html, await (await import('../cli/page.js')).pageOf(glance), 0o600);
  // What could not be seen is not in order.
  const unseen = teams.some(({ observation }) => observation.apps.some((app) => app.state === 'unreadable'));
  return { data: glance, text: renderGlance(glance, verbose), exitCode: unseen ? 1 : 0 };
}

const MARKS = { broken: '✘', warning: '!', info: '·' } as const;

export function renderGlance({ findings, buckets, teams, buildpack, packages }: Glance, verbose = false): string {
  const found = alike(findings, ({ severity, name, message, fix }) => [severity, name, anyKey(message), fix].join('\n'), verbose).map(
    (group) => {
      const [{ severity, message, fix }] = group;
      const said = group.every((one) => one.message === message) ? message : anyKey(message);
      return `${MARKS[severity]} ${several(
        group.map(({ subject }) => subject),
        verbose,
      )}: ${said}\n    ${fix}`;
    },
  );
  const rows = buckets.map(({ name, region, account, kind, teams: using }) => [
    ...[name, region, account, kind, several(using, verbose)],
    ...(packages === undefined ? [] : keptIn(packages.filter(({ bucket }) => bucket === name))),
  ]);
  const columns = ['bucket', 'region', 'account', 'kind', 'teams', ...(packages === undefined ? [] : ['packages', 'asked for by no app'])];
  return [
    found.length === 0 ? 'Nothing needs attention, as far as status looks; halcyon-kit doctor looks deeper.' : found.join('\n'),
    ...(rows.length > 0 ? [renderTable(columns, rows)] : []),
    ...[...new Set(packages?.flatMap(({ unknown = [] }) => unknown))].map((why) => `note: ${why}`),
    ...(!verbose && teams.reduce((sum, { observation }) => sum + observation.apps.length, 0) > MANY
      ? [renderFleet(teams)]
      : teams.map(renderTeam)),
    ...buildpack.map(({ account, region }) => `SigV4 buildpack: served from ${region} (${buildpackBucketName(account, region)})`),
  ].join('\n\n');
}

function keptIn(places: NonNullable<Glance['packages']>): string[] {
  const sizeOf = (all: ReadonlyArray<{ files: number; bytes: number }>) =>
    `${all.reduce((sum, { files }) => sum + files, 0)} (${inBytes(all.reduce((sum, { bytes }) => sum + bytes, 0))})`;
  const kinds = places.flatMap((place) => place.kinds);
  const looked = places.every(({ unknown }) => unknown !== undefined);
  return kinds.length === 0 ? ['-', '-'] : [sizeOf(kinds), looked ? sizeOf(kinds.flatMap((kind) => kind.unasked ?? [])) : '-'];
}

/** With more apps than this a team is a line. */
const MANY = 100;

function renderFleet(teams: readonly GlanceTeam[]): string {
  const rows = teams.map(({ team, stack, bucket, observation, lastProof: proof }) => {
    const { apps, principals, at } = observation;
    const amiss = apps.filter((app) => app.state !== 'present' || driftOf(app, observation).length > 0).length;
    const keys = principals.flatMap((principal) => principal.keys);
    const oldest = keys.map(({ createdAt }) => createdAt).sort()[0];
    const old = oldest === undefined ? '-' : age(oldest, at);
    const counts = [apps.length, amiss, keys.length].map(String);
    return [team, stack, bucket ?? '-', ...counts, old, proof === undefined ? '-' : proven(proof, at)];
  });
  return `${renderTable(['team', 'stack', 'bucket', 'apps', 'not as in the file', 'keys', 'oldest', 'last proof'], rows)}\n\n--verbose shows each key and app, and so does status TEAM --verbose`;
}

const age = (since: string, at: string): string => inWords(Date.parse(at) - Date.parse(since));

const proven = ({ ok, at: when, due }: LastProof, at: string): string =>
  due === undefined || !ok ? `${ok ? 'proven' : 'NOT proven'} ${age(when, at)} ago` : `to be proven: ${due.join(', ')}`;

function renderTeam({ team, stack, observation, lastProof: proof }: GlanceTeam): string {
  const keys = observation.principals.flatMap((principal) =>
    principal.keys.length === 0
      ? [[principal.label, '-', '-', '-', '-', '-']]
      : principal.keys.map((key) => keyRow(principal, key, observation.at)),
  );
  const apps = observation.apps.map((app) => appRow(app, observation));
  return [
    `${team} (stack: ${stack}${proof === undefined ? '' : `, ${proven(proof, observation.at)}`})`,
    ...(keys.length > 0 ? [renderTable(['principal', 'key', 'status', 'label', 'age', 'last used'], keys)] : []),
    renderTable(['app', 'access', 'key', 'config vars'], apps),
  ].join('\n');
}

const keyRow = (principal: PrincipalState, key: KeyState, at: string): string[] => [
  principal.label,
  key.id,
  key.status.toLowerCase(),
  stageOf(principal, key),
  age(key.createdAt, at),
  key.lastUsedAt === undefined ? 'never' : `${age(key.lastUsedAt, at)} ago`,
];

function appRow(app: AppState, observation: TeamObservation): string[] {
  if (app.state !== 'present') return [app.name, app.access ?? '-', '-', app.problem ?? app.state];
  const key = heldKey(app, observation);
  if (app.problem !== undefined) return [app.name, app.access ?? 'public', key, app.problem];
  const others = driftOf(app, observation).filter((name) => !KEY_CONFIG_VARS.includes(name));
  return [app.name, app.access ?? 'public', key, others.length === 0 ? 'as in the file' : `${others.join(', ')} differ`];
}

/** `current` where it works. */
function heldKey({ user, vars }: AppState, { principals }: TeamObservation): string {
  const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
  if (held === undefined) return '-';
  const key = principals.flatMap(({ keys }) => keys).find(({ id }) => id === held);
  const name = principals.some((principal) => principal.user === user && principal.current === held) ? 'current' : `other (${held})`;
  return `${name}${key === undefined ? ', gone' : key.status === 'Inactive' ? ', inactive' : ''}`;
}
