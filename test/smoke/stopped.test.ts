import { expect, test } from 'vitest';
import type { Aws } from '../../lib/aws/aws.js';
import { parseConfig } from '../../lib/config/index.js';
import { KitError } from '../../lib/errors.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { smokeTeam } from '../../lib/smoke/smoke.js';

test('what an error stopped tells what was seen until then, and what it could not remove', async () => {
  const config = parseConfig('teams: { lab: { apps: { lab-web: { mode: public } } } }');
  const app = async ({ name }: { name: string }) => ({ id: name, name, generation: 'cedar', stack: 'heroku-24', createdAt: '' });
  let builds = 0;
  const heroku = {
    apps: async () => [],
    app: (name: string) => app({ name }),
    configVars: async () => ({}),
    buildpacks: async () => ['https://user:canary@example.com/haskell-on-heroku'],
    createApp: app,
    setBuildpacks: async () => [],
    patchConfigVars: async () => ({}),
    startBuild: async () => ({ id: `b${++builds}`, status: 'pending' }),
    build: async (_: string, id: string) => ({ id, status: 'succeeded', releaseId: 'r1' }),
    release: async () => ({ id: 'r1', version: 3, status: 'succeeded' }),
    runDyno: async () => {
      throw new KitError('heroku-unavailable', 'Heroku is away');
    },
    deleteApp: async () => {
      throw new KitError('heroku-unavailable', 'Heroku is away');
    },
  } as unknown as Heroku;
  const [report] = await smokeTeam({ config, heroku, aws: { network: networkOf({}) } as Aws, io: silentIo }, config.teams[0]!);
  expect(report).toMatchObject({ ok: false, causes: [{ code: 'heroku-unavailable', message: 'Heroku is away' }] });
  expect(report?.proofs.at(-1)).toMatchObject({ proof: 'smoke deploy runs to its end', observed: 'heroku-unavailable' });
  expect(report?.proofs.length).toBeGreaterThan(1);
  expect(report?.evidence).toMatchObject({
    stack: 'heroku-24',
    buildpacks: ['https://example.com/haskell-on-heroku'],
    builds: [{ id: 'b1', status: 'succeeded', release: 3 }],
    leftovers: [`app ${report?.evidence.smokeApp}`],
  });
});
