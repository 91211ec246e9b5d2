import { expect, test } from 'vitest';
import { Recent } from '../../../lib/engine/run/recent.js';
import type { UserRecord } from '../../../lib/engine/ports/ports.js';
import { Shared } from '../support/world/process.js';

const key = (id: string) => ({ id, status: 'Active' as const, createdAt: '2026-03-01T12:00:00Z' });
const listed = (...ids: string[]): UserRecord => ({ name: 'user', path: '/halcyon/upload/team/', tags: { old: '1' }, keys: ids.map(key) });

test('what this process did is laid over a listing that lags, for a minute', () => {
  const world = new Shared();
  const recent = new Recent(world.clock);
  recent.made('user', key('NEW'));
  recent.deleted('user', 'GONE');
  recent.status('user', 'OLD', 'Inactive');
  recent.tagged('user', 'tag', 'x');
  recent.untagged('user', ['old']);
  recent.made('another', key('THEIRS'));
  const seen = () => recent.over([listed('OLD', 'GONE')])[0];
  expect(seen()).toMatchObject({ tags: { tag: 'x' }, keys: [{ id: 'OLD', status: 'Inactive' }, { id: 'NEW' }] });
  expect(seen()?.keys).toHaveLength(2);
  expect(recent.over([listed('NEW')])[0]?.keys).toEqual([key('NEW')]);
  world.pass(61_000);
  expect(seen()).toEqual(listed('OLD', 'GONE'));
});
