import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { desiredConfigVars } from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { preflight } from '../../lib/heroku/preflight.js';
import { syncApps } from '../../lib/heroku/sync.js';
import type { WireAnswer, WireRequest } from '../../lib/heroku/wire.js';
import { silentIo } from '../../lib/io/io-host.js';
import type { Team } from '../../lib/config/model.js';

/** Ten thousand apps by the real client and limiter, against a Heroku of this process and by a clock of its own: hours pass in seconds. */
const simulated = vi.hoisted(() => ({
  pause: (_ms: number): Promise<void> => Promise.resolve(),
  exchange: (_: unknown): Promise<unknown> => Promise.resolve(),
}));
vi.mock('../../lib/heroku/pause.js', async (original) => ({ ...(await original<object>()), pause: (ms: number) => simulated.pause(ms) }));
vi.mock('../../lib/heroku/wire.js', async (original) => ({
  ...(await original<object>()),
  exchange: (request: unknown) => simulated.exchange(request),
}));
afterEach(() => vi.restoreAllMocks());

/** Heroku's: 4,500 an hour, and as many at once at most. */
const RATE = 4500 / 3_600_000;
const LATENCY = 300;

class Clock {
  now = Date.parse('2026-01-01T00:00:00Z');
  #sleeping: Array<{ readonly at: number; readonly wake: () => void }> = [];

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleeping.push({ at: this.now + ms, wake }));
  }

  /** Time goes on only when everybody waits for it. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const ended = () => (over = true);
    work.then(ended, ended);
    while (!over) {
      await setImmediate();
      const at = Math.min(...this.#sleeping.map((one) => one.at));
      if (at === Infinity) continue;
      this.now = Math.max(this.now, at);
      const due = this.#sleeping.filter((one) => one.at <= at);
      this.#sleeping = this.#sleeping.filter((one) => one.at > at);
      for (const { wake } of due) wake();
    }
    return work;
  }
}

/** @param lump - its budget is refilled by so many ms' worth at a time. @param full - what it has to begin with. */
function simulate(clock: Clock, { apps, lump, full }: { readonly apps: number; readonly lump: number; readonly full: number }) {
  const began = clock.now;
  const counts = { calls: 0, limited: 0 };
  let spent = 0;
  const vars = new Map<string, Record<string, string>>();
  const versions = new Map<string, number>();
  const app = (name: string) => ({
    id: `id-${name}`,
    name,
    generation: { name: 'cedar' },
    stack: { name: 'heroku-24' },
    created_at: new Date(0).toISOString(),
  });
  const names = Array.from({ length: apps }, (_, n) => `app-${String(n).padStart(5, '0')}`);
  const answers = ({ method, path, body, range }: WireRequest): readonly [unknown, nextRange?: string] => {
    if (path === '/apps') {
      const from = /name \]?([^.]*)\.\./.exec(range ?? '')?.[1] ?? '';
      const page = names.filter((name) => (range?.includes(']') ? name > from : name >= from)).slice(0, 1000);
      return [page.map(app), page.length === 1000 ? `name ]${page.at(-1)}..; max=1000` : undefined];
    }
    const [, , name = '', what] = path.split('/');
    if (what === 'config-vars' && method === 'PATCH') {
      vars.set(name, { ...vars.get(name), ...(body as Record<string, string>) });
      versions.set(name, (versions.get(name) ?? 0) + 1);
    }
    if (what === 'config-vars') return [vars.get(name) ?? {}];
    const at = new Date(clock.now).toISOString();
    const description = `Set ${Object.keys(vars.get(name) ?? {}).join(', ')} config vars`;
    return [[{ id: `r-${name}`, version: versions.get(name) ?? 0, status: 'succeeded', description, created_at: at, updated_at: at }]];
  };
  vi.spyOn(Date, 'now').mockImplementation(() => clock.now);
  simulated.pause = (ms) => clock.sleep(ms);
  simulated.exchange = async (asked): Promise<WireAnswer> => {
    await clock.sleep(LATENCY / 2);
    const earned = Math.floor((clock.now - began) / lump) * lump * RATE;
    const left = Math.floor(Math.min(4500, full + earned - spent));
    counts.calls += 1;
    if (left >= 1) spent += 1;
    else counts.limited += 1;
    await clock.sleep(LATENCY / 2);
    if (left < 1) return { status: 429, headers: {}, text: '{}' };
    const [value, nextRange] = answers(asked as WireRequest);
    const headers = { 'ratelimit-remaining': String(left - 1), ...(nextRange ? { 'next-range': nextRange } : {}) };
    return { status: 200, headers, text: JSON.stringify(value) };
  };
  return { counts, names, vars };
}

test.each([
  ['evenly', { apps: 10_000, lump: 1, full: 100 }],
  ['once a minute', { apps: 1000, lump: 60_000, full: 100 }],
  ['from a full budget on', { apps: 4000, lump: 1, full: 4500 }],
])('refilled %s, no request is refused, and little time is lost', async (_, budget) => {
  const clock = new Clock();
  const { counts, names, vars } = simulate(clock, budget);
  const began = clock.now;
  const heroku = createHeroku({
    token: 'canary',
    network: { time: { now: () => clock.now, asked: () => () => {} }, reached: new Set(), agents: async () => ({}) } as never,
  });
  const desired = desiredConfigVars({ mode: 'public' });
  const team = { name: 'all', heroku: {}, apps: names.map((name) => ({ name })) } as unknown as Team;
  await clock.run(
    (async () => {
      expect((await preflight(heroku, [team])).apps.size).toBe(budget.apps);
      for (const app of names.slice(0, 100)) await heroku.configVars(app);
      const writes = names.map((app) => ({
        app,
        desired: { ...desired, HALCYON_S3_ACL: 'private' },
        changes: ['HALCYON_S3_ACL'] as const,
      }));
      const reports = await syncApps(heroku, writes as never, { io: silentIo });
      expect(reports.filter(({ ok }) => !ok)).toEqual([]);
    })(),
  );
  expect(vars.size).toBe(budget.apps);
  expect(counts.limited).toBe(0);
  expect(counts.calls).toBeGreaterThan(2 * budget.apps);
  expect(clock.now - began).toBeLessThanOrEqual((1.05 * counts.calls) / RATE);
});
