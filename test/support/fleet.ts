import { glanceOf, type Glance } from '../../lib/cli/glance.js';
import { parseConfig } from '../../lib/config/index.js';
import { principalOf, principalsOf, storageOf } from '../../lib/config/derive.js';
import type { KitConfig, Team } from '../../lib/config/model.js';
import { desiredConfigVars, heldOf, principalLabel, teamStackName, userName, withKeyVars } from '../../lib/contract/index.js';
import { NOTHING_LEFT } from '../../lib/deploy/left.plan.js';
import type { AppState, KeyState, TeamObservation } from '../../lib/engine/model.js';

export const AT = '2026-11-28T12:00:00.000Z';
const DAY = 86_400_000;
const ago = (days: number): string => new Date(Date.parse(AT) - days * DAY).toISOString();
const POLICY = { soak: DAY, maxAge: 90 * DAY };

/** A file of so many apps, twenty to a team, in two accounts. */
function fleetConfig(apps: number): KitConfig {
  const size = Math.min(20, Math.ceil(apps / 2));
  const teams = Array.from({ length: Math.ceil(apps / size) }, (_, n) => {
    const account = n % 5 === 4 ? '444455556666' : '111122223333';
    const lines = Array.from({ length: Math.min(size, apps - n * size) }, (__, i) => {
      const mode = i === 0 ? 'upload' : i % 7 === 6 ? 'public' : 'read-only';
      return `      t${n}-app-${i}: { mode: ${mode} }`;
    });
    return `  team-${n}:\n    bucket: { account: "${account}", region: ${n % 2 === 0 ? 'eu-west-1' : 'us-east-1'} }\n    apps:\n${lines.join('\n')}`;
  });
  return parseConfig(`teams:\n${teams.join('\n')}\nsigning: { version: 4, buildpack: "https://example.com/sigv4.tgz" }\n`);
}

function observed(config: KitConfig, team: Team, n: number): TeamObservation {
  const keyOf = (user: string, more: Partial<KeyState> = {}): KeyState => ({
    ...{ id: `AKIA${String(n).padStart(6, '0')}${user.length}${more.status === 'Inactive' ? 'OLD' : 'NEW'}`, status: 'Active' },
    ...{ createdAt: ago((n * 7) % 100), lastUsedAt: ago(0.01), fingerprint: 'sha256:0123456789ab', stored: true, ...more },
  });
  const principals = principalsOf(team).map((id) => {
    const user = userName(id);
    const current = keyOf(user);
    const old = n % 4 === 1 ? [keyOf(user, { status: 'Inactive', inactiveSince: ago(0.5) })] : [];
    const leaked = n % 50 === 3 ? [keyOf(user, { status: 'Inactive', refused: 'revoked' })] : [];
    return {
      ...{
        id,
        label: principalLabel(id),
        user,
        declared: true,
        exists: true,
        secret: 'present' as const,
        versions: {},
        current: current.id,
      },
      keys: [current, ...old, ...leaked],
    };
  });
  const apps = team.apps.map((app, i): AppState => {
    const principal = principalOf(team, app);
    const wanted = desiredConfigVars(storageOf(config, team, app));
    const key = principals.find(({ user }) => principal !== undefined && user === userName(principal))?.keys[0];
    const desired = key === undefined ? wanted : withKeyVars(wanted, { accessKeyId: key.id, secretAccessKey: key.fingerprint ?? '' });
    const vars = { ...heldOf(desired), ...(n % 10 === 2 && i === 1 ? { HALCYON_NO_UPLOAD: '0' } : {}) };
    return {
      ...{ name: app.name, canary: false, state: 'present', vars, wanted },
      ...(principal === undefined ? {} : { user: userName(principal), access: principal.access }),
    };
  });
  const key = principals[0]?.keys[0];
  const former = {
    id: `f${n}`,
    name: `t${n}-former`,
    canary: false,
    state: 'present' as const,
    wanted: desiredConfigVars({ mode: 'public' }),
  };
  const outside = n % 50 === 4 && key !== undefined ? [{ ...former, vars: { HALCYON_AWS_ACCESS_KEY_ID: key.id } }] : [];
  return { team: team.name, at: AT, since: AT, principals, apps, outside };
}

/** Of every seventh team it is not known what is asked for. */
function keptBy({ bucket }: Team, n: number): NonNullable<Glance['packages']>[number] {
  const kinds = (['ghc', 'cabal', 'sandbox', 'build', 'install'] as const).map((kind, i) => {
    const files = 1 + ((n * 7 + i * 5) % 40);
    const bytes = [900e6, 30e6, 60e6, 25e6, 9e6][i]! * files;
    const idle = Math.floor(files / (2 + (n % 3)));
    const unasked = { files: idle, bytes: (bytes / files) * idle };
    return { kind, files, bytes, oldest: ago(30 * (i + 1) + n), newest: ago((n + i) % 9), ...(n % 7 === 6 ? {} : { unasked }) };
  });
  const unknown = n % 7 === 5 ? ['app t5-app-1 is on heroku-18, whose platform is not known'] : [];
  return { bucket: bucket?.spec.name ?? '', place: '', kinds, ...(n % 7 === 6 ? {} : { unknown }) };
}

/** What `status` would see of such a fleet: most of it in order; some keys soak, are due or leaked, some apps drifted, one is gone. */
export function fleetGlance(apps: number, change: (name: string) => string = (name) => name): Glance {
  const config = fleetConfig(apps);
  const teams = config.teams.map((team, n) => ({
    ...{ team, observation: observed(config, team, n), stack: { name: teamStackName(team.name), exists: true, status: 'UPDATE_COMPLETE' } },
    ...(n % 3 === 0 ? { lastProof: { at: ago(2), ok: n % 2 === 0 } } : {}),
  }));
  const gone = config.teams.at(-1)?.apps.at(-1)?.name ?? '';
  const refused = [
    { team: config.teams.at(-1)?.name ?? '', app: gone, code: 'app-not-found' as const, message: change(`app ${gone} does not exist`) },
  ];
  const left = { ...NOTHING_LEFT, buckets: [{ name: 'halcyon-before-111122223333-eu-west-1', region: 'eu-west-1', team: 'before' }] };
  return { ...glanceOf({ at: AT, policy: POLICY, config, left, refused, buildpack: [], teams }), packages: config.teams.map(keptBy) };
}
