import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { proofOf, renderDue, renderHeld, unprovenModes } from '../../lib/cli/proven.js';
import { parseConfig } from '../../lib/config/index.js';
import type { SmokeReport } from '../../lib/smoke/report.js';

/** A proof holds as long as all that it rests on is there: each of these, changed alone, ends it. */
const file = (change: { prefix?: string; lab?: string; acl?: string; url?: string } = {}) =>
  parseConfig(`
teams:
  payments:
    bucket: { account: '111122223333', region: eu-west-1, acl: ${change.acl ?? 'bucket-owner-full-control'}${change.prefix ? `, prefix: ${change.prefix}` : ''} }
    apps: { builder: { mode: upload }, api: { mode: read-only }, lab: { mode: ${change.lab ?? 'public'} } }
signing: { version: 4, buildpack: hosted }
${change.url === undefined ? '' : `buildpack: { url: '${change.url}' }`}
`);

const DAY = 24 * 3_600_000;
const AT = Date.parse('2026-11-29T12:00:00Z');
const KEYS: Readonly<Record<string, string>> = { builder: 'AKIAUPLOAD', api: 'AKIAREADONLY' };
const config = file();
const team = (of = config) => of.teams[0]!;

const report = (mode: SmokeReport['mode'], access: SmokeReport['access'], keyId: string | undefined, ok = true): SmokeReport => ({
  ...{ team: 'payments', mode, access, app: '', ok, proofs: [], causes: [] },
  evidence: {
    ...{ smokeApp: '', stack: '', platform: '', buildpacks: [], signing: 4, keyId, builds: [], dyno: [], leftovers: [] },
    ...{ startedAt: new Date(AT).toISOString(), finishedAt: new Date(AT + 60_000).toISOString() },
  },
});
const ALL = [
  report('upload', 'upload', 'AKIAUPLOAD'),
  report('read-only', 'read-only', 'AKIAREADONLY'),
  report('public', undefined, undefined),
];
const proof = proofOf({ config, buildpackUrl: 'https://a' }, team(), ALL, AT + 120_000);
const now = { proof, keyOf: (app: string) => KEYS[app], changedAt: [new Date(AT - DAY)] };

test('what was proven, and is as it was, is not proven again', () => {
  expect(proof.ok).toBe(true);
  expect(unprovenModes({ config, buildpackUrl: 'https://a' }, team(), now)).toEqual([]);
});

test.each([
  ['no proof', {}, { proof: undefined }],
  ['a stack that was changed since', {}, { changedAt: [new Date(AT - DAY), new Date(AT + 1)] }],
  ['a stack that is changed by this run', {}, { changedAt: [undefined] }],
  ['another bucket prefix', { of: file({ prefix: 'other' }) }, {}],
  ['another ACL', { of: file({ acl: 'private' }) }, {}],
  ['another SigV4 buildpack', { buildpackUrl: 'https://b' }, {}],
  ['another haskell-on-heroku', { of: file({ url: 'https://github.com/other/haskell-on-heroku' }) }, {}],
])(
  '%s: every mode with a key is proven again',
  (_, { of = config, buildpackUrl = 'https://a' }: { of?: typeof config; buildpackUrl?: string }, changed) => {
    expect(unprovenModes({ config: of, buildpackUrl }, team(of), { ...now, ...changed })).toEqual(
      expect.arrayContaining(['upload', 'read-only']),
    );
  },
);

test('another key, or a mode that is new: that mode alone', () => {
  const means = { config, buildpackUrl: 'https://a' };
  expect(unprovenModes(means, team(), { ...now, keyOf: (app) => (app === 'api' ? 'AKIANEW' : KEYS[app]) })).toEqual(['read-only']);
  const without = proofOf(means, team(), ALL.slice(1), AT);
  expect(unprovenModes(means, team(), { ...now, proof: without })).toEqual(['upload']);
});

test('a smoke deploy of one mode leaves the proofs of the others, and one that failed ends its own', () => {
  const means = { config, buildpackUrl: 'https://a' };
  const failed = proofOf(means, team(), [report('upload', 'upload', 'AKIAUPLOAD', false)], AT, proof);
  expect(failed.ok).toBe(false);
  expect(unprovenModes(means, team(), { ...now, proof: failed })).toEqual(['upload']);
  const mended = proofOf(means, team(), [ALL[0]!], AT, failed);
  expect(mended.ok).toBe(true);
  expect(unprovenModes(means, team(), { ...now, proof: mended })).toEqual([]);
});

test('what is due, and what holds, is a sentence each, whatever the number of teams', () => {
  const both = ['upload', 'read-only'] as const;
  const due = [
    { team: 'payments', modes: both },
    { team: 'search', modes: both },
    { team: 'web', modes: ['public'] as const },
  ];
  expect(renderDue({ due, held: [] }).map(stripVTControlCharacters)).toEqual([
    'Then builds on short-lived apps prove payments, search (upload, read-only); web (public).',
  ]);
  expect(renderDue(undefined)).toEqual([]);
  const held = ['a', 'b', 'c', 'd', 'e'].map((name, day) => ({ team: name, at: new Date(AT - day * DAY).toISOString() }));
  expect(renderHeld({ due: [], held }, AT)).toEqual([
    'a, b, c and 2 more: proven 4 d ago, or later, and what that rests on has not changed; --smoke proves it again',
  ]);
  expect(renderHeld({ due, held: [] }, AT)).toEqual([]);
});
