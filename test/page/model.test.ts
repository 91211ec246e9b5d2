import { expect, test } from 'vitest';
import { agesOf, contentsOf, filtered, groupsOf, histogram, mapOf, rowsOf, type Place } from '../../page/model.js';
import { pageData } from '../../lib/cli/page.js';
import { fleetGlance } from '../support/fleet.js';

const data = pageData(fleetGlance(100));
const all = (place: Place): Place[] => [place, ...place.children.flatMap(all)];

test('the map has every account, bucket, team, principal, key and app in its place, and the worst shines through', () => {
  const map = mapOf(data);
  const kinds = (kind: Place['kind']) => all(map).filter((place) => place.kind === kind);
  expect([map.kind, map.apps, map.mark]).toEqual(['deployment', 100, 'broken']);
  expect(kinds('account').map(({ name }) => name)).toEqual(['111122223333', '444455556666']);
  expect(kinds('app')).toHaveLength(100);
  expect(kinds('team')).toHaveLength(5);
  const team = (name: string) => kinds('team').find((place) => place.name === name);
  expect([team('team-0')?.mark, team('team-1')?.mark, team('team-2')?.mark, team('team-3')?.mark]).toEqual([
    'good',
    'info',
    'broken',
    'broken',
  ]);
  expect(team('team-0')?.note).toBe('20 apps, proven 2026-11-26 12:00');
  expect(team('team-0')?.children.map(({ kind, name }) => [kind, name])).toEqual([
    ['principal', 'team-0/upload'],
    ['principal', 'team-0/read-only'],
    ['key', 'without a key'],
  ]);
});

test('a key that AWS does not know is on the map, with who holds it', () => {
  const [first, ...rest] = data.teams;
  const app = { ...first!.apps[0]!, key: 'AKIAGONE' };
  const map = mapOf({ ...data, teams: [{ ...first!, apps: [app] }, ...rest] });
  expect(all(map).find(({ name }) => name === 'AKIAGONE')).toMatchObject({ mark: 'broken', children: [{ name: app.name }] });
});

test('what is due first comes first on the timeline', () => {
  const ages = agesOf(data);
  const due = ages.flatMap((one) => (one.due === undefined ? [] : [one.due]));
  expect(due).toEqual([...due].sort((a, b) => a - b));
  expect(ages.at(-1)?.due).toBeUndefined();
  expect(ages.find(({ key }) => key.soaks !== undefined)).toMatchObject({ due: 0.5, mark: 'info' });
  expect(histogram(ages, 100, 10).reduce((sum, n) => sum + n)).toBe(ages.length);
});

test('typing finds by every word, of whatever column', () => {
  const rows = rowsOf(data);
  expect(rows[0]?.mark).toBe('broken');
  expect(filtered(rows, '')).toBe(rows);
  expect(filtered(rows, 'TEAM-2 drifted').map(({ app }) => app)).toEqual(['t2-app-1']);
  expect(filtered(rows, 'team-1 public').length).toBe(2);
  expect(filtered(rows, 'nothing such')).toEqual([]);
});

test('findings that are mended by one command are one, and the command is one that can be pasted', () => {
  const of = (fix: string) => groupsOf([{ name: 'n', severity: 'broken', subject: 's', message: 'm', looksLike: '', fix }])[0]?.[0].fix[1];
  expect(groupsOf([...data.findings, ...data.findings]).length).toBe(groupsOf(data.findings).length);
  expect(of('run halcyon-kit sync payments')).toBe('halcyon-kit sync payments');
  expect(of('then: halcyon-kit rotate payments --finish')).toBe('halcyon-kit rotate payments --finish');
  expect(of('once no app needs it, run halcyon-kit up --prune, or halcyon-kit down payments')).toBe('halcyon-kit up --prune');
  expect(of('run halcyon-kit rotate payments --emergency with the key that leaked, then …')).toBe(
    'halcyon-kit rotate payments --emergency',
  );
  expect(of('ask its owner')).toBe('');
  expect(groupsOf(data.findings).map(([{ name }]) => name)).toEqual([...new Set(data.findings.map(({ name }) => name))]);
});

test('what is in a bucket is all of its places together, the largest bucket first', () => {
  const [first, second] = data.buckets as [(typeof data.buckets)[number], (typeof data.buckets)[number]];
  const kind = (files: number, bytes: number, oldest: string, unasked?: number) => ({
    ...{ kind: 'install' as const, files, bytes, oldest, newest: '2026-11-01T00:00:00.000Z' },
    ...(unasked === undefined ? {} : { unasked: { files: 1, bytes: unasked } }),
  });
  const at = (bucket: string, place: string, one: ReturnType<typeof kind>, unknown?: string[]) => ({
    bucket,
    place,
    kinds: [one],
    unknown,
  });
  const packages = [
    at(first.name, 'a', kind(1, 10, '2026-03-01', 3), ['an app may not be looked at']),
    at(second.name, '', kind(4, 100, '2026-02-01')),
    at(first.name, 'b', kind(2, 20, '2026-01-01', 5), []),
  ];
  expect(contentsOf({ ...data, packages })).toMatchObject([
    { bucket: second.name, files: 4, bytes: 100 },
    { bucket: first.name, files: 3, bytes: 30, unasked: 8, notes: ['an app may not be looked at'], kinds: [{ oldest: '2026-01-01' }] },
  ]);
  expect(contentsOf({ ...data, packages })[0]).not.toHaveProperty('unasked');
  expect(contentsOf({ ...data, packages: undefined })).toEqual([]);
});
