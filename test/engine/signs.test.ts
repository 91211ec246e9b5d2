import { describe, expect, test } from 'vitest';
import { flightOf, keyReleaseOf, mayChangeKey } from '../../lib/engine/ports/heroku-apps.client.js';
import { inWords } from '../../lib/engine/clock.js';
import { isAmbiguous, failure } from '../../lib/aws/failure.js';
import { formatIntention, keyMemory, parseIntention, staleTags } from '../../lib/engine/tags.js';
import { fingerprint, Vault } from '../../lib/engine/run/vault.js';
import type { Release } from '../../lib/heroku/heroku.js';
import { redact } from '../../lib/io/redaction.js';

const release = (version: number, description: string, more: Partial<Release> = {}): Release => ({
  id: `r${version}`,
  version,
  status: 'succeeded',
  current: false,
  description,
  createdAt: `2026-01-01T00:00:${String(version).padStart(2, '0')}Z`,
  updatedAt: `2026-01-01T00:01:${String(version).padStart(2, '0')}Z`,
  ...more,
});

describe('which release may have changed the key', () => {
  test.each<[string, boolean]>([
    ['Set HALCYON_AWS_ACCESS_KEY_ID, HALCYON_AWS_SECRET_ACCESS_KEY config vars', true],
    ['Remove HALCYON_AWS_ACCESS_KEY_ID config vars', true],
    ['Rollback to v12', true],
    ['Promote other-app v3 1a2b3c4d', true],
    ['Set A, B, … config vars', true],
    ['something nobody has seen', true],
    ['Set DATABASE_URL config vars', false],
    ['Set A, B config vars', false],
    ['Remove A config var', false],
    ['Deploy 1a2b3c4d', false],
    ['Initial release', false],
  ])('%s: %s', (description, expected) => expect(mayChangeKey(description)).toBe(expected));

  test('the newest such, dated by its end', () => {
    const releases = [release(9, 'Deploy 12345678'), release(8, 'Rollback to v3'), release(7, 'Set HALCYON_AWS_ACCESS_KEY_ID config vars')];
    expect(keyReleaseOf(releases)).toEqual({ version: 8, at: '2026-01-01T00:01:08Z' });
  });
  test('none at all, or older than all that were asked for', () => {
    expect(keyReleaseOf([release(1, 'Initial release')])).toBeUndefined();
    const many = Array.from({ length: 100 }, (_, n) =>
      release(100 - n, 'Deploy 12345678', { createdAt: `t${200 - n}`, updatedAt: `t${200 - n}` }),
    );
    expect(keyReleaseOf(many)).toEqual({ version: 1, at: 't101' });
  });
  test('only what runs counts: pending builds, and one-off dynos that are up', () => {
    const at = '2026-01-01T00:00:00Z';
    const builds = [
      { id: 'b1', status: 'pending' as const, createdAt: at, updatedAt: at },
      { id: 'b2', status: 'failed' as const, createdAt: at, updatedAt: '2026-01-01T00:05:00Z' },
    ];
    const dyno = { id: 'd', state: 'up', releaseVersion: 3, createdAt: at, command: '' };
    const dynos = [
      { ...dyno, name: 'web.1', type: 'web' },
      { ...dyno, name: 'run.1', type: 'run' },
      { ...dyno, name: 'run.2', type: 'run', state: 'crashed' },
    ];
    expect(flightOf([release(4, 'Rollback to v1')], builds, dynos)).toEqual({
      unsettled: false,
      keyRelease: { version: 4, at: '2026-01-01T00:01:04Z' },
      running: [
        { kind: 'build', id: 'b1', startedAt: at },
        { kind: 'dyno', id: 'run.1', startedAt: at, release: 3 },
      ],
      lastEnded: '2026-01-01T00:05:00Z',
    });
  });
});

describe('tags', () => {
  const at = '2026-01-01T00:00:00.000Z';
  test.each([[[]], [['AKIA1']], [['AKIA1', 'AKIA2']]])('an intention is read as it was written, before %j', (before) => {
    const text = formatIntention({ at, by: 'ann b@laptop', before });
    expect(text).toMatch(/^[\w .:/=+@-]{1,256}$/);
    expect(parseIntention(text)).toEqual({ at, by: 'ann-b@laptop', before });
  });
  test.each([undefined, '', 'yesterday by me before', 'x'])('no intention: %j', (text) => expect(parseIntention(text)).toBeUndefined());
  test('what is remembered of a key, and what is about keys that are gone', () => {
    const tags = {
      'halcyon:inactive-since:A': at,
      'halcyon:refused:A': `revoked ${at}`,
      'halcyon:refused:B': 'nonsense',
      'halcyon:team': 'x',
    };
    expect(keyMemory(tags, 'A')).toEqual({ inactiveSince: at, refused: 'revoked' });
    expect(keyMemory(tags, 'B')).toEqual({});
    expect(staleTags(tags, ['A'])).toEqual(['halcyon:refused:B']);
  });
});

test('a vault never shows what it holds', () => {
  const vault = new Vault();
  vault.put('AKIA', 'a-very-secret-secret');
  expect(JSON.stringify({ vault, again: [vault] })).not.toContain('secret-secret');
  expect(redact('it is a-very-secret-secret')).toBe('it is [redacted]');
  expect(vault.fingerprintOf('AKIA')).toBe(fingerprint('a-very-secret-secret'));
  expect(fingerprint('a-very-secret-secret')).toMatch(/^sha256:[0-9a-f]{12}$/);
});

test.each([
  [0, '0 s'],
  [90_000, '90 s'],
  [120_000, '2 min'],
  [3_600_000, '1 h'],
  [86_400_000, '1 d'],
  [90 * 86_400_000, '90 d'],
])('%d ms is %s', (ms, words) => expect(inWords(ms)).toBe(words));

test.each<[object, boolean, string]>([
  [{ name: 'Error', code: 'ECONNRESET', message: 'reset' }, true, 'aws-unavailable'],
  [{ name: 'TimeoutError', message: 'slow' }, true, 'aws-unavailable'],
  [{ name: 'SomethingFailed', message: 'x', $metadata: { httpStatusCode: 503 } }, true, 'aws-unavailable'],
  [{ name: 'NoSuchEntityException', message: 'gone', $metadata: { httpStatusCode: 404 } }, false, 'state-changed'],
  [{ name: 'AccessDenied', message: 'no', $metadata: { httpStatusCode: 403 } }, false, 'aws-denied'],
])('an AWS error %j', (error, ambiguous, code) => {
  expect(isAmbiguous(error)).toBe(ambiguous);
  expect(failure(error, 'do it').code).toBe(code);
});
