import { describe, expect, test } from 'vitest';
import { parseConfig, type KitConfig } from '../../../lib/config/index.js';
import type { Team } from '../../../lib/config/model.js';
import { DEFAULT_POLICY } from '../../../lib/engine/model.js';
import { reconcile } from '../../../lib/engine/run/reconcile.client.js';
import { takeLease } from '../../../lib/engine/run/lease.client.js';
import { thisProcess, type LeaseOwner } from '../../../lib/lease-owner.js';
import type { ObjectStore, Ports } from '../../../lib/engine/ports/ports.js';
import { KitError } from '../../../lib/errors.js';
import { runContext } from '../support/run-context.js';
import type { Hook } from '../support/world/process.js';
import { World } from '../support/world/world.js';

const TTL = 120_000;
const owner = (id: string, world: World, more: Partial<LeaseOwner> = {}): LeaseOwner => ({
  id,
  who: `${id}@host`,
  pid: 7,
  machine: 'm',
  since: new Date(world.now).toISOString(),
  ttl: TTL,
  ...more,
});
const body = ({ leases }: World) => [...leases.all.values()].map((lease) => JSON.parse(lease.body) as unknown);
const setUp = async () => {
  const world = new World();
  const store = (await world.ports().lease('team', undefined)) as ObjectStore;
  return { world, store };
};
const alive = { isGone: () => false };

describe('the lease', () => {
  test('is taken, kept, and given back', async () => {
    const { world, store } = await setUp();
    const lease = await takeLease(store, owner('ann', world), world.clock, alive);
    expect(body(world)).toMatchObject([{ id: 'ann', who: 'ann@host' }]);
    for (let minute = 0; minute < 10; minute += 1) {
      world.pass(60_000);
      await lease.check();
    }
    await lease.release();
    expect(body(world)).toEqual([]);
  });

  test('is refused while another holds it, in words', async () => {
    const { world, store } = await setUp();
    await takeLease(store, owner('ann', world), world.clock, alive);
    world.pass(60_000);
    await expect(takeLease(store, owner('bob', world), world.clock, alive)).rejects.toMatchObject({
      code: 'lease-held',
      message: expect.stringMatching(
        /^ann@host \(process 7\) is working on this team since 2026-03-01T12:00:0.*, 60 s ago; .* is free 60 s after they stop; run again then$/,
      ),
    });
  });

  test('is taken over when it has run out, and its former owner stops', async () => {
    const { world, store } = await setUp();
    const ann = await takeLease(store, owner('ann', world), world.clock, alive);
    world.pass(TTL + 1000);
    const bob = await takeLease(store, owner('bob', world), world.clock, alive);
    await expect(ann.check()).rejects.toMatchObject({ code: 'lease-lost' });
    await ann.release();
    expect(body(world)).toMatchObject([{ id: 'bob' }]);
    await bob.check();
  });

  test('is taken over at once from a process of this machine that is gone', async () => {
    const { world, store } = await setUp();
    const self = thisProcess(TTL, world.now);
    // No process has this id: Linux stops at 2^22, others earlier.
    await takeLease(store, { ...self, id: 'dead', pid: 2 ** 30 }, world.clock);
    if (self.machine === '') return;
    await takeLease(store, self, world.clock);
    expect(body(world)).toMatchObject([{ id: self.id, pid: process.pid }]);
    await expect(takeLease(store, { ...self, id: 'another' }, world.clock)).rejects.toMatchObject({ code: 'lease-held' });
  });

  test.each(['create', 'replace'] as const)('survives the loss of the answer to %s', async (operation) => {
    const { world, store } = await setUp();
    let lose = operation === 'create';
    const lossy: ObjectStore = {
      ...store,
      [operation]: async (...args: [string, string]) => {
        const answer = await store[operation](...args);
        if (lose) {
          lose = false;
          throw new KitError('aws-unavailable', 'no answer');
        }
        return answer;
      },
    };
    const lease = await takeLease(lossy, owner('ann', world), world.clock, alive);
    world.pass(TTL / 2);
    lose = operation === 'replace';
    if (lose) await expect(lease.check()).rejects.toMatchObject({ code: 'aws-unavailable' });
    await lease.check();
    await lease.release();
    expect(body(world)).toEqual([]);
  });

  test('that cannot be renewed ends before another may take it', async () => {
    const { world, store } = await setUp();
    const dead: ObjectStore = { ...store, replace: () => Promise.reject(new KitError('aws-unreachable', 'no network')) };
    const lease = await takeLease(dead, owner('ann', world), world.clock, alive);
    world.pass(TTL * 0.8);
    await expect(lease.check()).rejects.toThrow();
  });

  test('with a body that nobody wrote is respected until it is old', async () => {
    const { world, store } = await setUp();
    await store.create('not json');
    await expect(takeLease(store, owner('ann', world), world.clock, alive)).rejects.toMatchObject({
      code: 'lease-held',
      message: expect.stringContaining('someone'),
    });
    world.pass(TTL * 2);
    await takeLease(store, owner('ann', world), world.clock, alive);
  });
});

describe('two operators with two files', () => {
  const file = (team: string, bucket: string) =>
    parseConfig(
      `teams:\n  ${team}:\n    bucket: { account: "111122223333", region: eu-west-1, name: ${bucket} }\n    apps: { one: { mode: upload } }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n`,
    );
  const former = file('team', 'bucket-b');
  const renamed = (config: KitConfig): KitConfig => ({
    ...config,
    teams: config.teams.map((team) => ({ ...team, name: 'new', was: 'team' })),
  });
  const policy = { ...DEFAULT_POLICY, soak: 0, concurrency: 1 };

  test.each([
    ['another bucket', file('team', 'bucket-a')],
    ['another name, and was', renamed(former)],
    ['both', renamed(file('team', 'bucket-a'))],
  ])('do not work on the same users at a time: %s', async (_what, later) => {
    const world = new World();
    const deployed = (config: KitConfig) => ({ ...config, teams: [world.deploy(config.teams[0] as Team)] });
    const before = deployed(former);
    expect(await reconcile(runContext(world, before, { policy }), { kind: 'ensure' })).toMatchObject({ status: 'done' });
    const after = deployed(later);
    const met: string[] = [];
    let meanwhile: Promise<unknown> | undefined;
    const other = async () => {
      const result = await reconcile(runContext(world, before, { policy, isGone: () => false }), { kind: 'ensure' });
      met.push(result.error?.code ?? result.status);
    };
    const hook: Hook = async (operation, phase) => {
      if (operation === 'PATCH config-vars' && phase === 'before') await (meanwhile ??= other());
    };
    expect(await reconcile(runContext(world, after, { policy, hook }), { kind: 'ensure' })).toMatchObject({ status: 'done' });
    expect(met).toEqual(['lease-held']);
    // All are given back.
    expect(body(world)).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  test('take what they need in one order, and give it back in the other', async () => {
    const world = new World();
    for (const config of [former, file('team', 'bucket-a')]) world.deploy(config.teams[0] as Team);
    const log: string[] = [];
    const wrap = (ports: Ports): Ports => ({
      ...ports,
      lease: async (team, place) => {
        const store = (await ports.lease(team, place)) as ObjectStore;
        const noting =
          <A extends unknown[], R>(what: string, work: (...args: A) => Promise<R>) =>
          (...args: A) => (log.push(`${what} ${store.place}`), work(...args));
        return { ...store, create: noting('take', store.create), remove: noting('give', store.remove) };
      },
    });
    await reconcile(runContext(world, former, { policy, wrap }), { kind: 'ensure' });
    expect(log).toEqual(['take', 'take', 'give', 'give'].map((what, n) => `${what} s3://bucket-${n % 3 === 0 ? 'a' : 'b'}/lease/team`));
  });
});
