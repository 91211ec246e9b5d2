import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import {
  lastProof,
  provenAfter,
  renderDue,
  renderHeld,
  toProve,
  unprovenModes,
  withoutProof,
  withReports,
  type ToProve,
} from '../../lib/cli/proven.js';
import type { Session } from '../../lib/cli/session.js';
import { principalsOf } from '../../lib/config/derive.js';
import { parseConfig } from '../../lib/config/index.js';
import { hostedUrl } from '../../lib/contract/hosted.js';
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
const config = file();
const team = (of = config) => of.teams[0]!;
const means = { config, buildpackUrl: URL_OF('a'), stamp: '1' };

const report = (
  mode: SmokeReport['mode'],
  app: string,
  { ok = true, buildpacks = [URL_OF('a'), HOH] }: { ok?: boolean; buildpacks?: string[] } = {},
): SmokeReport => ({
  ...{ team: 'payments', mode, access: mode === 'public' ? undefined : mode, app, ok, proofs: [], causes: [] },
  evidence: {
    ...{ smokeApp: '', stack: '', platform: '', buildpacks, signing: 4, builds: [], dyno: [], leftovers: [] },
    ...{ startedAt: iso(AT), finishedAt: iso(AT + 60_000) },
  },
});
const ALL = [report('upload', 'builder'), report('read-only', 'api'), report('public', 'lab')];
const proofOf = (modes: ReturnType<typeof withReports>) => ({ at: iso(AT), ok: true, modes });
const now = { at: AT + DAY, proof: proofOf(withReports(means, team(), ALL, {})) };
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

  test('another user, or a mode that is new: that mode alone', () => {
    const other = {
      ...team(),
      principals: principalsOf(team()).map((one) => (one.access === 'read-only' ? { ...one, generation: 2 } : one)),
    };
    expect(unprovenModes(means, other, now).due).toEqual(['read-only']);
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
  const ask = (change: { stacks?: unknown[]; again?: boolean; refused?: string[]; status?: string } = {}) => {
    const session = sessionOf(change.refused);
    const state = { exists: true, status: change.status ?? 'UPDATE_COMPLETE', changedAt: new Date(1000) };
    return toProve(
      session,
      { stacks: (change.stacks ?? [stack]) as never },
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
    ['a stack is to be changed', { stacks: [{ ...stack, changes: [{}] }] }],
    ['a stack is being changed', { status: 'UPDATE_IN_PROGRESS' }],
  ])('proves every mode where %s', async (_, change) => {
    expect(await ask(change)).toEqual({ due: [{ team: 'payments', modes: EVERY_MODE }], held: [] });
  });

  test('is what status tells, too: modes that a proof holds for no more', async () => {
    const look = (seconds: number) => {
      const stateOf = () => ({ exists: true, status: 'UPDATE_COMPLETE', changedAt: new Date(1000 * seconds) });
      return lastProof(sessionOf(), team(), { buildpackUrl: URL_OF('a'), stateOf });
    };
    expect(await look(1)).toEqual({ at: iso(AT), ok: true });
    expect(await look(2)).toEqual({ at: iso(AT), ok: true, due: EVERY_MODE });
  });

  test('tells of no proof where no app can be worked on', async () => {
    expect(await ask({ refused: ['builder', 'api', 'lab'] })).toEqual({ due: [], held: [] });
  });

  test('afterwards speaks of teams that came through', () => {
    const both = <T extends object>(what: T) => ['payments', 'gone'].map((name) => ({ team: name, ...what }));
    const proofs = { due: both({ modes: ['upload' as const] }), held: both({ at: iso(AT) }) } satisfies ToProve;
    expect(provenAfter(proofs, config.teams)).toEqual({
      due: [{ team: 'payments', modes: ['upload'] }],
      held: [{ team: 'payments', at: iso(AT) }],
    });
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
