import { describe, expect, test } from 'vitest';
import { Confirmed, Trust } from '../../lib/heroku/confirmed.js';
import type { HerokuApp } from '../../lib/heroku/heroku.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const LONG_AGO = '2026-02-01T00:00:00Z';
const app = (id: string, releasedAt: string = LONG_AGO): HerokuApp => ({
  ...{ id, name: id, generation: 'cedar', stack: 'heroku-24', maintenance: false, createdAt: LONG_AGO },
  ...{ releasedAt, updatedAt: LONG_AGO },
});
const ids = (count: number) => Array.from({ length: count }, (_, n) => `id-${n}`);

function fleet(count: number) {
  let apps = new Map(ids(count).map((id) => [id, app(id)]));
  const said: string[] = [];
  let now = NOW;
  const heroku = { now: () => now, appsById: async (of: readonly string[]) => of.flatMap((id) => apps.get(id) ?? []) };
  return {
    said,
    release: (id: string, at: string) => (apps = new Map(apps).set(id, app(id, at))),
    open: (body?: string, trust = new Trust((id) => said.push(id))) => new Confirmed(body, apps, heroku, trust, NOW),
    wait: (ms: number) => void (now += ms),
  };
}

/** A record in which every app was seen to have `value`. */
async function recordOf({ open }: ReturnType<typeof fleet>, count: number, value: unknown): Promise<string | undefined> {
  const first = open();
  for (const id of ids(count)) first.saw(id, 'configVars', value, true);
  return first.body();
}

describe('an app that was seen to have what it should', () => {
  test('is not asked again while it is not released, but for a sample of ten and one in a thousand', async () => {
    const world = fleet(3000);
    const record = await recordOf(world, 3000, 'v');
    const again = world.open(record);
    expect(ids(3000).filter((id) => !again.has(id, 'configVars', 'v'))).toHaveLength(13);
  });

  test('is asked when it was released, when something else is wanted of it, and when nothing is known', async () => {
    const world = fleet(20);
    const record = await recordOf(world, 20, 'v');
    const among = world.open(record);
    const id = ids(20).find((one) => among.has(one, 'configVars', 'v')) as string;
    expect(among.has(id, 'configVars', 'other')).toBe(false);
    expect(among.has(id, 'buildpacks', 'v')).toBe(false);
    expect(among.has('unknown', 'configVars', 'v')).toBe(false);
    expect(among.has(undefined, 'configVars', 'v')).toBe(false);
    world.release(id, '2026-03-01T10:00:00Z');
    const no = new Trust(() => {});
    no.sample(10_000);
    expect(world.open(record, no).has(id, 'configVars', 'v')).toBe(false);
  });

  test('is sampled by how long ago that was', async () => {
    const world = fleet(12);
    const record = JSON.parse((await recordOf(world, 12, 'v')) as string) as { apps: Record<string, { at: string }> };
    for (const [id, entry] of Object.entries(record.apps)) entry.at = id === 'id-3' || id === 'id-5' ? '2026-03-01T00:00:00Z' : LONG_AGO;
    const again = world.open(JSON.stringify(record));
    expect(ids(12).filter((id) => again.has(id, 'configVars', 'v'))).toEqual(['id-3', 'id-5']);
  });
});

test('a list of some minutes ago is trusted when it was made again, by what it says now', async () => {
  const world = fleet(20);
  const record = await recordOf(world, 20, 'v');
  const again = world.open(record);
  const [first, second] = ids(20).filter((id) => again.has(id, 'configVars', 'v')) as [string, string];
  world.wait(300_000);
  expect(again.has(first, 'configVars', 'v')).toBe(false);
  world.release(first, '2026-03-01T12:01:00Z');
  await again.renew();
  expect([first, second].map((id) => again.has(id, 'configVars', 'v'))).toEqual([false, true]);
});

test('a record that is opened late is no younger for it', async () => {
  const world = fleet(20);
  const record = await recordOf(world, 20, 'v');
  world.wait(300_000);
  expect(world.open(record).trusted).toBe(false);
});

test('of one whose release command may still run nothing is kept', async () => {
  const world = fleet(1);
  world.release('id-0', '2026-03-01T11:30:00Z');
  const seen = world.open();
  seen.saw('id-0', 'configVars', 'v', true);
  expect(await seen.body()).toBeUndefined();
});

describe('one that was written', () => {
  test('is known from its release on', async () => {
    const world = fleet(1);
    const writing = world.open();
    writing.gave('id-0', 'v', '2026-03-01T11:59:00Z');
    world.release('id-0', '2026-03-01T11:59:00Z');
    const trust = new Trust(() => {});
    expect(trust.sample(10)).toBe(10);
    expect(world.open(await writing.body(), trust).has('id-0', 'configVars', 'v')).toBe(true);
  });

  test('is not where another was released since', async () => {
    const world = fleet(1);
    const writing = world.open();
    writing.gave('id-0', 'v', '2026-03-01T11:59:00Z');
    world.release('id-0', '2026-03-01T11:59:01Z');
    expect(await writing.body()).toBeUndefined();
  });
});

test('one that changed without a release ends all trust, and is said once', async () => {
  const world = fleet(30);
  const again = world.open(await recordOf(world, 30, 'v'));
  expect(again.has('id-29', 'configVars', 'v')).toBe(true);
  again.saw('id-0', 'configVars', 'v', false);
  again.saw('id-1', 'configVars', 'v', false);
  expect(world.said).toEqual(['id-0']);
  expect(again.has('id-29', 'configVars', 'v')).toBe(false);
  expect(JSON.parse((await again.body()) as string)).toEqual({ version: 1, apps: {} });
});

test.each([undefined, '', 'no JSON', '[]', '{"version":2,"apps":{}}', '{"version":1,"apps":{"id-0":{"configVars":1}}}'])(
  'what is no record counts as none: %s',
  (body) => {
    expect(fleet(1).open(body).has('id-0', 'configVars', 'v')).toBe(false);
  },
);
