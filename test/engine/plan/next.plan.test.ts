import { describe, expect, test } from 'vitest';
import { desiredConfigVars, type ConfigVarName } from '../../../lib/contract/index.js';
import { plan } from '../../../lib/engine/plan/forecast.plan.js';
import { keysToReplace, next } from '../../../lib/engine/plan/next.plan.js';
import {
  DEFAULT_POLICY,
  NO_KNOWLEDGE,
  type Activity,
  type AppState,
  type Intent,
  type KeyState,
  type OutsideApp,
  type Knowledge,
  type Plan,
  type Policy,
  type PrincipalState,
  type TeamObservation,
  type Waiting,
} from '../../../lib/engine/model.js';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();
const DAY = 24 * 60;
const wanted = desiredConfigVars({ mode: 'upload', bucket: 'b', endpoint: 's3', acl: 'private' });

const key = (id: string, more: Partial<KeyState> = {}): KeyState => ({
  id,
  status: 'Active',
  createdAt: ago(100 * DAY),
  fingerprint: `print-${id}`,
  stored: true,
  ...more,
});
const unknown = (id: string, more: Partial<KeyState> = {}): KeyState => ({
  id,
  status: 'Active',
  createdAt: ago(3 * DAY),
  stored: false,
  ...more,
});
const principal = (more: Partial<PrincipalState> = {}): PrincipalState => ({
  id: { team: 'team', access: 'upload' },
  label: 'team/upload',
  user: 'user',
  declared: true,
  exists: true,
  secret: 'present',
  keys: [key('OLD')],
  versions: {},
  current: 'OLD',
  ...more,
});
const calm: Activity = { releasePending: false, running: [], keyRelease: { version: 7, at: ago(60) } };
const app = (name: string, keyId: string | undefined, more: Partial<AppState> = {}): AppState => {
  const vars: Partial<Record<ConfigVarName, string>> = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null));
  return {
    name,
    user: 'user',
    access: 'upload',
    canary: false,
    state: 'present',
    vars: keyId === undefined ? {} : { ...vars, HALCYON_AWS_ACCESS_KEY_ID: keyId, HALCYON_AWS_SECRET_ACCESS_KEY: `print-${keyId}` },
    wanted,
    activity: calm,
    ...more,
  };
};
const team = (principals: PrincipalState[], apps: AppState[]): TeamObservation => ({
  team: 'team',
  since: new Date(NOW).toISOString(),
  at: ago(0),
  principals,
  apps,
});
const ensure: Intent = { kind: 'ensure' };
const rotate: Intent = { kind: 'rotate', due: false };
const finish: Intent = { kind: 'finish' };

type Options = { policy?: Partial<Policy>; knowledge?: Partial<Knowledge> };
const by =
  (make: typeof plan) =>
  (observation: TeamObservation, intent: Intent, options: Options = {}): Plan => {
    const policy = { ...DEFAULT_POLICY, ...options.policy };
    const replace = keysToReplace(observation, intent, policy, NOW);
    return make(observation, intent, policy, NOW, { ...NO_KNOWLEDGE, replace, ...options.knowledge });
  };
const planned = by(plan);
const first = by(next);
/** `kind subject` of each step. */
const described = ({ steps }: Pick<Plan, 'steps'>) =>
  steps.map((step) =>
    step.kind === 'write-apps'
      ? `write ${step.wave}: ${step.apps.map(({ app: name }) => name).join(' ')}`
      : step.kind === 'wait'
        ? 'wait'
        : 'keyId' in step
          ? `${step.kind} ${step.keyId}`
          : step.kind,
  );

const brief = (...of: Parameters<typeof planned>) => described(planned(...of));
const now = (...of: Parameters<typeof first>) => described(first(...of));

const NEW = '(new key of team/upload)';

describe('the whole way', () => {
  test('nothing to do', () => {
    expect(planned(team([principal()], [app('a', 'OLD')]), ensure)).toEqual({ steps: [], waiting: [], blocked: [], notices: [], left: [] });
  });
  test('a first key', () => {
    const observation = team([principal({ keys: [], current: undefined, secret: 'empty' })], [app('a', undefined)]);
    expect(brief(observation, ensure)).toEqual(['create-key', `store-pending ${NEW}`, `verify ${NEW}`, `promote ${NEW}`, 'write all: a']);
  });
  test('a rotation of twenty apps, in waves, with a soak', () => {
    const apps = Array.from({ length: 20 }, (_, n) => app(`a${n}`, 'OLD', { canary: n === 4, access: n === 7 ? 'upload' : 'read-only' }));
    expect(brief(team([principal()], apps), rotate, { knowledge: { canSmoke: true } })).toEqual([
      'create-key',
      `store-pending ${NEW}`,
      `verify ${NEW}`,
      `promote ${NEW}`,
      'write 1/20: a4',
      `smoke ${NEW}`,
      'write 2/20: a7',
      expect.stringMatching(/^write 20\/20: a0 a1 a2 a3 a5 a6 a8 /),
      'deactivate OLD',
      'wait',
      'delete-key OLD',
    ]);
  });
  test('stages of pipelines, and what was made with them, come last; no smoke deploy stands for them', () => {
    const of = { stage: 'pipeline:p:review', access: 'upload' };
    const staged = [app(of.stage, 'OLD', of), app('pr-1', 'OLD', of)];
    const canSmoke = { knowledge: { canSmoke: true } };
    const steps = brief(team([principal()], [...staged, app('a', 'OLD', { access: 'read-only' })]), rotate, canSmoke);
    expect(steps.slice(4, 7)).toEqual(['write 1/3: a', `smoke ${NEW}`, 'write 3/3: pipeline:p:review pr-1']);
    expect(brief(team([principal()], staged), rotate, canSmoke).slice(4)).toEqual([
      'write 1/2: pipeline:p:review',
      'write 2/2: pr-1',
      'deactivate OLD',
      'wait',
      'delete-key OLD',
    ]);
  });
  describe('of apps that get another user', () => {
    const old = (more: Partial<KeyState> = {}) =>
      principal({ user: 'old', label: 'team/old', declared: false, keys: [key('USED', more)], current: 'USED' });
    const moving = (activity: Activity, more: Partial<KeyState> = {}) => team([old(more), principal()], [app('a', 'USED', { activity })]);

    test('lays no use of the old key to anything unknown: that was while they had it', () => {
      expect(brief(moving(calm, { lastUsedAt: ago(3) }), ensure)).toEqual([
        ...['write all: a', 'deactivate USED', 'wait', 'delete-key USED', 'delete-principal'],
      ]);
    });
    test('foresees that builds under way are waited for', () => {
      const busy: Activity = { ...calm, running: [{ kind: 'build', id: 'b1', startedAt: ago(3) }] };
      const { steps } = planned(moving(busy), ensure);
      expect(steps.slice(0, 3)).toMatchObject([
        { kind: 'write-apps' },
        { kind: 'wait', reason: expect.stringContaining('build b1'), later: true },
        { kind: 'deactivate' },
      ]);
    });
  });
  test.each<[string, Intent, number, true | undefined]>([
    ['up goes on without waiting for the soak', ensure, 60_000, true],
    ['a rotation goes on after a short one', rotate, 60_000, undefined],
    ['a rotation ends before a long one', rotate, DAY * 60_000, true],
  ])('what is a later run’s: %s', (_, intent, soak, later) => {
    const half = principal({ keys: [key('OLD', { status: 'Inactive', inactiveSince: ago(0) }), key('N')], current: 'N', previous: 'OLD' });
    const { steps } = planned(team([half], [app('a', 'N')]), intent, { policy: { soak } });
    expect(steps.map((step) => [step.kind, 'later' in step ? step.later : undefined])).toEqual([
      ['wait', later],
      ['delete-key', undefined],
    ]);
  });
  test('what runs is looked at before an older soak is waited for', () => {
    const older = principal({
      user: 'o',
      label: 'team/o',
      declared: false,
      keys: [key('OLDER', { status: 'Inactive', inactiveSince: ago(1) })],
    });
    const steps = brief(team([older, principal()], [app('a', 'OLD', { activity: undefined })]), rotate).slice(4);
    expect(steps).toEqual(['write 1/1: a', 'deactivate OLD', 'wait', 'delete-key OLDER', 'wait', 'delete-key OLD', 'delete-principal']);
  });
  test('a soak that ends tomorrow is a later run’s, though builds of another principal may end at once', () => {
    const soaking = principal({
      ...{ user: 's', label: 'team/s', current: 'SN', previous: 'SOAKING' },
      keys: [key('SOAKING', { status: 'Inactive', inactiveSince: ago(60) }), key('SN')],
    });
    const half = principal({ keys: [key('OLD'), key('N')], current: 'N', previous: 'OLD' });
    const activity: Activity = {
      ...calm,
      keyRelease: { version: 5, at: ago(1) },
      running: [{ kind: 'build', id: 'b1', startedAt: ago(3) }],
    };
    const { steps } = planned(team([soaking, half], [app('a', 'N', { activity }), app('s', 'SN', { user: 's' })]), rotate);
    expect(described({ steps })).toEqual(['wait', 'deactivate OLD', 'wait', 'delete-key SOAKING', 'wait', 'delete-key OLD']);
    expect(steps.map((step) => 'later' in step)).toEqual([false, false, true, false, true, false]);
  });
  test('only what is due', () => {
    const young = principal({ user: 'young', label: 'team/young', keys: [key('YOUNG', { createdAt: ago(80 * DAY) })], current: 'YOUNG' });
    const observation = team([principal(), young], [app('a', 'OLD'), app('b', 'YOUNG', { user: 'young' })]);
    expect(now(observation, { kind: 'rotate', due: true })).toEqual(['create-key']);
    expect(planned(observation, { kind: 'rotate', due: true }, { policy: { maxAge: 200 * DAY * 60_000 } }).steps).toEqual([]);
  });
  test('it is plain data', () => {
    const made = planned(team([principal()], [app('a', 'OLD')]), rotate);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });
});

describe('what was left half done', () => {
  const creating = { at: ago(30), by: 'someone', before: ['OLD'] };
  const lost = unknown('LOST', { createdAt: ago(30) });
  const half = (more: Partial<PrincipalState>) => team([principal(more)], [app('a', 'OLD')]);
  test.each<[string, TeamObservation, string[]]>([
    ['the answer with the secret was lost', half({ keys: [key('OLD'), lost], creating }), ['delete-orphan LOST']],
    ['known to this process, not stored', half({ keys: [key('OLD'), key('N', { stored: false })] }), ['store-pending N']],
    ['stored, not verified', half({ keys: [key('OLD'), key('N')], pending: 'N' }), ['verify N']],
    ['current and pending at once: a first version, not verified', half({ keys: [key('N')], current: 'N', pending: 'N' }), ['verify N']],
    ['promoted, apps not written', half({ keys: [key('OLD'), key('N')], current: 'N', previous: 'OLD' }), ['write 1/1: a']],
    ['the current key is gone', half({ keys: [], current: 'OLD' }), ['create-key']],
    ['the current key was deactivated by hand', half({ keys: [key('OLD', { status: 'Inactive' })] }), ['create-key']],
    ['the intention is over', team([principal({ creating })], [app('a', 'OLD')]), ['tidy-tags']],
  ])('%s', (_, observation, expected) => {
    expect(now(observation, finish)).toEqual(expected);
  });

  test.each<[string, KeyState, Partial<PrincipalState>]>([
    ['made days after the intention', unknown('X', { createdAt: ago(20) }), { creating }],
    ['there before the intention', unknown('X', { createdAt: ago(30) }), { creating: { ...creating, before: ['OLD', 'X'] } }],
    ['used by someone', unknown('X', { createdAt: ago(30), lastUsedAt: ago(2) }), { creating }],
    ['without an intention', unknown('X', { createdAt: ago(30) }), {}],
  ])('a key %s is not taken for ours', (_, stranger, more) => {
    const made = planned(team([principal({ keys: [key('OLD'), stranger], ...more })], [app('a', 'OLD')]), finish);
    expect(made.steps).toEqual([]);
    expect(made.blocked).toMatchObject([{ code: 'unknown-key', text: expect.stringContaining('X (active, ') }]);
  });

  test('of two keys that came with one intention nobody can tell which is ours: neither is deleted', () => {
    const creating = { at: ago(3), by: 'x', before: [] };
    const fresh = { createdAt: ago(3) };
    const both = principal({ keys: [unknown('ONE', fresh), unknown('TWO', fresh)], current: undefined, creating });
    expect(first(team([both], []), ensure)).toMatchObject({ steps: [], blocked: [{ code: 'slots-full' }] });
    const one = principal({ keys: [unknown('ONE', fresh)], current: undefined, creating });
    expect(described(first(team([one], []), ensure))).toEqual(['delete-orphan ONE']);
  });
  test('a key that was turned away is not the one to hold, though it works', () => {
    const undone = principal({ keys: [key('OLD', { refused: 'undone' })] });
    expect(described(first(team([undone], [app('a', 'OLD')]), ensure))).toEqual(['create-key']);
  });
  test('a rotation under way is finished, and not begun anew', () => {
    const observation = team(
      [principal({ keys: [key('OLD', { status: 'Inactive', inactiveSince: ago(60) }), key('N')], current: 'N', previous: 'OLD' })],
      [app('a', 'N')],
    );
    expect(first(observation, rotate)).toMatchObject({ steps: [], waiting: [{ kind: 'soak', keyId: 'OLD' }] });
  });
});

describe('the retire barrier', () => {
  const rotated = (activity: Activity, old: Partial<KeyState> = {}, holds = 'N') =>
    team([principal({ keys: [key('OLD', old), key('N')], current: 'N', previous: 'OLD' })], [app('a', 'N'), app('b', holds, { activity })]);
  const at = { version: 9, at: ago(5) };
  test.each<[string, Activity, Partial<KeyState>, Waiting['kind'], string]>([
    [
      'a build from before',
      { ...calm, keyRelease: at, running: [{ kind: 'build', id: 'b1', startedAt: ago(6) }] },
      {},
      'in-flight',
      'build b1 of b began 6 min ago',
    ],
    [
      'a build of the same second',
      { ...calm, keyRelease: at, running: [{ kind: 'build', id: 'b1', startedAt: ago(5) }] },
      {},
      'in-flight',
      'build b1',
    ],
    [
      'a dyno on the old release',
      { ...calm, keyRelease: at, running: [{ kind: 'dyno', id: 'run.1', startedAt: ago(6), release: 8 }] },
      {},
      'in-flight',
      'dyno run.1',
    ],
    ['a release that has not ended', { ...calm, releasePending: true }, {}, 'release-pending', 'newest release of b'],
    ['a use nobody explains', { ...calm, keyRelease: at }, { lastUsedAt: ago(2) }, 'recent-use', 'something the file does not name'],
  ])('waits for %s', (_, activity, old, kind, text) => {
    const made = first(rotated(activity, old), finish);
    expect(made.steps).toEqual([]);
    expect(made.waiting).toMatchObject([{ kind, keyId: 'OLD', text: expect.stringContaining(text) }]);
    expect(brief(rotated(activity, old), finish)).toEqual(['wait', 'deactivate OLD', 'wait', 'delete-key OLD']);
  });
  test('that a stage was first seen with its key just now explains no use', () => {
    const observation = rotated({ ...calm, keyRelease: at }, { lastUsedAt: ago(2) });
    const stage = app('pipeline:p:test', 'N', { stage: 'pipeline:p:test', activity: { ...calm, keyRelease: { version: 0, at: ago(1) } } });
    expect(first({ ...observation, apps: [...observation.apps, stage] }, finish).waiting).toMatchObject([{ kind: 'recent-use' }]);
    const ended = { ...stage, activity: { ...stage.activity!, lastEnded: ago(2) } };
    expect(now({ ...observation, apps: [...observation.apps, ended] }, finish)).toEqual(['deactivate OLD']);
  });
  test('nobody can tell when an app that could not be written lets go of it', () => {
    const observation = rotated(calm, {}, 'OLD');
    const knowledge = { failedApps: new Map([['b', 'no reason given']]) };
    expect(first(observation, finish, { knowledge }).waiting).toMatchObject([{ kind: 'holds', app: 'b', keyId: 'OLD' }]);
    expect(brief(observation, finish, { knowledge })).toEqual([]);
  });
  test.each<[string, Activity, Partial<KeyState>]>([
    ['nothing', calm, {}],
    ['a build from after', { ...calm, keyRelease: at, running: [{ kind: 'build', id: 'b1', startedAt: ago(4) }] }, {}],
    ['a dyno on the new release', { ...calm, keyRelease: at, running: [{ kind: 'dyno', id: 'run.1', startedAt: ago(6), release: 9 }] }, {}],
    ['an app that never had a key', { releasePending: false, running: [{ kind: 'build', id: 'b1', startedAt: ago(6) }] }, {}],
    ['a use before the apps moved', { ...calm, keyRelease: at }, { lastUsedAt: ago(5) }],
    ['a use that an ended build explains', { ...calm, keyRelease: at, lastEnded: ago(2) }, { lastUsedAt: ago(2) }],
    ['a use long ago', { ...calm, keyRelease: at }, { lastUsedAt: ago(15), createdAt: ago(DAY) }],
  ])('is passed with %s', (_, activity, old) => {
    expect(now(rotated(activity, old), finish)).toEqual(['deactivate OLD']);
  });
  test('an app that cannot be read may hold the key', () => {
    const observation = team(
      [principal({ keys: [key('OLD'), key('N')], current: 'N' })],
      [app('a', undefined, { state: 'unreadable', problem: 'forbidden', user: 'user' })],
    );
    expect(first(observation, finish)).toMatchObject({ steps: [], waiting: [{ kind: 'unreadable', app: 'a' }] });
  });
  test('a rollback that brought a soaking key back is mended first', () => {
    const observation = rotated(calm, { status: 'Inactive', inactiveSince: ago(2 * DAY) }, 'OLD');
    expect(now(observation, finish)).toEqual(['write all: b']);
    expect(now(observation, ensure)).toEqual(['write all: b']);
  });
  test('a leaked key that an app still holds stays inactive until the app has another', () => {
    const leaked = principal({ keys: [key('LEAKED', { status: 'Inactive', refused: 'revoked' }), key('NEW')], current: 'NEW' });
    const failed = { knowledge: { failedApps: new Map([['a', 'no']]) } };
    expect(first(team([leaked], [app('a', 'LEAKED')]), finish, failed)).toMatchObject({
      steps: [],
      waiting: [{ kind: 'holds', app: 'a' }],
    });
    expect(described(first(team([leaked], [app('a', 'NEW')]), finish))).toEqual(['delete-key LEAKED']);
  });
  test('after the soak it goes', () => {
    expect(now(rotated(calm, { status: 'Inactive', inactiveSince: ago(2 * DAY) }), finish)).toEqual(['delete-key OLD']);
  });
});

describe('other wishes', () => {
  const both = principal({ keys: [key('OLD', { status: 'Inactive', inactiveSince: ago(60) }), key('N')], current: 'N', previous: 'OLD' });
  test('undo: the previous key comes back, apps move, the newer one goes', () => {
    expect(brief(team([both], [app('a', 'N'), app('b', 'N')]), { kind: 'undo' }, { policy: { soak: 0 } })).toEqual([
      'mark-undone N',
      'reactivate OLD',
      'verify OLD',
      'promote OLD',
      'write 1/2: a',
      'write 2/2: b',
      'deactivate N',
      'delete-key N',
    ]);
  });
  test('undo again goes on, and does not swing back', () => {
    const undone = principal({ keys: [key('OLD'), key('N', { refused: 'undone' })], current: 'OLD', previous: 'N' });
    expect(brief(team([undone], [app('a', 'OLD')]), { kind: 'undo' }, { policy: { soak: 0 } })).toEqual(['deactivate N', 'delete-key N']);
  });
  test('undo with nothing before', () => {
    expect(planned(team([principal()], [app('a', 'OLD')]), { kind: 'undo' }).blocked).toMatchObject([{ code: 'nothing-to-undo' }]);
  });
  test('emergency: dead at once, then a new key for all apps together; what it costs is said beforehand', () => {
    const made = planned(team([principal()], [app('a', 'OLD'), app('b', 'OLD')]), { kind: 'emergency', keyId: 'OLD' });
    expect(made.notices).toEqual([expect.stringMatching(/without a working key .*: a, b;/)]);
    expect(brief(team([principal()], [app('a', 'OLD'), app('b', 'OLD')]), { kind: 'emergency', keyId: 'OLD' })).toEqual([
      'deactivate OLD',
      'mark-revoked OLD',
      'create-key',
      `store-pending ${NEW}`,
      `verify ${NEW}`,
      `promote ${NEW}`,
      'write all: a b',
      'delete-key OLD',
    ]);
  });
  test('a leaked key is never reactivated by an undo', () => {
    const leaked = principal({ keys: [key('OLD', { status: 'Inactive', refused: 'revoked' }), key('N')], current: 'N', previous: 'OLD' });
    expect(brief(team([leaked], [app('a', 'N')]), { kind: 'undo' })).not.toContain('reactivate OLD');
  });
  test.each<[string, KeyState[], string[]]>([
    ['the other is inactive', [key('OLD'), key('P', { status: 'Inactive', inactiveSince: ago(60) })], ['delete-key P', 'create-key']],
    ['the other is a stranger', [key('OLD'), unknown('X')], ['delete-key OLD', 'create-key']],
  ])('emergency with both slots taken, where %s: a new key is there before the leaked one goes, if it can be', (_, keys, expected) => {
    const observation = team([principal({ keys })], [app('a', 'OLD')]);
    expect(brief(observation, { kind: 'emergency', keyId: 'OLD' })).toEqual([
      ...['deactivate OLD', 'mark-revoked OLD', ...expected],
      ...[`store-pending ${NEW}`, `verify ${NEW}`, `promote ${NEW}`, 'write all: a'],
      ...(expected[0] === 'delete-key P' ? ['delete-key OLD'] : []),
    ]);
  });
  test('emergency for a key that is gone, of which the secret still tells: its apps get what they lack', () => {
    const after = principal({ keys: [], versions: { OLD: 'version' } });
    expect(brief(team([after], [app('a', 'OLD')]), { kind: 'emergency', keyId: 'OLD' })).toContain('create-key');
  });
  test('emergency where AWS has quarantined the user: dead at once, no new key, and the way out is said', () => {
    const other = principal({ user: 'other', label: 'team/other', keys: [key('O')], current: 'O' });
    const seen = (more: Partial<KeyState>) =>
      team([principal({ quarantined: true, keys: [key('OLD', more)] }), other], [app('a', 'OLD'), app('b', undefined, { user: 'other' })]);
    const emergency: Intent = { kind: 'emergency', keyId: 'OLD' };
    expect(brief(seen({}), emergency)).toEqual(['deactivate OLD', 'mark-revoked OLD', 'write all: b']);
    const stopped = team(
      [principal({ quarantined: true, keys: [key('OLD', { status: 'Inactive', refused: 'revoked' })] })],
      [app('a', 'OLD')],
    );
    expect(planned(stopped, emergency)).toMatchObject({
      steps: [],
      blocked: [
        { code: 'quarantined', text: expect.stringMatching(/run "halcyon-kit up team".* never detach AWSCompromisedKeyQuarantine/) },
      ],
    });
    expect(planned(seen({}), ensure).notices.join()).toContain('"halcyon-kit rotate team --emergency" with the one that leaked (OLD)');
  });
  test.each<[string, Partial<AppState>, string]>([
    ['is missing', { state: 'missing', vars: {} }, 'app b does not exist'],
    ['cannot be read', { state: 'unreadable', problem: 'forbidden', vars: {} }, 'app b cannot be read: forbidden'],
    ['is not to be written', { problem: 'app b belongs to another' }, 'app b belongs to another'],
  ])('an app that %s stops its own work only, and is named', (_, more, text) => {
    const observation = team([principal()], [app('a', undefined), app('b', undefined, more)]);
    for (const intent of [ensure, rotate, finish])
      expect(planned(observation, intent).left).toMatchObject([{ app: 'b', text: expect.stringContaining(text) }]);
    expect(brief(observation, ensure)).toEqual(['write all: a']);
    expect(now(observation, rotate)).toEqual(['create-key']);
  });
  test('an app that is not to be written, and holds the key, keeps it alive; nobody waits for that', () => {
    const keys = [key('OLD'), key('N')];
    const observation = team([principal({ keys, current: 'N', previous: 'OLD' })], [app('a', 'N'), app('b', 'OLD', { problem: 'theirs' })]);
    expect(first(observation, finish)).toMatchObject({ steps: [], waiting: [{ kind: 'unreadable', app: 'b', keyId: 'OLD' }] });
  });
  test('one that is gone is nothing to a team that goes', () => {
    const observation = team([principal()], [app('a', 'OLD'), app('b', undefined, { state: 'missing', vars: {} })]);
    expect(planned(observation, { kind: 'down', force: false }).left).toEqual([]);
    expect(brief(observation, { kind: 'down', force: false })).toEqual([
      'write all: a',
      'deactivate OLD',
      'delete-key OLD',
      'delete-principal',
    ]);
  });
  test('AWSPENDING does not stay on a key that is gone', () => {
    const observation = team([principal({ pending: 'P', versions: { P: 'version' } })], [app('a', 'OLD')]);
    expect(brief(observation, finish)).toEqual(['tidy-tags']);
  });
  test('emergency with an unknown key id', () => {
    expect(planned(team([principal()], []), { kind: 'emergency', keyId: 'NONE' }).blocked).toMatchObject([{ code: 'key-not-found' }]);
  });
  test.each<[string, KeyState, AppState, string[], string | undefined]>([
    ['goes when asked for', unknown('X'), app('a', 'OLD'), ['delete-unknown X'], undefined],
    ['stays while an app holds it', unknown('X'), app('a', 'X'), [], 'key-in-use'],
    ['is not one of ours', key('X'), app('a', 'OLD'), [], 'key-known'],
  ])('an unknown key %s', (_, stranger, holder, steps, code) => {
    const observation = team([principal({ keys: [key('OLD'), stranger] })], [holder]);
    expect(brief(observation, { kind: 'delete-unknown', keyId: 'X' })).toEqual(steps);
    expect(planned(observation, { kind: 'delete-unknown', keyId: 'X' }).blocked[0]?.code).toBe(code);
  });
  test('down: apps let go, then keys and users go, without a soak', () => {
    expect(brief(team([principal()], [app('a', 'OLD')]), { kind: 'down', force: false })).toEqual([
      'write all: a',
      'deactivate OLD',
      'delete-key OLD',
      'delete-principal',
    ]);
  });
  test('down waits for builds, unless forced', () => {
    const busy = { ...calm, running: [{ kind: 'build' as const, id: 'b1', startedAt: ago(90) }] };
    const observation = team([principal()], [app('a', undefined, { activity: busy })]);
    expect(now(observation, { kind: 'down', force: false })).toEqual([]);
    expect(now(observation, { kind: 'down', force: true })).toEqual(['deactivate OLD']);
  });
  test('a mode change: the app moves to its new principal, the old one retires and goes', () => {
    const former = principal({ user: 'former', label: 'team/former', declared: false, keys: [key('F')], current: 'F' });
    expect(brief(team([principal(), former], [app('a', 'F')]), ensure, { policy: { soak: 0 } })).toEqual([
      'write all: a',
      'deactivate F',
      'delete-key F',
      'delete-principal',
    ]);
  });
  test('an unknown key does not keep apps from getting what they should have', () => {
    const made = planned(team([principal({ keys: [key('OLD'), unknown('X')] })], [app('a', undefined)]), ensure);
    expect(made.steps.map(({ kind }) => kind)).toEqual(['write-apps']);
    expect(made.notices).toEqual([expect.stringContaining('X (active')]);
  });
  test.each<[string, TeamObservation, Intent, string]>([
    ['no user', team([principal({ exists: false, keys: [], secret: 'missing', current: undefined })], []), ensure, 'user-missing'],
    ['no secret', team([principal({ secret: 'missing' })], []), rotate, 'secret-missing'],
    ['both slots taken', team([principal({ keys: [unknown('X'), unknown('Y')], current: undefined })], []), ensure, 'slots-full'],
  ])('blocked: %s', (_, observation, intent, code) => {
    const blocked = [{ code, ...(code === 'slots-full' ? {} : { text: expect.stringContaining('run halcyon-kit up ') }) }];
    expect(planned(observation, intent)).toMatchObject({ steps: [], blocked });
  });
});

test.each([
  [{}, ['what a archived in elsewhere stays there: prebuild anew, or copy it']],
  // It archived nothing.
  [{ HALCYON_NO_UPLOAD: '1' }, []],
])('packages of another storage that do not follow are told of, but none of an app that only reads: %j', (more, told) => {
  const own = app('a', 'N');
  const moved = { ...own, vars: { ...own.vars, HALCYON_S3_BUCKET: 'elsewhere', ...more } };
  const { notices } = first(team([principal({ keys: [key('N')], current: 'N' })], [moved]), ensure);
  expect(notices.filter((text) => text.includes('stays there'))).toEqual(told);
});

describe('apps outside the team', () => {
  const rotated = principal({ keys: [key('OLD'), key('N')], current: 'N', previous: 'OLD' });
  const observed = (outside: Partial<OutsideApp>, holds: string | undefined, inside: AppState[] = [app('a', 'N')]): TeamObservation => ({
    ...team([rotated], inside),
    recorded: { user: [{ id: 'id-gone', app: 'gone' }] },
    outside: [{ ...app('gone', holds, { user: undefined }), id: 'id-gone', ...outside }],
  });
  const busy: Activity = { ...calm, keyRelease: { version: 9, at: ago(5) }, running: [{ kind: 'build', id: 'b1', startedAt: ago(6) }] };
  test.each<[string, TeamObservation, Waiting['kind'], string]>([
    ['that no team of the file has', observed({}, 'OLD'), 'holds', 'no team of the file has it'],
    ['that moved to another team', observed({ team: 'two' }, 'OLD'), 'holds', 'OLD until halcyon-kit up two moves it to that team'],
    ['that still build with the key', observed({ activity: busy }, 'OTHER'), 'in-flight', 'build b1 of gone'],
    ['that were not looked at', observed({ activity: undefined }, 'OTHER'), 'unobserved', 'gone'],
    [
      'that cannot be asked',
      observed({ state: 'unreadable', problem: 'no; --forget gone', vars: {} }, undefined),
      'unreadable',
      '--forget',
    ],
  ])('%s keep a key alive', (_, observation, kind, text) => {
    expect(first(observation, finish).waiting[0]?.stays ?? false).toBe(text.includes('no team of the file'));
    expect(first(observation, finish)).toMatchObject({
      steps: [],
      waiting: [{ kind, app: 'gone', keyId: 'OLD', text: expect.stringContaining(text) }],
    });
  });
  test('that hold another key are no reason to wait', () => expect(now(observed({}, 'OTHER'), finish)).toEqual(['deactivate OLD']));
  test('keep what they have, which is said, until they are asked to go', () => {
    const observation = observed({}, 'OLD');
    expect(first(observation, ensure)).toMatchObject({ steps: [], notices: [expect.stringContaining('gone is in no team of the file')] });
    // What is to be done is said once.
    const { waiting, notices } = first(observation, ensure);
    expect([...waiting.map(({ text }) => text), ...notices].filter((text) => text.includes('--prune'))).toHaveLength(1);
    const steps = planned(observation, { kind: 'ensure', prune: true }, { policy: { soak: 0 } }).steps;
    expect(steps[0]).toMatchObject({ kind: 'write-apps', apps: [{ app: 'gone', keyId: null }] });
    expect(now(observation, { kind: 'down', force: false })).toEqual(['write all: a gone']);
  });
  test('are what an app that does not exist may have been meant to be', () => {
    const typo = observed({ ...app('builder', 'OLD') }, 'OLD', [app('bulder', undefined, { state: 'missing' })]);
    expect(first(typo, ensure).left).toMatchObject([{ app: 'bulder', text: expect.stringContaining('did you mean "builder"?') }]);
  });
  test('are not asked to go where another team has them, nor where their key is none of this one', () => {
    for (const one of [observed({ team: 'two' }, 'OLD'), observed({}, 'OTHER')])
      expect(now(one, { kind: 'ensure', prune: true })).not.toContain('write all: gone');
  });
  test('ensure says whose key is none of the team’s, and leaves that key to its owner', () => {
    const apps = [app('a', 'HAND'), app('b', 'HAND'), app('c', 'OLD'), app('d', 'OTHER', { problem: 'another team has it' })];
    const made = planned(team([principal()], apps), ensure);
    expect(made.notices).toEqual([expect.stringMatching(/^a, b has HAND, which is no key of team team: .* left as it is/)]);
    expect(described(made)).toEqual(['write all: a b']);
    expect(made.steps.filter((step) => 'keyId' in step && step.keyId === 'HAND')).toEqual([]);
  });
  test('down leaves an app alone that runs on the key of another team', () => {
    const observation = team([principal()], [app('a', 'OLD'), app('b', 'OTHER')]);
    expect(now(observation, { kind: 'down', force: false })).toEqual(['write all: a']);
    expect(first(observation, { kind: 'down', force: false }).notices).toEqual([expect.stringContaining('b runs on OTHER')]);
  });
});

describe('the record of holders', () => {
  const observed = (recorded: TeamObservation['recorded'], apps: AppState[]) => ({ ...team([principal()], apps), recorded });
  const records = (observation: TeamObservation) => first(observation, ensure).steps.filter(({ kind }) => kind === 'record-holders');
  test('a stage is written down, and what was made with it is not', () => {
    const of = { stage: 'pipeline:p:review' };
    const apps = [app(of.stage, undefined, { ...of, id: 'pipeline:1:review' }), app('pr-1', undefined, { ...of, id: 'pr' })];
    expect(records(observed({ user: [] }, apps))).toMatchObject([{ holders: [{ id: 'pipeline:1:review', app: of.stage }] }]);
  });
  test('has an app before it is given a key, and one that was given it earlier', () => {
    const observation = observed({ user: [] }, [app('a', undefined, { id: 'id-a' }), app('b', 'OLD', { id: 'id-b' })]);
    const holders = [
      { id: 'id-a', app: 'a' },
      { id: 'id-b', app: 'b' },
    ];
    expect(records(observation)).toMatchObject([{ user: 'user', holders }]);
    expect(brief(observation, ensure).at(-1)).toBe('write all: a');
    expect(records(observed({ user: holders }, observation.apps as AppState[]))).toEqual([]);
  });
  test('is not kept where there is none, nor of an app whose id nobody knows', () => {
    expect(records(observed(undefined, [app('a', undefined, { id: 'id-a' })]))).toEqual([]);
    expect(records(observed({ user: [] }, [app('a', undefined)]))).toEqual([]);
  });
});

test('a quarantined user without keys stays until AWS’s case is settled', () => {
  const former = principal({ user: 'former', declared: false, keys: [], current: undefined });
  expect(now(team([principal(), former], []), ensure)).toEqual(['delete-principal']);
  expect(now(team([principal(), { ...former, quarantined: true }], []), ensure)).toEqual([]);
});

test('a former user with what someone attached to it stays, and it is said what keeps it', () => {
  const former = principal({ user: 'former', declared: false, keys: [], current: undefined, attached: ['group admins'] });
  const made = planned(team([principal(), former], []), ensure);
  expect(made.steps).toEqual([]);
  expect(made.notices).toEqual([expect.stringMatching(/^nobody needs IAM user former .* has group admins .* take that away/)]);
  expect(planned(team([{ ...former, declared: true }], []), ensure).notices).toEqual([]);
});

test('the steps for a thousand apps are planned without looking at each of them a thousand times', () => {
  let reads = 0;
  const counted = (one: AppState): AppState =>
    Object.defineProperty(one, 'name', { get: () => ((reads += 1), `app-${one.id}`), enumerable: true });
  const keys = [key('OLD'), key('NEW')];
  const holding = Array.from({ length: 1000 }, (_, index) => counted(app('', index < 400 ? 'NEW' : 'OLD', { id: String(index) })));
  const moving = team([principal({ keys, current: 'NEW', previous: 'OLD' })], holding);
  expect(first(moving, rotate).steps).toMatchObject([{ kind: 'write-apps', wave: '1000/1000', apps: { length: 600 } }]);
  expect(reads).toBeLessThan(30_000);
});
