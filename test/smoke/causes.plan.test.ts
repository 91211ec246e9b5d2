import { describe, expect, test } from 'vitest';
import { causesOf, type Symptoms } from '../../lib/smoke/causes.plan.js';
import { parseBuildLog } from '../../lib/smoke/log.js';
import { attemptProof, attempts } from '../../lib/smoke/requests.plan.js';

const list = attempts({ access: 'upload', acl: 'private', run: 'halcyon-smoke-abcdefgh', others: [] });
const right = {
  allowed: 'done',
  denied: '403 (forbidden)',
  absent: '404 (not found)',
  refused: '403 (forbidden)',
  'no request': 'no request',
};
const good = 'External storage:   private\nSource hash:  1234567\nApp deployed:  x-1.0\n';

/** Symptoms of a run in which `outcome` came of what `operation` should be allowed. */
function symptoms(changes: { outcome?: string; log?: string; status?: 'failed'; release?: 'failed' } & Partial<Symptoms>): Symptoms {
  const { outcome, log = good, status = 'succeeded', release = 'succeeded', ...more } = changes;
  const tried = list.map((attempt) => ({ attempt, outcome: (attempt.expected === 'allowed' && outcome) || right[attempt.expected] }));
  return {
    proofs: [
      ...tried.map(({ attempt, outcome: said }) => attemptProof(attempt, said)),
      { proof: 'x', expected: 'a', observed: 'b', ok: outcome !== undefined },
    ],
    signing: 4,
    privateStorage: true,
    builds: [{ build: { id: 'b', status }, release: { version: 1, status: release }, log: parseBuildLog(log) }],
    attempts: tried,
    refusals: [],
    dynoStatus: 0,
    ...more,
  };
}
const codes = (seen: Symptoms) => causesOf(seen).map(({ code }) => code);

describe('causesOf', () => {
  test('nothing wrong, no cause', () => {
    expect(causesOf({ ...symptoms({}), proofs: [{ proof: 'x', expected: 'a', observed: 'a', ok: true }] })).toEqual([]);
  });

  test.each([
    ['SigV2 leaves the dyno', symptoms({ outcome: '400 (bad request)' }), 'not-re-signed'],
    ['no TLS on the dyno', symptoms({ outcome: '000 (unknown)' }), 's3-unreachable'],
    ['403 on the dyno only', symptoms({ outcome: '403 (forbidden)' }), 'refused-there-only'],
    ['storage not found', symptoms({ log: 'External storage:   public\n' }), 'storage-not-found'],
    ['storage found in mode public', symptoms({ privateStorage: false, attempts: [] }), 'storage-found'],
    ['no Halcyon', symptoms({ log: 'Node.js app detected\n' }), 'no-haskell-on-heroku'],
    ['buildpack only', symptoms({ log: `${good}   *** ERROR: Deploying buildpack only\n` }), 'dependencies-missing'],
    ['upload fails the build', symptoms({ status: 'failed', log: `${good}   *** ERROR: Failed to upload cached file\n` }), 'upload-failed'],
    ['release command', symptoms({ release: 'failed' }), 'release-failed'],
    ['build', symptoms({ status: 'failed' }), 'build-failed'],
    ['slug without functions', symptoms({ dynoStatus: 90 }), 'no-functions'],
    ['dyno gone', symptoms({ dynoStatus: undefined }), 'dyno-silent'],
    [
      'page',
      symptoms({ proofs: [{ proof: 'page shows the nonce', expected: 'found', observed: 'status 503', ok: false, about: 'page' }] }),
      'page-not-served',
    ],
    [
      'hash',
      symptoms({
        proofs: [{ proof: 'build computes the source hash foreseen', expected: 'a', observed: 'b', ok: false, about: 'source' }],
      }),
      'source-changed',
    ],
  ])('%s', (_, seen, code) => expect(codes(seen)).toContain(code));

  test('a key that may too much', () => {
    const tried = list.map((attempt) => ({ attempt, outcome: attempt.expected === 'denied' ? 'done' : right[attempt.expected] }));
    expect(codes(symptoms({ attempts: tried }))).toContain('policy-too-wide');
  });

  test("S3's own words come first, and stand in for guesses", () => {
    const refusal = { kind: 'acl-refused', message: 'm', fix: 'f', looksLike: 'l', transient: false } as const;
    expect(codes(symptoms({ outcome: '400 (bad request)', refusals: [refusal] }))).toEqual(['acl-refused']);
  });
});
