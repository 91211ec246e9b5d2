import { beforeEach, expect, test, vi } from 'vitest';
import { Journal } from '../../lib/cli/journal.js';
import type { TeamPlan } from '../../lib/cli/preview.js';
import { runTeams } from '../../lib/cli/run-teams.js';
import type { Session } from '../../lib/cli/session.js';
import type { Step } from '../../lib/engine/model.js';
import type { Team } from '../../lib/config/model.js';
import { KitError } from '../../lib/errors.js';

const ran = vi.hoisted((): string[] => []);
const running = vi.hoisted(() => ({ now: 0, most: 0 }));
vi.mock('../../lib/engine/index.js', () => ({
  DEFAULT_POLICY: {},
  removeDeadLease: async () => {},
  runTeam: async (_: unknown, { name }: Team) => {
    if (name === 'mistaken') throw new Error('a mistake');
    running.most = Math.max(running.most, (running.now += 1));
    await new Promise(setImmediate);
    running.now -= 1;
    ran.push(name);
    return { team: name, status: 'done', summary: 'done', waiting: [], blocked: [], notices: [], left: [], evidence: [] };
  },
}));
beforeEach(() => void ran.splice(0));

const teams = ['first', 'second', 'begun', 'idle'].map((name) => ({ name, apps: [], heroku: {} })) as unknown as Team[];
const session = {
  teams,
  concurrency: 2,
  refused: [],
  ids: new Map(),
  records: new Map(),
  config: { teams },
  aws: () => ({}),
  heroku: async () => ({}),
  host: { io: {}, evidence: { event() {} }, signal: new AbortController().signal },
} as unknown as Session;
const planOf = (team: string, keys: number, steps: number, waiting = 0): TeamPlan =>
  ({
    team,
    observation: { principals: [{ keys: Array.from({ length: keys }) }] },
    plan: {
      steps: Array.from({ length: steps }, () => ({ kind: 'create-key' })),
      waiting: Array.from({ length: waiting }, () => ({ kind: 'soak' })),
      blocked: [],
      notices: [],
      left: [],
    },
  }) as unknown as TeamPlan;
const from = [planOf('first', 1, 1), planOf('second', 1, 1), planOf('begun', 2, 1), planOf('idle', 1, 0, 1)];

test('what is begun comes first, and a team with nothing to do is left alone', async () => {
  const results = await runTeams(session, { intent: { kind: 'ensure' }, from });
  expect(ran).toEqual(['begun', 'first', 'second']);
  expect(results.find(({ team }) => team === 'idle')).toMatchObject({ status: 'done', summary: 'nothing to do' });
});

test('as many go side by side as was said', async () => {
  for (const concurrency of [1, 3]) {
    running.most = 0;
    await runTeams({ ...session, concurrency }, { intent: { kind: 'ensure' }, from: from.slice(0, 3) });
    expect(running.most).toBe(concurrency);
  }
});

test('a team whose stack was deployed just now is looked at again', async () => {
  await runTeams(session, { intent: { kind: 'ensure' }, from, deployed: ['halcyon-idle'] });
  expect(ran).toContain('idle');
});

test('a rotation waits where there is something to wait for', async () => {
  await runTeams(session, { intent: { kind: 'rotate', due: true }, from });
  expect(ran).toContain('idle');
  ran.length = 0;
  const [only] = await runTeams(
    { ...session, teams: teams.slice(3) },
    { intent: { kind: 'rotate', due: true }, from: [planOf('idle', 1, 0)] },
  );
  expect([ran, only?.status]).toEqual([[], 'nothing-due']);
});

test.each([
  ['ensure', 'done'],
  ['rotate', 'waiting'],
  ['finish', 'waiting'],
  ['undo', 'waiting'],
] as const)('a key that only a later run deletes is left to it: %s', async (kind, status) => {
  const { plan, ...seen } = planOf('idle', 2, 0);
  const waiting = [{ kind: 'soak', keyId: 'AKIAOLD', principal: 'idle/upload', text: 'AKIAOLD: inactive until tomorrow' }] as const;
  const steps = [{ kind: 'wait', reason: waiting[0].text, later: true }, { kind: 'delete-key' }] as Step[];
  const intent = kind === 'rotate' ? { kind, due: true } : { kind };
  const left = [{ app: 'gone', text: 'gone does not exist' }];
  const one = { ...session, teams: teams.slice(3) };
  expect(await runTeams(one, { intent, from: [{ ...seen, plan: { ...plan, steps, waiting, left } }] })).toMatchObject([
    { status, waiting, left },
  ]);
  expect(ran).toEqual([]);
});

test('a mistake in one team leaves the others no less done, and after an abort none is begun', async () => {
  const some = [{ ...teams[0], name: 'mistaken' } as Team, ...teams.slice(0, 2)];
  await expect(runTeams({ ...session, teams: some }, { intent: { kind: 'ensure' } })).rejects.toThrow(/^a mistake$/);
  expect(ran).toEqual(['first', 'second']);
  const host = { ...session.host, signal: AbortSignal.abort(new Error('stopped')) };
  await expect(runTeams({ ...session, host }, { intent: { kind: 'ensure' } })).rejects.toThrow(/^stopped$/);
  expect(ran).toEqual(['first', 'second']);
});

test('a team whose stacks are not as they should be is told as not begun, and the others go on', async () => {
  const lacking = ({ name }: Team) => (name === 'first' ? new KitError('deploy-failed', 'its stack failed') : undefined);
  const end = vi.spyOn(Journal.prototype, 'end');
  const results = await runTeams(session, { intent: { kind: 'ensure' }, from, lacking });
  // It is in the journal, and so in what is notified.
  expect(end).toHaveBeenCalledWith(expect.objectContaining({ status: 'failed', summary: 'not begun: its stack failed' }));
  expect(ran).toEqual(['begun', 'second']);
  expect(results.find(({ team }) => team === 'first')).toMatchObject({
    ...{ status: 'failed', summary: 'not begun: its stack failed' },
    error: { code: 'deploy-failed', message: 'its stack failed' },
  });
});

test('what one team waits for another to do is told as done where the same run did it', async () => {
  const waiting = [{ kind: 'holds', app: 'web', keyId: 'AKIAOLD', principal: 'idle/upload', team: 'first', text: 'until up first' }];
  const idle = planOf('idle', 1, 0);
  const plans = [planOf('first', 1, 1), { ...idle, plan: { ...idle.plan, waiting } }] as TeamPlan[];
  const waitsOf = async (some: readonly Team[]) =>
    (await runTeams({ ...session, teams: some }, { intent: { kind: 'ensure' }, from: plans })).find(({ team }) => team === 'idle')?.waiting;
  expect(await waitsOf([teams[0]!, teams[3]!])).toMatchObject([
    { text: 'web held AKIAOLD, and has been moved to team first by this run: the next one retires the key' },
  ]);
  expect(await waitsOf([teams[3]!])).toEqual(waiting);
  // A run that is not through has said in its summary, and in its journal, what it waits for.
  const steps = [{ kind: 'wait', reason: waiting[0]!.text, later: true }] as Step[];
  const rotated = [plans[0]!, { ...idle, plan: { ...idle.plan, steps, waiting } }] as TeamPlan[];
  const [, last] = await runTeams({ ...session, teams: [teams[0]!, teams[3]!] }, { intent: { kind: 'rotate', due: true }, from: rotated });
  expect(last).toMatchObject({ status: 'waiting', summary: 'until up first', waiting });
});
