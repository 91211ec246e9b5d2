import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { planTeams } from '../../lib/cli/preview.js';
import type { Session } from '../../lib/cli/session.js';
import type { Team } from '../../lib/config/model.js';

const looking = vi.hoisted(() => ({ now: 0, most: 0 }));
vi.mock('../../lib/engine/index.js', () => ({
  DEFAULT_POLICY: {},
  planTeam: () => ({}),
  observeTeam: async () => {
    looking.most = Math.max(looking.most, (looking.now += 1));
    await sleep(1);
    looking.now -= 1;
  },
}));

test('of 300 teams few are looked at side by side, and each is told of in its place', async () => {
  const teams = Array.from({ length: 300 }, (_, index) => ({ name: `team-${index}` })) as unknown as Team[];
  const empty = { refused: [], ids: new Map(), records: new Map(), config: { teams }, concurrency: 5, host: {} };
  const session = { ...empty, teams, aws: () => ({}), heroku: async () => ({}) } as unknown as Session;
  const plans = await planTeams(session, { kind: 'ensure' });
  expect(plans.map(({ team }) => team)).toEqual(teams.map(({ name }) => name));
  expect(looking.most).toBe(5);
});
