import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { driftOf, stageOf } from '../../lib/cli/glance.js';
import { renderGlance } from '../../lib/commands/status.js';
import { metricsOf } from '../../lib/cli/metrics.js';
import { requireShape } from '../support/outputs.js';
import { AT, fleetGlance } from '../support/fleet.js';

const glance = fleetGlance(100);
const of = (name: string) => glance.findings.filter((finding) => finding.name === name);

test('what needs attention comes first and says what mends it, without a look deeper than every command takes', () => {
  expect(glance.findings.map(({ severity }) => severity)).toEqual(
    [...glance.findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)).map(({ severity }) => severity),
  );
  expect(of('key-leaked')[0]).toMatchObject({
    severity: 'broken',
    fix: expect.stringMatching(/halcyon-kit rotate team-3 --emergency AKIA/),
  });
  expect(of('config-vars-differ')).toMatchObject([{ subject: 'app t2-app-1', fix: 'run halcyon-kit sync team-2' }]);
  expect(of('app-not-found')).toHaveLength(1);
  expect(of('bucket-left')).toHaveLength(1);
  expect(of('app-left')).toMatchObject([
    { severity: 'warning', subject: 'app t4-former', fix: expect.stringContaining('plan team-4 --prune') },
  ]);
  expect(of('key-soaking')[0]).toMatchObject({
    message: expect.stringMatching(/soaks until 2026-11-29 00:00 UTC$/),
    fix: 'then: halcyon-kit rotate team-1 --finish',
  });
  requireShape(['status', '--json'], JSON.parse(JSON.stringify(glance)));
});
const ORDER = ['broken', 'warning', 'info'];

test('ten thousand apps are a line a team on a terminal, findings first, and all of them with --verbose', () => {
  const fleet = fleetGlance(10_000);
  // Some places take colours, and others none.
  const plain = (...of: Parameters<typeof renderGlance>) => stripVTControlCharacters(renderGlance(...of));
  const text = plain(fleet);
  expect(text).toMatch(/^✘ /);
  expect(text.indexOf('halcyon-kit sync team-2')).toBeLessThan(text.indexOf('bucket  '));
  expect(text).toMatch(/^team-2 +UPDATE_COMPLETE +halcyon-team-2-\S+ +20 +1 +2 +/m);
  expect(text).not.toContain('t0-app-0 ');
  expect(text.split('\n').length).toBeLessThan(3.1 * fleet.teams.length);
  expect(plain(fleetGlance(200), true)).toMatch(/t9-app-19 .*as in the file/);
  expect(plain(fleetGlance(5))).toMatch(/t0-app-1 .*as in the file/);
  const few = fleetGlance(5);
  expect(plain(few)).toMatch(/^halcyon-team-0-\S+ +eu-west-1 +111122223333 +own +team-0 +\d+ \([\d.]+ [MG]B\) +\d+ \([\d.]+ [MG]B\)$/m);
  expect(plain({ ...few, packages: undefined })).not.toContain('asked for by no app');
  expect(plain({ ...few, packages: few.packages?.map((one) => ({ ...one, kinds: [], unknown: ['there is no bucket'] })) })).toMatch(
    /^halcyon-team-0-.* - +- *$[^]*^note: there is no bucket$/m,
  );
});

test('findings are one line only where what they say is true of each of them', () => {
  const finding = (subject: string, message: string) =>
    ({
      severity: 'broken',
      name: 'config-vars-differ',
      subject: `app ${subject}`,
      message,
      fix: 'run halcyon-kit sync team',
      looksLike: '',
    }) as const;
  const findings = [
    finding('one', 'A is "1", should be unset'),
    finding('two', 'B is missing'),
    finding('three', 'A is "1", should be unset'),
    finding('four', 'it holds key AKIAONE'),
    finding('five', 'it holds key AKIATWO'),
  ];
  const text = stripVTControlCharacters(renderGlance({ ...glance, findings, buckets: [], teams: [], packages: undefined }));
  expect(text.match(/^✘ .*/gm)).toEqual([
    '✘ app one, app three: A is "1", should be unset',
    '✘ app two: B is missing',
    '✘ app four, app five: it holds key …',
  ]);
});

test('an app drifts by its key as well', () => {
  const { observation } = glance.teams[0]!;
  const [app] = observation.apps;
  expect(driftOf(app!, observation)).toEqual([]);
  expect(driftOf({ ...app!, vars: { ...app!.vars, HALCYON_AWS_ACCESS_KEY_ID: 'AKIAOTHER' } }, observation)).toEqual([
    'HALCYON_AWS_ACCESS_KEY_ID',
  ]);
});

test('of a principal that others succeeded no key is current', () => {
  const principal = glance.teams[0]!.observation.principals[0]!;
  const key = principal.keys.find(({ id }) => id === principal.current)!;
  expect([true, false].map((declared) => stageOf({ ...principal, declared }, key))).toEqual(['current', 'old']);
});

test('metrics are text that Prometheus reads, and tell ages, what is due, soaks, drift, findings and proofs', () => {
  const text = metricsOf(glance);
  expect(text.endsWith('\n')).toBe(true);
  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(# (HELP|TYPE) halcyon_\w+ .+|halcyon_\w+(\{\w+="(?:[^"\\\n]|\\["\\n])*"(,\w+="(?:[^"\\\n]|\\["\\n])*")*\})? -?\d+(\.\d+)?)$/,
    );
  const value = (start: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(start))
        ?.split(' ')
        .at(-1),
    );
  expect(value('halcyon_status_timestamp_seconds')).toBe(Date.parse(AT) / 1000);
  expect(value('halcyon_key_age_seconds{team="team-1",')).toBe(7 * 86_400);
  expect(value('halcyon_key_due_seconds{team="team-1",')).toBe(83 * 86_400);
  expect(value('halcyon_key_soak_left_seconds{team="team-1",')).toBe(43_200);
  expect(value('halcyon_apps{team="team-2",state="drifted"}')).toBe(1);
  expect(value('halcyon_apps{team="team-2",state="current"}')).toBe(19);
  expect(value('halcyon_findings{severity="broken",finding="config-vars-differ"}')).toBe(1);
  expect(value('halcyon_last_proof_ok{team="team-3"}')).toBe(0);
  expect(value('halcyon_last_proof_timestamp_seconds{team="team-0"}')).toBe(Date.parse(AT) / 1000 - 2 * 86_400);
  expect(text.match(/^# TYPE/gm)?.length).toBe(new Set(text.match(/^# TYPE \S+/gm)).size);
});

test('a label cannot leave its line', () => {
  const [team] = glance.teams;
  const odd = metricsOf({ ...glance, findings: [], teams: [{ ...team!, team: 'a"b\\c\nhalcyon_x 1' }] });
  expect(odd).toContain('team="a\\"b\\\\c\\nhalcyon_x 1"');
  expect(odd).not.toMatch(/^halcyon_x/m);
  expect(odd).toContain('halcyon_findings{severity="broken",finding="none"} 0');
});
