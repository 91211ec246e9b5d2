import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { userName } from '../../lib/contract/index.js';
import { DEFAULT_POLICY, observeTeam, planTeam, runTeam, type Policy } from '../../lib/engine/index.js';
import type { IoHost } from '../../lib/io/io-host.js';
import { configOf, keysOf, plant, startWire, type Wire } from '../engine/support/wire.js';
import { principalIn } from '../support/principals.js';

const policy: Policy = { ...DEFAULT_POLICY, poll: 50, soak: 0, patience: 5000 };
let wire: Wire;
beforeAll(async () => {
  wire = await startWire();
});
afterAll(() => wire?.stop());
afterEach(() => {
  wire.sandbox.aws.clearFaults();
  wire.sandbox.heroku.clearFaults();
  wire.sandbox.aws.settings.keyDelayMs = 0;
});

test('first keys: made, stored, verified, current, on every app; a second run changes nothing', async () => {
  const config = configOf('first', { 'first-up': 'mode: upload', 'first-ro': 'mode: read-only', 'first-pub': 'mode: public' });
  const team = await plant(wire, config);
  wire.sandbox.aws.settings.keyDelayMs = 1500;
  const outcome = await runTeam(wire.context(config), team, { kind: 'ensure' }, policy);
  expect(outcome).toMatchObject({ status: 'done', blocked: [], waiting: [] });
  const observation = await observeTeam(wire.context(config), team);
  for (const principal of observation.principals) {
    expect(principal.keys).toHaveLength(1);
    expect(principal).toMatchObject({ current: principal.keys[0]?.id, keys: [{ status: 'Active', stored: true }] });
    expect(principal.pending).toBeUndefined();
    expect(principal.creating).toBeUndefined();
  }
  const upload = await wire.heroku.configVars('first-up');
  expect(upload).toMatchObject({
    HALCYON_AWS_ACCESS_KEY_ID: (await keysOf(wire, userName(principalIn(config, 'first', 'upload'))))[0]?.id,
  });
  expect(await wire.heroku.configVars('first-pub')).toEqual({});
  expect(planTeam(observation, { kind: 'ensure' }).steps).toEqual([]);

  wire.sandbox.aws.clearLog();
  wire.sandbox.heroku.clearLog();
  expect(await runTeam(wire.context(config), team, { kind: 'ensure' }, policy)).toMatchObject({
    status: 'done',
    summary: 'nothing to do',
    evidence: [],
  });
  expect(wire.sandbox.heroku.log().map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
  expect(
    wire.sandbox.aws
      .log()
      .filter(({ operation }) => /^(Create|Update|Delete|Put|Tag|Untag)/.test(operation ?? ''))
      .map(({ operation, resource }) => `${operation} ${resource}`),
  ).toEqual([expect.stringMatching(/^PutObject .*lease\/first\.json/), expect.stringMatching(/^DeleteObject .*lease\/first\.json/)]);
});

test('rotation replaces the keys of all apps and retires the old ones; nothing of it is secret', async () => {
  const config = configOf('turn', { 'turn-up': 'mode: upload', 'turn-ro1': 'mode: read-only', 'turn-ro2': 'mode: read-only' });
  const team = await plant(wire, config);
  const context = wire.context(config);
  await runTeam(context, team, { kind: 'ensure' }, policy);
  const before = await observeTeam(context, team);
  const secrets = (await Promise.all(team.apps.map(({ name }) => wire.heroku.configVars(name)))).map(
    (vars) => vars.HALCYON_AWS_SECRET_ACCESS_KEY ?? '',
  );
  const smoked: string[] = [];
  const said: string[] = [];
  const io: IoHost = {
    info: (text) => void said.push(text),
    debug: (text) => void said.push(text),
    warn: (text) => void said.push(text),
    step: (title) => (
      said.push(title),
      { update: (text) => void said.push(text), done: (text) => void said.push(text ?? ''), fail: (why) => void said.push(String(why)) }
    ),
  };
  const outcome = await runTeam(
    { ...context, io, smoke: async (_team, _principal, app) => void smoked.push(app) },
    team,
    { kind: 'rotate', due: false },
    policy,
  );
  expect(outcome).toMatchObject({ status: 'done' });
  expect(smoked).toEqual(['turn-up']);
  const after = await observeTeam(context, team);
  for (const [index, principal] of after.principals.entries()) {
    expect(principal.keys).toHaveLength(1);
    expect(principal.current).not.toBe(before.principals[index]?.current);
  }
  expect(planTeam(after, { kind: 'ensure' }).steps).toEqual([]);
  const shown = JSON.stringify([outcome, before, after, said]);
  for (const app of team.apps) secrets.push((await wire.heroku.configVars(app.name)).HALCYON_AWS_SECRET_ACCESS_KEY ?? '');
  for (const secret of secrets) expect(secret !== '' && !shown.includes(secret)).toBe(true);
});
