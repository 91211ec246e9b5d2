import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { lastProof, provenAfter, renderDue, renderHeld, toProve, unprovenModes, withoutProof, withReports } from '../../lib/cli/proven.js';
import type { Session } from '../../lib/cli/session.js';
import { parseConfig } from '../../lib/config/index.js';
import { hostedUrl } from '../../lib/contract/hosted.js';
import type { TeamResult } from '../../lib/engine/model.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import type { SmokeReport } from '../../lib/smoke/report.js';

const s3 = mockClient(S3Client);
beforeEach(() => void s3.reset());
afterAll(() => s3.restore());

/** A proof holds as long as all that it rests on is there: each of these, changed alone, ends it. */
const file = (change: { prefix?: string; acl?: string; url?: string } = {}) =>
  parseConfig(`
teams:
  payments:
    bucket: { account: '111122223333', region: eu-west-1, acl: ${change.acl ?? 'bucket-owner-full-control'}${change.prefix ? `, prefix: ${change.prefix}` : ''} }
    apps: { builder: { mode: upload }, api: { mode: read-only }, lab: { mode: public } }
signing: { version: 4, buildpack: hosted }
${change.url === undefined ? '' : `buildpack: { url: '${change.url}' }`}
`);

const DAY = 24 * 3_600_000;
const AT = Date.parse('2026-11-29T12:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();
const URL_OF = (version: string) => hostedUrl('https://s3.eu-west-1.amazonaws.com', 'b', version.repeat(64));
const HOH = 'https://github.com/mietek/haskell-on-heroku';
const KEYS: Readonly<Record<string, string>> = { builder: 'AKIAUPLOAD', api: 'AKIAREADONLY' };
const config = file();
const team = (of = config) => of.teams[0]!;
const means = { config, buildpackUrl: URL_OF('a'), stamp: '1' };

const report = (
  mode: SmokeReport['mode'],
  app: string,
  { ok = true, keyId = KEYS[app], buildpacks = [URL_OF('a'), HOH] }: { ok?: boolean; keyId?: string; buildpacks?: string[] } = {},
): SmokeReport => ({
  ...{ team: 'payments', mode, access: mode === 'public' ? undefined : mode, app, ok, proofs: [], causes: [] },
  evidence: {
    ...{ smokeApp: '', stack: '', platform: '', buildpacks, signing: 4, keyId, builds: [], dyno: [], leftovers: [] },
    ...{ startedAt: iso(AT), finishedAt: iso(AT + 60_000) },
  },
});
const ALL = [report('upload', 'builder'), report('read-only', 'api'), report('public', 'lab')];
const proofOf = (modes: ReturnType<typeof withReports>) => ({ at: iso(AT), ok: true, modes });
const now = { at: AT + DAY, proof: proofOf(withReports(means, team(), ALL, {})), keyOf: (app: string) => KEYS[app] };
const EVERY_MODE = ['upload', 'read-only', 'public'];

describe('what holds', () => {
  test('what was proven, and is as it was, is not proven again', () => {
    expect(unprovenModes(means, team(), now)).toEqual({ due: [], held: [iso(AT), iso(AT), iso(AT)] });
  });

  const cases: Array<[string, Partial<typeof means>, Partial<Omit<typeof now, 'proof'>> & { proof?: undefined }]> = [
    ['no proof', {}, { proof: undefined }],
    ['a week', {}, { at: AT + 7 * DAY }],
    ['a stack that was changed since', { stamp: '2' }, {}],
    ['another SigV4 buildpack', { buildpackUrl: URL_OF('b') }, {}],
    ['another prefix', { config: file({ prefix: 'other' }) }, {}],
    ['another ACL', { config: file({ acl: 'private' }) }, {}],
    ['another haskell-on-heroku', { config: file({ url: 'https://github.com/other/haskell-on-heroku' }) }, {}],
  ];
  test.each(cases)('%s: every mode with a key is proven again', (_, other, changed) => {
    const of = { ...means, ...other };
    expect(unprovenModes(of, team(of.config), { ...now, ...changed }).due).toEqual(expect.arrayContaining(['upload', 'read-only']));
  });

  test('nothing, while a stack is not there or is being changed', () => {
    const { stamp: _, ...unknown } = means;
    const modes = withReports(unknown, team(), ALL, {});
    for (const [of, proof] of [
      [unknown, now.proof],
      [unknown, proofOf(modes)],
      [means, proofOf(modes)],
    ] as const)
      expect(unprovenModes(of, team(), { ...now, proof }).due).toEqual(EVERY_MODE);
  });

  test('another key, or a mode that is new: that mode alone', () => {
    expect(unprovenModes(means, team(), { ...now, keyOf: (app) => (app === 'api' ? 'AKIANEW' : KEYS[app]) }).due).toEqual(['read-only']);
    const proof = proofOf(withReports(means, team(), ALL.slice(1), {}));
    expect(unprovenModes(means, team(), { ...now, proof }).due).toEqual(['upload']);
  });
});

describe('what smoke deploys show', () => {
  test('is of their own modes; one that failed, or that was only begun, leaves no proof', () => {
    const { modes } = now.proof;
    const due = (after: typeof modes) => unprovenModes(means, team(), { ...now, proof: proofOf(after) }).due;
    const failed = withReports(means, team(), [report('upload', 'builder', { ok: false })], modes);
    expect([due(failed), failed.upload, failed['upload upload']?.ok]).toEqual([['upload'], undefined, false]);
    expect(due(withReports(means, team(), [ALL[0]!], failed))).toEqual([]);
    expect(due(withoutProof(modes, [{ mode: 'read-only', access: 'read-only' }]))).toEqual(['read-only']);
  });

  test('is no proof of a buildpack that the app did not have', () => {
    const old = report('upload', 'builder', { buildpacks: [URL_OF('b'), HOH] });
    expect(unprovenModes(means, team(), { ...now, proof: proofOf(withReports(means, team(), [old, ...ALL.slice(1)], {})) }).due).toEqual([
      'upload',
    ]);
  });

  test('on another app with a key of its own is no proof for the first', () => {
    const other = report('upload', 'builder', { keyId: 'AKIAOTHER' });
    expect(unprovenModes(means, team(), { ...now, proof: proofOf(withReports(means, team(), [other], now.proof.modes)) }).due).toEqual([
      'upload',
    ]);
  });

  test('is kept of modes in use alone', () => {
    expect(Object.keys(withReports(means, team(), ALL, { 'upload append-only': { at: iso(0), ok: false } }))).toEqual([
      'upload upload',
      'read-only read-only',
      'public',
    ]);
  });
});

describe('up', () => {
  const stack = { stack: 'halcyon-payments', changes: [] };
  const seen = {
    team: 'payments',
    observation: {
      apps: Object.keys(KEYS).map((name) => ({ name, user: name })),
      principals: Object.entries(KEYS).map(([user, current]) => ({ user, current })),
    },
    plan: { steps: [] },
  };
  const sessionOf = (refused: string[] = []) => {
    const body = JSON.stringify(now.proof);
    s3.on(GetObjectCommand).resolves({ Body: { transformToString: async () => body } as never, ETag: 'e', LastModified: new Date(AT) });
    return {
      ...{ config, teams: config.teams, concurrency: 5, network: { ...networkOf({}), time: { now: () => AT + DAY } } },
      aws: (region: string) => createAws({ region }),
      refused: refused.map((app) => ({ app })),
      host: { io: silentIo },
    } as unknown as Session;
  };
  const ask = (
    change: { stacks?: unknown[]; plan?: unknown; observation?: unknown; again?: boolean; refused?: string[]; status?: string } = {},
  ) => {
    const session = sessionOf(change.refused);
    const state = { exists: true, status: change.status ?? 'UPDATE_COMPLETE', changedAt: new Date(1000) };
    const teams = [
      { ...seen, ...(change.plan ? { plan: change.plan } : {}), ...(change.observation ? { observation: change.observation } : {}) },
    ];
    return toProve(
      session,
      { stacks: (change.stacks ?? [stack]) as never, teams: teams as never },
      {
        ...{ deployer: { stateOf: () => state }, buildpackUrl: URL_OF('a'), again: change.again },
      },
    );
  };
  // The team's stack, and the buildpack's.
  const STAMP = '1,1';
  beforeEach(() => void Object.assign(now.proof, proofOf(withReports({ ...means, stamp: STAMP }, team(), ALL, {}))));

  test('builds nothing where all holds, and says since when', async () => {
    expect(await ask()).toEqual({ due: [], held: [{ team: 'payments', at: iso(AT) }] });
  });

  test.each([
    ['it is asked to', { again: true }],
    ['a key is to be made current', { plan: { steps: [{ kind: 'promote' }] } }],
    ['a stack is to be changed', { stacks: [{ ...stack, changes: [{}] }] }],
    ['a stack is being changed', { status: 'UPDATE_IN_PROGRESS' }],
  ])('proves every mode where %s', async (_, change) => {
    expect(await ask(change)).toEqual({ due: [{ team: 'payments', modes: EVERY_MODE }], held: [] });
  });

  test('proves the mode whose key another has turned', async () => {
    const principals = [
      { user: 'builder', current: 'AKIAUPLOAD' },
      { user: 'api', current: 'AKIATURNED' },
    ];
    expect(await ask({ observation: { ...seen.observation, principals } })).toMatchObject({ due: [{ modes: ['read-only'] }], held: [] });
  });

  test('is what status tells, too: modes that a proof holds for no more', async () => {
    const stateOf = () => ({ exists: true, status: 'UPDATE_COMPLETE', changedAt: new Date(1000) });
    const look = (principals: unknown[]) =>
      lastProof(sessionOf(), team(), { observation: { ...seen.observation, principals } as never, buildpackUrl: URL_OF('a'), stateOf });
    expect(await look(seen.observation.principals)).toEqual({ at: iso(AT), ok: true });
    expect(await look([{ user: 'builder', current: 'AKIAUPLOAD' }])).toEqual({ at: iso(AT), ok: true, due: ['read-only'] });
  });

  test('tells of no proof where no app can be worked on', async () => {
    expect(await ask({ refused: ['builder', 'api', 'lab'] })).toEqual({ due: [], held: [] });
  });

  test('afterwards of teams that came through, and again of those whose key turned on the way', () => {
    const proofs = {
      due: [{ team: 'gone', modes: ['upload' as const] }],
      held: ['payments', 'gone'].map((name) => ({ team: name, at: iso(AT) })),
    };
    const outcome = (step: string) => [{ team: 'payments', evidence: [{ step }] }] as unknown as TeamResult[];
    expect(provenAfter(proofs, config.teams, outcome('verify'))).toEqual({ due: [], held: [{ team: 'payments', at: iso(AT) }] });
    expect(provenAfter(proofs, config.teams, outcome('promote'))).toEqual({ due: [{ team: 'payments', modes: EVERY_MODE }], held: [] });
  });
});

test('what is due, and what holds, is a sentence each, whatever the number of teams', () => {
  const both = ['upload', 'read-only'] as const;
  const due = [
    { team: 'payments', modes: both },
    { team: 'search', modes: both },
    { team: 'web', modes: ['public'] as const },
  ];
  expect(renderDue({ due, held: [] })).toEqual([
    'Builds on short-lived apps will prove payments, search (upload, read-only); web (public).',
  ]);
  expect(renderDue({ due: [], held: [] })).toEqual([]);
  const held = ['a', 'b', 'c', 'd', 'e'].map((name, day) => ({ team: name, at: iso(AT - day * DAY) }));
  expect(renderHeld({ due: [], held }, AT)).toEqual([
    'a, b, c and 2 more: proven, the first 4 d ago; nothing that the kit sees of it has changed; --smoke proves it again',
  ]);
  expect(renderHeld({ due, held: [] }, AT)).toEqual([]);
});
