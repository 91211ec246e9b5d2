import type { AppState, KeyState, PrincipalState, TeamObservation } from '../engine/model.js';
import { quarantineOf } from '../engine/plan/principal.plan.js';
import { buildpackEnvironments } from '../config/environments.js';
import { buildpackBucketName, differing, KEY_CONFIG_VARS, teamStackName } from '../contract/index.js';
import { renderLeft } from '../deploy/left.plan.js';
import { stackState } from '../deploy/stack.client.js';
import { renderTable } from '../io/table.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { admit, engineContext, openSession, regionOf } from '../cli/session.js';

/** What there is, without judging it: `doctor` judges. Without a team every team is shown. */
export async function status(names: readonly string[], options: GlobalOptions, host: CommandHost): Promise<CommandResult> {
  const session = await admit(await openSession(names, { ...options, all: options.all || names.length === 0 }, host));
  const { observeTeam } = await import('../engine/index.js');
  const teams = await Promise.all(
    session.teams.map(async (team) => {
      const region = regionOf(team);
      const [stack, observation] = await Promise.all([
        region === undefined ? undefined : stackState(session.aws(region), teamStackName(team.name)),
        observeTeam(await engineContext(session, team), team),
      ]);
      return { team: team.name, stack: stack?.exists ? stack.status : 'none', observation };
    }),
  );
  const buildpack = buildpackEnvironments(session.config, session.teams);
  const text = [
    ...teams.map(({ team, stack, observation }) => render(team, stack ?? 'none', observation)),
    ...[renderLeft(session.left)].filter((part) => part !== ''),
    ...buildpack.map(({ account, region }) => `SigV4 buildpack: served from ${region} (${buildpackBucketName(account, region)})`),
  ].join('\n\n');
  // What could not be seen is not in order.
  const unseen = teams.some(({ observation }) => observation.apps.some(({ state }) => state === 'unreadable'));
  return { data: { teams, buildpack, left: session.left }, text, exitCode: unseen ? 1 : 0 };
}

function render(team: string, stack: string, observation: TeamObservation): string {
  const keys = observation.principals.flatMap((principal) =>
    principal.keys.length === 0
      ? [[principal.label, '-', '-', '-', '-', '-']]
      : principal.keys.map((key) => keyRow(principal, key, observation.at)),
  );
  const apps = observation.apps.map((app) => appRow(app, observation));
  return [
    `${team} (stack: ${stack})`,
    ...(keys.length > 0 ? [renderTable(['principal', 'key', 'status', 'label', 'age', 'last used'], keys)] : []),
    renderTable(['app', 'access', 'key', 'config vars'], apps),
    ...observation.principals.flatMap((principal) => [
      ...leakedKeys(principal, observation),
      ...quarantineOf(principal).map(({ text }) => text),
    ]),
  ].join('\n');
}

/** An emergency that has not come to its end. */
function leakedKeys({ id, keys }: PrincipalState, { apps }: TeamObservation): string[] {
  return keys
    .filter(({ refused }) => refused === 'revoked')
    .map((key) => {
      const held = apps.filter(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID === key.id).map(({ name }) => name);
      const who = held.length === 0 ? 'no app holds it' : `without a working key: ${held.join(', ')}`;
      return `${key.id} has leaked and is ${key.status.toLowerCase()}; ${who}; to go on: halcyon-kit rotate ${id.team} --emergency ${key.id}`;
    });
}

function keyRow(principal: PrincipalState, key: KeyState, at: string): string[] {
  const stage = (['current', 'pending', 'previous'] as const).find((one) => principal[one] === key.id) ?? (key.stored ? 'old' : 'unknown');
  return [
    principal.label,
    key.id,
    key.status.toLowerCase(),
    key.refused === 'revoked' ? 'leaked' : stage,
    age(key.createdAt, at),
    key.lastUsedAt === undefined ? 'never' : `${age(key.lastUsedAt, at)} ago`,
  ];
}

function appRow(app: AppState, observation: TeamObservation): string[] {
  if (app.state !== 'present') return [app.name, app.access ?? '-', '-', app.problem ?? app.state];
  const key = heldKey(app, observation);
  if (app.problem !== undefined) return [app.name, app.access ?? 'public', key, app.problem];
  const others = differing(app.vars, app.wanted).filter((name) => !KEY_CONFIG_VARS.includes(name));
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

/** `3 d`, `5 h`, `12 min`. */
export function age(since: string, at: string): string {
  const minutes = Math.max(0, Math.floor((Date.parse(at) - Date.parse(since)) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
