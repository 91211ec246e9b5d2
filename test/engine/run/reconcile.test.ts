import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/index.js';
import { principalsOf } from '../../../lib/config/derive.js';
import type { Principal, Team } from '../../../lib/config/model.js';
import { userName } from '../../../lib/contract/index.js';
import { DEFAULT_POLICY, type Event, type Intent, type TeamObservation } from '../../../lib/engine/model.js';
import type { HoldersPort, Ports } from '../../../lib/engine/ports/ports.js';
import { findKeyOf, killAtOnce } from '../../../lib/engine/run/kill.client.js';
import { observeAll } from '../../../lib/engine/run/observe.client.js';
import { LAG } from '../../../lib/engine/run/recent.js';
import { refusedTag } from '../../../lib/engine/tags.js';
import { reconcile } from '../../../lib/engine/run/reconcile.client.js';
import { KitError } from '../../../lib/errors.js';
import type { Confirmed } from '../../../lib/heroku/confirmed.js';
import type { ModelUser } from '../support/world/iam.js';
import { runContext } from '../support/run-context.js';
import { Crash, type Hook } from '../support/world/process.js';
import { World } from '../support/world/world.js';

const config = parseConfig(
  'teams:\n  team:\n    bucket: { account: "111122223333", region: eu-west-1 }\n    apps:\n      one: { mode: upload }\n      two: { mode: upload }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n',
);
const team = config.teams[0] as Team;
const USER = userName(principalsOf(team)[0] as Principal);
const policy = { ...DEFAULT_POLICY, soak: 0, concurrency: 1 };

function setUp() {
  const world = new World();
  world.deploy(team);
  const run = (
    intent: Intent,
    more: { hook?: Hook; signal?: AbortSignal; deployed?: boolean; from?: TeamObservation; ports?: (ports: Ports) => Ports } = {},
  ) => {
    const { hook, signal, deployed, ports: wrap } = more;
    return reconcile(runContext(world, config, { policy, hook, wrap, signal, deployed }), intent, more.from);
  };
  const kill = (keyId: string, hook: Hook = () => {}) => killAtOnce(runContext(world, config, { hook }), keyId);
  return { world, run, kill };
}

describe('Ctrl-C', () => {
  test.each(['CreateAccessKey', 'PATCH config-vars', 'verify'])('at %s: the reason is thrown, the lease given back', async (moment) => {
    const { world, run } = setUp();
    const controller = new AbortController();
    const reason = new KitError('interrupted', 'interrupted; run the same command again to go on');
    const hook: Hook = (operation) => void (operation === moment && controller.abort(reason));
    await expect(run({ kind: 'ensure' }, { hook, signal: controller.signal })).rejects.toBe(reason);
    expect(world.leases.all.size).toBe(0);
    expect(await run({ kind: 'ensure' })).toMatchObject({ status: 'done' });
    expect(world.violations).toEqual([]);
  });
});

test('a key that this run saw known everywhere is tried once more before each final step, one that an earlier run made as often as a new one', async () => {
  const { world, run } = setUp();
  await run({ kind: 'ensure' });
  const seen: string[] = [];
  const hook: Hook = (operation) => void seen.push(operation);
  const tries = () => seen.splice(0).filter((operation) => operation === 'verify').length;
  const { verifications } = policy;
  // Before the old key is deactivated, and before it is deleted.
  expect(await run({ kind: 'rotate', due: false }, { hook })).toMatchObject({ status: 'done' });
  expect(tries()).toBe(verifications + 2);
  await reconcile(runContext(world, config, { policy: { ...policy, soak: 3_600_000 } }), { kind: 'rotate', due: false });
  world.now += 7_200_000;
  expect(await run({ kind: 'finish' }, { hook })).toMatchObject({ status: 'done' });
  // It was made inactive by the run before.
  expect(tries()).toBe(verifications);
  expect(world.violations).toEqual([]);
});

test('before a key goes each app is asked, whatever the record says of it', async () => {
  const { world, run } = setUp();
  await run({ kind: 'ensure' });
  const app = () => world.heroku.apps.get('one')!;
  const former = { ...app().vars };
  await reconcile(runContext(world, config, { policy: { ...policy, soak: 3_600_000 } }), { kind: 'rotate', due: false });
  const current = { ...app().vars };
  world.now += 7_200_000;
  // Somebody put the old key back, and Heroku does not tell that the app changed.
  Object.assign(app().vars, former);
  const confirmed = { trusted: true, contradicted: false, has: () => true, saw() {}, gave() {}, async renew() {} } as unknown as Confirmed;
  expect(await reconcile(runContext(world, config, { policy, confirmed }), { kind: 'finish' })).toMatchObject({ status: 'done' });
  expect(app().vars).toEqual(current);
});

test.each([
  ['HALCYON_AWS_ACCESS_KEY_ID', true],
  ['HALCYON_S3_ACL', false],
] as const)('an app that lacks %s is written, and only with a key is that tried afresh before', async (name, tried) => {
  const { world, run } = setUp();
  await run({ kind: 'ensure' });
  delete world.heroku.apps.get('one')?.vars[name];
  const seen: string[] = [];
  expect(await run({ kind: 'ensure' }, { hook: (operation) => void seen.push(operation) })).toMatchObject({ status: 'done' });
  expect([seen.includes('PATCH config-vars'), seen.includes('verify')]).toEqual([true, tried]);
  expect(world.violations).toEqual([]);
});

describe('a run that ends between making a key and storing it', () => {
  /** Its answer is lost with the process, or the process ends just before the secret is kept. */
  test.each(['CreateAccessKey after', 'PutSecretValue before'])(
    '%s: the next one knows the key for its own, and goes on by itself',
    async (moment) => {
      const { world, run } = setUp();
      const hook: Hook = (operation, phase) => {
        if (`${operation} ${phase}` === moment) throw new Crash(moment);
      };
      await expect(run({ kind: 'ensure' }, { hook })).rejects.toThrow(Crash);
      const [lost] = world.iam.users.get(USER)?.keys ?? [];
      world.pass(policy.leaseTtl * 2);
      expect(await run({ kind: 'rotate', due: false })).toMatchObject({ status: 'done', notices: [] });
      const left = world.iam.users.get(USER)?.keys ?? [];
      expect(left).toHaveLength(1);
      expect(left[0]?.id).not.toBe(lost?.id);
      expect(world.violations).toEqual([]);
    },
  );
});

describe('a run that is killed while IAM’s lists are behind', () => {
  test.each(['CreateAccessKey after', 'PutSecretValue after', 'verify look', 'UpdateSecretVersionStage after'])(
    '%s: the next one, which starts at once, makes no second key',
    async (moment) => {
      const { world, run } = setUp();
      const made: string[] = [];
      const hook: Hook = (operation, phase) => {
        if (operation === 'CreateAccessKey' && phase === 'before') world.iam.lag(LAG - 5000);
        if (`${operation} ${phase}` === moment) throw new Crash(moment);
      };
      await expect(run({ kind: 'ensure' }, { hook })).rejects.toThrow(Crash);
      world.leases.all.clear();
      const watch: Hook = (operation, phase) => {
        if (operation !== 'CreateAccessKey' || phase !== 'after') return;
        made.push(...(world.iam.users.get(USER)?.keys ?? []).map(({ id }) => id));
      };
      expect(await run({ kind: 'ensure' }, { hook: watch })).toMatchObject({ status: 'done' });
      // Without its secret a key is of no use: it goes, and one comes.
      expect(made).toHaveLength(moment === 'CreateAccessKey after' ? 1 : 0);
      expect(world.iam.users.get(USER)?.keys).toHaveLength(1);
      expect(world.violations).toEqual([]);
    },
  );
});

test('an app that is released between the last look and the deactivation is looked at again', async () => {
  const { world, run } = setUp();
  await run({ kind: 'ensure' });
  const old = world.iam.users.get(USER)?.keys[0]?.id;
  const seen: string[] = [];
  await run(
    { kind: 'rotate', due: false },
    {
      hook: (operation, phase) => {
        const moved = world.heroku.apps.get('one')?.vars.HALCYON_AWS_ACCESS_KEY_ID !== old;
        if (operation === 'GET activity') seen.push('look');
        // The key that stays is verified between the two.
        if (operation === 'verify' && moved && seen.at(-1) === 'look' && !seen.includes('rollback')) {
          world.heroku.rollBack('one');
          seen.push('rollback');
        }
        if (operation === 'UpdateAccessKey Inactive' && phase === 'before') seen.push('deactivate');
      },
    },
  );
  expect(seen.slice(seen.indexOf('rollback'))).toEqual(expect.arrayContaining(['rollback', 'look', 'deactivate']));
  expect(seen[seen.indexOf('rollback') + 1]).toBe('look');
  expect(world.violations).toEqual([]);
});

test('deploys of an app during every look do not hold up a rotation', async () => {
  const { world, run } = setUp();
  await run({ kind: 'ensure' });
  const old = world.iam.users.get(USER)?.keys[0]?.id;
  let deploys = 0;
  const hook: Hook = (operation) => {
    const app = world.heroku.apps.get('one');
    if (operation !== 'verify' || app === undefined || app.vars.HALCYON_AWS_ACCESS_KEY_ID === old) return;
    world.pass(1000);
    const at = { createdAt: world.now, endedAt: world.now };
    app.releases.push({ version: app.releases.length + 1, description: 'Deploy 1a2b3c4d', ...at, vars: { ...app.vars } });
    deploys += 1;
  };
  expect(await run({ kind: 'rotate', due: false }, { hook })).toMatchObject({ status: 'done' });
  expect(deploys).toBeGreaterThan(0);
  expect(world.iam.users.get(USER)?.keys.map(({ id }) => id)).not.toContain(old);
  expect(world.violations).toEqual([]);
});

test('a key that is stopped while it is tried for long is made current by nobody', async () => {
  const { world, run } = setUp();
  let tries = 0;
  let leaked = '';
  const moved: string[] = [];
  const hook: Hook = (operation) => {
    const user = world.iam.users.get(USER);
    if (operation === 'verify' && (tries += 1) === policy.verifications) {
      world.pass(40_000);
      leaked = user?.keys[0]?.id ?? '';
      if (user !== undefined) user.tags[refusedTag(leaked)] = `revoked ${new Date(world.now).toISOString()}`;
    }
    if (operation === 'UpdateSecretVersionStage') moved.push(user?.keys.find(({ id }) => id !== leaked)?.id ?? leaked);
  };
  expect(await run({ kind: 'ensure' }, { hook })).toMatchObject({ status: 'done' });
  expect(moved).not.toContain(leaked);
  expect(moved.length).toBeGreaterThan(0);
});

describe('right after a deployment', () => {
  /** IAM lists nobody for so long. */
  const late =
    (world: World, ms: number) =>
    (ports: Ports): Ports => {
      const until = world.now + ms;
      return { ...ports, keys: { ...ports.keys, users: async (name) => (world.now < until ? [] : ports.keys.users(name)) } };
    };

  test('users that IAM does not list yet are looked for again', async () => {
    const { world, run } = setUp();
    expect(await run({ kind: 'ensure' }, { deployed: true, ports: late(world, 45_000) })).toMatchObject({ status: 'done' });
    expect(world.heroku.apps.get('one')?.vars.HALCYON_AWS_ACCESS_KEY_ID).toBe(world.iam.users.get(USER)?.keys[0]?.id);
  });

  test('for a minute, no longer', async () => {
    const { world, run } = setUp();
    const began = world.now;
    const outcome = await run({ kind: 'ensure' }, { deployed: true, ports: late(world, 3_600_000) });
    expect(outcome).toMatchObject({ status: 'blocked', blocked: [{ code: 'user-missing' }], evidence: [] });
    expect(world.now - began).toBeGreaterThanOrEqual(60_000);
    expect(world.now - began).toBeLessThan(70_000);
  });

  test('not where nothing was deployed', async () => {
    const { world, run } = setUp();
    const began = world.now;
    expect(await run({ kind: 'ensure' }, { ports: late(world, 45_000) })).toMatchObject({ status: 'blocked' });
    expect(world.now - began).toBeLessThan(5000);
  });

  test('not for what time does not mend', async () => {
    const { world, run } = setUp();
    const began = world.now;
    const outcome = await run({ kind: 'delete-unknown', keyId: 'AKIA' }, { deployed: true, ports: late(world, 3_600_000) });
    expect(outcome.blocked.map(({ code }) => code)).toEqual(['key-not-found']);
    expect(world.now - began).toBeLessThan(5000);
  });
});

describe('killing a leaked key', () => {
  const atRest = async () => {
    const made = setUp();
    await made.run({ kind: 'ensure' });
    const key = made.world.iam.users.get(USER)?.keys[0]?.id ?? '';
    made.world.iam.leaked.add(key);
    return { ...made, key };
  };

  test('asks IAM alone', async () => {
    const { world, kill, key } = await atRest();
    const asked: string[] = [];
    const done = await kill(key, (operation) => void asked.push(operation));
    expect([...new Set(asked)]).toEqual(['ListUsers', 'UpdateAccessKey Inactive', 'TagUser']);
    expect(done.map(({ step, principal }) => [step, principal])).toEqual([
      ['deactivate', 'team/upload'],
      ['mark-revoked', 'team/upload'],
    ]);
    expect(world.iam.keyNamed(key)?.status).toBe('Inactive');
    expect(await kill(key)).toEqual([]);
  });

  test('goes on after failures that pass, and says so after those that do not', async () => {
    const { world, kill, key } = await atRest();
    let failures = 4;
    const busy: Hook = () => {
      if ((failures -= 1) >= 0) throw new KitError('aws-unavailable', 'no answer');
    };
    await kill(key, busy);
    expect(world.iam.keyNamed(key)?.status).toBe('Inactive');
    failures = Infinity;
    await expect(kill(key, busy)).rejects.toMatchObject({ code: 'aws-unavailable' });
  });

  test('a mark that is refused keeps no key alive, and what was done is known', async () => {
    const { world, key } = await atRest();
    const ports = world.ports((operation) => {
      if (operation === 'TagUser') throw new KitError('aws-denied', 'not allowed to tag');
    });
    const done: Event[] = [];
    await expect(killAtOnce(runContext(world, config, { ports }), key, done)).rejects.toMatchObject({ code: 'aws-denied' });
    expect(world.iam.keyNamed(key)?.status).toBe('Inactive');
    expect(done.map(({ step }) => step)).toEqual(['deactivate']);
  });

  test('where it is known whose it is, the first request stops it', async () => {
    const { world, key } = await atRest();
    const found = await findKeyOf(runContext(world, config), key);
    const asked: string[] = [];
    await killAtOnce(runContext(world, config, { ports: world.ports((operation) => void asked.push(operation)) }), key, [], found);
    expect(asked[0]).toBe('UpdateAccessKey Inactive');
  });

  test('a key of nobody here is left alone', async () => {
    const { world, kill } = await atRest();
    expect(await kill('AKIANOBODY')).toEqual([]);
    expect(await findKeyOf(runContext(world, config), 'AKIANOBODY')).toBeUndefined();
  });

  test('one that was marked, and lives on, dies before any app is looked at', async () => {
    const { world, run, key } = await atRest();
    (world.iam.users.get(USER) as ModelUser).tags[`halcyon:refused:${key}`] = 'revoked 2026-03-01T12:00:00Z';
    const from = await observeAll(runContext(world, config));
    const asked: string[] = [];
    await run({ kind: 'ensure' }, { from, hook: (operation) => void asked.push(operation) });
    expect(asked.slice(0, asked.indexOf('UpdateAccessKey Inactive'))).not.toContain('GET config-vars');
    expect(world.iam.keyNamed(key)?.status).not.toBe('Active');
  });

  test('the engine needs no record of holders that it may not read', async () => {
    const { world, run, key } = await atRest();
    const read = () => Promise.reject(new KitError('aws-denied', 'not allowed to read the record'));
    const ports = (all: Ports): Ports => ({ ...all, holders: { ...(all.holders as HoldersPort), read } });
    expect(await run({ kind: 'ensure' }, { ports })).toMatchObject({ status: 'failed', error: { code: 'aws-denied' } });
    expect(await run({ kind: 'emergency', keyId: key }, { ports })).toMatchObject({ status: 'done' });
    expect(world.iam.keyNamed(key)).toBeUndefined();
    expect(world.heroku.apps.get('one')?.vars.HALCYON_AWS_ACCESS_KEY_ID).toBe(world.iam.users.get(USER)?.keys[0]?.id);
  });

  test('the engine does it first, and goes on to a new key', async () => {
    const { world, run, key } = await atRest();
    const effects: string[] = [];
    const hook: Hook = (operation, phase) => void (phase === 'after' && effects.push(operation));
    const outcome = await run({ kind: 'emergency', keyId: key }, { hook });
    expect(outcome).toMatchObject({ status: 'done' });
    expect(outcome.evidence.slice(0, 2).map(({ step }) => step)).toEqual(['deactivate', 'mark-revoked']);
    expect(effects.indexOf('UpdateAccessKey Inactive')).toBeLessThan(effects.indexOf('PutObject lease'));
    expect(world.iam.keyNamed(key)).toBeUndefined();
    expect(world.violations).toEqual([]);
  });
});
