import { describe, expect, test } from 'vitest';
import { takeLease } from '../../../lib/engine/run/lease.client.js';
import { thisProcess, type LeaseOwner } from '../../../lib/lease-owner.js';
import type { ObjectStore } from '../../../lib/engine/ports/ports.js';
import { KitError } from '../../../lib/errors.js';
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
const setUp = () => {
  const world = new World();
  const store = world.ports(() => {}).lease as ObjectStore;
  return { world, store };
};
const alive = { isGone: () => false };

describe('the lease', () => {
  test('is taken, kept, and given back', async () => {
    const { world, store } = setUp();
    const lease = await takeLease(store, owner('ann', world), world.clock, alive);
    expect(JSON.parse(world.lease.object?.body ?? '')).toMatchObject({ id: 'ann', who: 'ann@host' });
    for (let minute = 0; minute < 10; minute += 1) {
      world.pass(60_000);
      await lease.check();
    }
    await lease.release();
    expect(world.lease.object).toBeUndefined();
  });

  test('is refused while another holds it, in words', async () => {
    const { world, store } = setUp();
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
    const { world, store } = setUp();
    const ann = await takeLease(store, owner('ann', world), world.clock, alive);
    world.pass(TTL + 1000);
    const bob = await takeLease(store, owner('bob', world), world.clock, alive);
    await expect(ann.check()).rejects.toMatchObject({ code: 'lease-lost' });
    await ann.release();
    expect(JSON.parse(world.lease.object?.body ?? '')).toMatchObject({ id: 'bob' });
    await bob.check();
  });

  test('is taken over at once from a process of this machine that is gone', async () => {
    const { world, store } = setUp();
    const self = thisProcess(TTL, world.now);
    // No process has this id: Linux stops at 2^22, others earlier.
    await takeLease(store, { ...self, id: 'dead', pid: 2 ** 30 }, world.clock);
    if (self.machine === '') return;
    await takeLease(store, self, world.clock);
    expect(JSON.parse(world.lease.object?.body ?? '')).toMatchObject({ id: self.id, pid: process.pid });
    await expect(takeLease(store, { ...self, id: 'another' }, world.clock)).rejects.toMatchObject({ code: 'lease-held' });
  });

  test.each(['create', 'replace'] as const)('survives the loss of the answer to %s', async (operation) => {
    const { world, store } = setUp();
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
    expect(world.lease.object).toBeUndefined();
  });

  test('that cannot be renewed ends before another may take it', async () => {
    const { world, store } = setUp();
    const dead: ObjectStore = { ...store, replace: () => Promise.reject(new KitError('aws-unreachable', 'no network')) };
    const lease = await takeLease(dead, owner('ann', world), world.clock, alive);
    world.pass(TTL * 0.8);
    await expect(lease.check()).rejects.toThrow();
  });

  test('with a body that nobody wrote is respected until it is old', async () => {
    const { world, store } = setUp();
    await store.create('not json');
    await expect(takeLease(store, owner('ann', world), world.clock, alive)).rejects.toMatchObject({
      code: 'lease-held',
      message: expect.stringContaining('someone'),
    });
    world.pass(TTL * 2);
    await takeLease(store, owner('ann', world), world.clock, alive);
  });
});
