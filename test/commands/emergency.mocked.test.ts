import { expect, test, vi } from 'vitest';
import type { Session } from '../../lib/cli/session.js';
import { emergency } from '../../lib/commands/emergency.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { exampleConfig } from '../support/config.js';

const team = exampleConfig().teams[0]!;
const found = { principal: `${team.name}/upload`, user: 'someone', status: 'Active' };
vi.mock('../../lib/engine/index.js', () => ({ findKey: async () => found, killKey: async () => {}, wasKeyOf: async () => false }));
vi.mock('../../lib/aws/identity.js', () => ({
  identity: async () => ({ account: '1' }),
  ownerOfKey: async () => undefined,
  checkAccount() {},
}));
vi.mock('../../lib/cli/session.js', () => ({
  admit: async (session: unknown) => session,
  narrowed: (session: unknown) => session,
  placesOf: () => [{ team, account: '1', region: 'eu-west-1' }],
}));
vi.mock('../../lib/cli/run-teams.js', () => ({
  runTeams: async () => [
    {
      ...{ team: team.name, status: 'failed', summary: 'someone else is at work', error: { code: 'lease-held', message: 'someone else' } },
      ...{ waiting: [], blocked: [], notices: [], left: [], evidence: [] },
    },
  ],
}));

test('apps whose key is dead, and that have no other as someone else is at work, are no success and no mere waiting', async () => {
  const session = {
    ...{
      network: networkOf({}),
      teams: [team],
      config: { teams: [team] },
      aws: () => ({}),
      heroku: async () => ({ configVars: async () => ({}) }),
    },
    host: { env: {}, io: silentIo, confirm: async () => true, evidence: { note() {} }, signal: new AbortController().signal },
  } as unknown as Session;
  const result = await emergency(session, 'AKIALEAKED', { config: 'halcyon.yaml', policy: {} } as Parameters<typeof emergency>[2]);
  expect(result).toMatchObject({ exitCode: 1, text: expect.stringContaining('AKIALEAKED is inactive') });
});
