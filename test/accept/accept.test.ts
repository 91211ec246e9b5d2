import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ASK } from '../../accept/ask.client.js';
import { costOf, expensesOf, minutesOf, refuseOver } from '../../accept/cost.plan.js';
import { configOf, EDITS, expiryOf, fleetOf, groundOf, isMadeFor, namesOf, newRunId, runOfApp } from '../../accept/fleet.plan.js';
import { acceptPage } from '../../accept/page.plan.js';
import { PROBES } from '../../accept/probes.plan.js';
import { proofOf, type AcceptReport } from '../../accept/run.js';
import { principalsOf } from '../../lib/config/derive.js';
import { accessOf } from '../../lib/contract/index.js';
import { registerSecret } from '../../lib/io/redaction.js';
import { probesPage } from '../../script/probes.js';

const place = { account: '111122223333', region: 'ap-southeast-1', herokuTeam: 'acme' };
const expires = new Date('2026-11-24T12:00:00Z');
const id = newRunId(expires, 46_655);
const names = namesOf(id, place);

describe('a run is told by its names', () => {
  test('its id says until when its things may stay', () => {
    expect(id).toMatch(/^[0-9a-z]{5}zzz$/);
    expect(expiryOf(id)).toEqual(expires);
    expect(newRunId(expires, 0)).not.toBe(id);
  });

  test('its ground and its apps are found again, and nobody else’s', () => {
    expect(groundOf(names.ground, place.account)).toEqual({ id, region: place.region });
    expect(groundOf(names.ground, '999999999999')).toBeUndefined();
    expect(groundOf(`halcyon-${names.own}-${place.account}-${place.region}`, place.account)).toBeUndefined();
    expect(names.ground.length).toBeLessThanOrEqual(63);
    expect(names.app('probe').length).toBeLessThanOrEqual(30);
    expect(runOfApp(names.app('probe'))).toBe(id);
    for (const app of ['payments-api', `halcyon-accept-${id}`, 'halcyon-accept-short-up']) expect(runOfApp(app)).toBeUndefined();
  });

  test('what is only called so, and was made at another time, is no run’s', () => {
    const before = (minutes: number) => new Date(expires.getTime() - minutes * 60_000);
    expect([before(1), before(60), before(3000), before(-1)].map((made) => isMadeFor(id, made))).toEqual([true, true, false, false]);
    // A team may be called accept-abcdefgh, and its bucket then looks like a ground.
    expect(isMadeFor('abcdefgh', new Date())).toBe(false);
  });
});

describe('the fleet', () => {
  const teams = configOf(fleetOf(id, place, 'hosted')).teams;

  test('has every mode and access, a bucket of its own and a shared one, the Heroku team, and tags of run and expiry', () => {
    const apps = teams.flatMap((team) => team.apps);
    expect(new Set(apps.map(({ mode, clean }) => accessOf(mode, clean) ?? 'public'))).toEqual(
      new Set(['upload', 'read-only', 'append-only', 'public']),
    );
    expect(teams.map(({ bucket }) => bucket?.kind)).toEqual(['own', 'shared']);
    for (const team of teams) {
      expect(team.heroku.team).toBe('acme');
      expect(team.tags).toEqual({ 'accept-run': id, 'accept-expires': expires.toISOString() });
    }
    expect(teams.flatMap(principalsOf)).toHaveLength(3);
  });

  test('is of a deployment of its own, in each of its files, so that pruning takes down nothing else', () => {
    const file = fleetOf(id, place, 'hosted');
    for (const { apply } of [{ apply: () => {} }, ...EDITS]) {
      apply(file, names);
      expect(configOf(file).deployment).toBe(`accept-${id}`);
    }
  });

  test('each edit leaves a file that is valid and says something else', () => {
    const file = fleetOf(id, place, 'hosted');
    let before = JSON.stringify(configOf(file));
    for (const { apply } of EDITS) {
      apply(file, names);
      const after = JSON.stringify(configOf(file));
      expect(after).not.toBe(before);
      before = after;
    }
  });
});

describe('what it costs', () => {
  test('half an hour is within the default budget, a day is not', () => {
    refuseOver('1usd', costOf(expensesOf(30)));
    expect(() => refuseOver('1usd', costOf(expensesOf(1440)))).toThrow(expect.objectContaining({ code: 'budget-exceeded' }));
    expect(() => refuseOver('1', 0)).toThrow(expect.objectContaining({ code: 'budget-invalid' }));
  });

  test.each(['0', '1441', '30m', '-1', ''])('%j is no number of minutes', (text) => {
    expect(() => minutesOf(text)).toThrow(expect.objectContaining({ code: 'minutes-invalid' }));
  });
});

describe('probes', () => {
  test('at least twenty, each with a question of its own, an answer, a source, and a way of asking', () => {
    const probes = Object.values(PROBES);
    expect(probes.length).toBeGreaterThanOrEqual(20);
    for (const { question, assumed, source } of probes) expect([question, assumed, source]).not.toContain('');
    expect(new Set(probes.map(({ question }) => question)).size).toBe(probes.length);
    expect(Object.keys(ASK)).toEqual(Object.keys(PROBES));
  });

  test('docs/probes.md is what `npm run probes` makes', async () => {
    expect(readFileSync(fileURLToPath(new URL('../../docs/probes.md', import.meta.url)), 'utf8')).toBe(await probesPage());
  });
});

describe('the page', () => {
  const report = (proofs: AcceptReport['stages'][number]['proofs'], ok = true): AcceptReport => ({
    run: id,
    version: '0.1.0',
    account: place.account,
    region: place.region,
    operator: 'arn:aws:iam::111122223333:user/ann',
    startedAt: '2026-11-24T11:00:00.000Z',
    finishedAt: '2026-11-24T11:05:00.000Z',
    stages: [{ title: 'Up', seconds: 3, proofs }],
    ok,
  });

  test('stands alone: no script, nothing fetched, nothing taken for markup', () => {
    const page = acceptPage(report([proofOf('<script>alert(1)</script>', 'a & b', 'a & b')]));
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\bsrc=|\bhref=/);
  });

  test('has no secret, whatever is in the report', () => {
    registerSecret('canary-secret-of-a-page');
    const page = acceptPage(report([proofOf('a proof', 'yes', 'canary-secret-of-a-page')], false));
    expect(page).not.toContain('canary-secret');
    expect(page).toContain('0 of 1 proofs hold');
  });
});
