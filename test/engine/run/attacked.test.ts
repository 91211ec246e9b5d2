import { describe, expect, test } from 'vitest';
import { parseConfig, principalsOf } from '../../../lib/config/index.js';
import type { Principal, Team } from '../../../lib/config/model.js';
import { secretName, STAGES, userName } from '../../../lib/contract/index.js';
import { DEFAULT_POLICY, type Intent, type TeamResult } from '../../../lib/engine/model.js';
import type { Ports } from '../../../lib/engine/ports/ports.js';
import { writeApps } from '../../../lib/engine/run/apps.client.js';
import { observeAll } from '../../../lib/engine/run/observe.client.js';
import { reconcile } from '../../../lib/engine/run/reconcile.client.js';
import { KitError } from '../../../lib/errors.js';
import { ServerTime } from '../../../lib/network/server-time.js';
import { runContext } from '../support/run-context.js';
import type { ModelUser } from '../support/world/iam.js';
import type { Hook } from '../support/world/process.js';
import { World } from '../support/world/world.js';

const config = parseConfig(
  'teams:\n  team:\n    bucket: { account: "111122223333", region: eu-west-1 }\n    apps:\n      one: { mode: upload }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n',
);
const team = config.teams[0] as Team;
const [id] = principalsOf(team) as [Principal];
const policy = { ...DEFAULT_POLICY, soak: 0, concurrency: 1 };
const rotate: Intent = { kind: 'rotate', due: false };

function setUp() {
  const world = new World();
  world.deploy(team);
  const run = (intent: Intent, hook?: Hook, wrap?: (ports: Ports) => Ports): Promise<TeamResult> =>
    reconcile(runContext(world, config, { policy, hook, wrap }), intent);
  const user = () => world.iam.users.get(userName(id)) as ModelUser;
  const app = () => world.heroku.apps.get('one') as { vars: Record<string, string>; releases: unknown[] };
  return { world, run, user, app };
}

describe('an app is written three times in a run at most', () => {
  test('where another writes it after each of ours; what flips is named', async () => {
    const { world, run, app } = setUp();
    const releases = app().releases.length;
    let others = 0;
    const other: Hook = (operation, phase) => {
      if (operation !== 'release' || phase !== 'look') return;
      world.pass(1000);
      const vars = { ...app().vars, HALCYON_S3_ACL: 'private' };
      const at = { createdAt: world.now, endedAt: world.now };
      app().releases.push({ version: app().releases.length + 1, description: 'Set HALCYON_S3_ACL config vars', ...at, vars });
      others += 1;
    };
    const result = await run({ kind: 'ensure' }, other);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'config-vars-contested' } });
    expect(result.error?.message).toMatch(/^one: HALCYON_S3_ACL of one were written 3 times/);
    expect(app().releases.length - others - releases).toBe(3);
    expect(world.violations).toEqual([]);
  });

  test('where what was written never shows', async () => {
    const { run, app, user } = setUp();
    await run({ kind: 'ensure' });
    const [releases, old] = [app().releases.length, user().keys[0]?.id];
    const result = await run(rotate, undefined, (ports) => ({ ...ports, apps: { ...ports.apps, vars: async () => ({}) } }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'config-vars-contested' } });
    expect(result.error?.message).toContain('HALCYON_AWS_SECRET_ACCESS_KEY');
    expect(app().releases.length - releases).toBe(3);
    // What it holds is not known, so nothing retires.
    expect(user().keys.find((key) => key.id === old)).toMatchObject({ status: 'Active' });
  });
});

test('a new key that someone deletes at any moment of a rotation costs no app its working one', async () => {
  let moments = 0;
  const first = setUp();
  await first.run({ kind: 'ensure' });
  await first.run(rotate, () => void (moments += 1));
  for (let at = 1; at <= moments; at += 1) {
    const { world, run, user, app } = setUp();
    await run({ kind: 'ensure' });
    const old = user().keys[0]?.id;
    let moment = 0;
    let deleted = false;
    let seen = false;
    const result = await run(rotate, (operation, phase) => {
      seen ||= deleted && operation === 'ListUsers';
      const final = /^(UpdateAccessKey Inactive|DeleteAccessKey)$/.test(operation) && phase === 'before';
      if (final && seen) expect({ at, others: user().keys.some((key) => key.id !== old) }).toEqual({ at, others: true });
      if ((moment += 1) < at || deleted) return;
      // In the answer to the very last look or after it nobody can see it.
      if (/lease/.test(operation) && moment > moments - 3) return;
      const made = user().keys.find((key) => key.id !== old);
      deleted = made !== undefined;
      user().keys = user().keys.filter((key) => key !== made);
    });
    const held = world.iam.keyNamed(app().vars.HALCYON_AWS_ACCESS_KEY_ID);
    const survives = world.iam.keyNamed(old) !== undefined;
    const well = result.status === 'done' ? held?.status === 'Active' : survives || held?.status === 'Active';
    expect({ at, deleted, status: result.status, well }).toEqual({ at, deleted, status: result.status, well: true });
  }
});

describe('a clock that is an hour off', () => {
  test.each([1, -1])('makes no stranger of a key whose answer was lost (%d h)', async (hours) => {
    const { world, run, user } = setUp();
    world.skew = hours * 3_600_000;
    let lost = false;
    const result = await run({ kind: 'ensure' }, (operation, phase) => {
      if (operation !== 'CreateAccessKey' || phase !== 'after' || lost) return;
      lost = true;
      throw new KitError('aws-ambiguous', 'no answer');
    });
    expect(result).toMatchObject({ status: 'done', notices: [] });
    expect(user().keys).toHaveLength(1);
  });

  test('does not make an old key look long unused', async () => {
    const { world, run, user, app } = setUp();
    await run({ kind: 'ensure' });
    world.skew = 3_600_000;
    const old = user().keys[0];
    let used = 0;
    await run(rotate, (operation) => {
      // Something that the file does not name uses it, long after the app has moved.
      if (operation === 'ListUsers' && app().vars.HALCYON_AWS_ACCESS_KEY_ID !== old?.id && used === 0) {
        world.pass(300_000);
        used = world.now;
        if (old !== undefined) old.lastUsedAt = used;
      }
      // IAM tells whole seconds.
      if (operation === 'UpdateAccessKey Inactive') expect(world.now - used).toBeGreaterThan(policy.quiet - 1000);
    });
    expect(used).toBeGreaterThan(0);
  });

  test('is said once, by name; one that is right never', () => {
    const said: string[] = [];
    let local = Date.parse('2026-03-01T12:00:00.400Z');
    const time = new ServerTime({ local: () => local, say: (text) => said.push(text) });
    for (const date of ['Sun, 01 Mar 2026 12:00:00 GMT', 'Sun, 01 Mar 2026 11:00:00 GMT', 'Sun, 01 Mar 2026 11:00:00 GMT', 'nonsense']) {
      const answered = time.asked();
      local += 100;
      answered(date);
    }
    expect(said).toEqual([expect.stringMatching(/^clock-skew: this machine's clock is 60 min ahead of/)]);
    expect(Math.abs(time.now() - (local - 3_600_000))).toBeLessThan(1000);
  });
});

test('a secret that is not there never means that an app loses what it has', async () => {
  const { world, run, app } = setUp();
  await run({ kind: 'ensure' });
  const before = { ...app().vars };
  const context = runContext(world, config);
  const observation = await observeAll(context);
  const changes = [{ name: 'HALCYON_AWS_ACCESS_KEY_ID', from: null, to: 'AKIAOTHER' }] as const;
  const write = { app: 'one', keyId: 'AKIAOTHER', changes };
  await expect(writeApps({ ...context, apps: context.ports.apps }, [write], observation)).rejects.toMatchObject({ code: 'state-changed' });
  for (const stage of [STAGES.current])
    for (const version of world.secrets.all.get(secretName(id))?.values() ?? []) version.stages.delete(stage);
  world.secrets.all.delete(secretName(id));
  for (const intent of [{ kind: 'ensure' }, { kind: 'finish' }, { kind: 'undo' }, rotate] as const) await run(intent);
  expect(app().vars).toEqual(before);
});
