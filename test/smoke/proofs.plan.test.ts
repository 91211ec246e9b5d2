import { describe, expect, test } from 'vitest';
import type { Access } from '../../lib/contract/index.js';
import { attempts, judgeAttempt, plantedKeys, publicProofs, runPrefixes, type Attempt, type Ground } from '../../lib/smoke/proofs.plan.js';
import { parseBuildLog } from '../../lib/smoke/log.js';

const ground = (access: Access, prefix?: string, others: string[] = []): Ground => ({
  access,
  acl: 'bucket-owner-full-control',
  run: 'halcyon-smoke-abcdefgh',
  others,
  ...(prefix ? { prefix } : {}),
});
const table = (list: Attempt[]) => list.map(({ operation, key, expected }) => `${operation} ${key} ${expected}`);

describe('attempts', () => {
  test.each([
    ['read-only', 'denied', 'denied'],
    ['append-only', 'allowed', 'denied'],
    ['upload', 'allowed', 'allowed'],
  ] as const)('%s: upload %s, delete %s', (access, put, del) => {
    const list = attempts(ground(access));
    expect(table(list)).toEqual([
      'get halcyon-smoke-abcdefgh/present allowed',
      'get halcyon-smoke-abcdefgh/missing absent',
      'list halcyon-smoke-abcdefgh/ allowed',
      `put halcyon-smoke-abcdefgh/uploaded ${put}`,
      'put halcyon-smoke-abcdefgh/other-acl refused',
      'put .halcyon-kit/smoke/halcyon-smoke-abcdefgh/uploaded denied',
      'delete .halcyon-kit/smoke/halcyon-smoke-abcdefgh/present denied',
      `delete halcyon-smoke-abcdefgh/kept ${del}`,
    ]);
  });

  test('with a prefix, everything beside it is denied, neighbours too', () => {
    const list = attempts(ground('upload', 'search', ['ads']));
    const outside = list.filter(({ key }) => !key.startsWith('search/'));
    expect(outside).toHaveLength(7);
    expect(new Set(outside.map(({ expected }) => expected))).toEqual(new Set(['denied']));
  });

  test.each(['bucket-owner-full-control', 'private', 'public-read'] as const)('the other ACL is never %s nor public', (acl) => {
    const other = attempts({ ...ground('upload'), acl }).find(({ expected }) => expected === 'refused');
    expect(other?.acl).not.toBe(acl);
    expect(other?.acl).not.toBe('public-read');
  });

  test('whatever they touch, or should not, is under a prefix that is removed', () => {
    const all = ground('upload', 'search', ['ads']);
    for (const key of [...attempts(all).map(({ key }) => key), ...plantedKeys(all)]) {
      expect(runPrefixes(all).some((prefix) => key.startsWith(prefix))).toBe(true);
    }
  });
});

describe('judgeAttempt', () => {
  const attempt = (expected: Attempt['expected']): Attempt => ({ proof: 'x', operation: 'get', key: 'k', expected });
  test.each([
    ['allowed', 'done', true],
    ['allowed', '204 (no content)', true],
    ['allowed', '403 (forbidden)', false],
    ['allowed', '', false],
    ['denied', '403 (forbidden)', true],
    ['denied', 'done', false],
    ['denied', '404 (not found)', false],
    ['denied', '400 (bad request)', false],
    ['absent', '404 (not found)', true],
    ['absent', '403 (forbidden)', false],
    ['refused', '400 (bad request)', true],
    ['refused', '403 (forbidden)', true],
    ['refused', 'done', false],
  ] as const)('%s, observed "%s": %s', (expected, outcome, ok) => {
    expect(judgeAttempt(attempt(expected), outcome).ok).toBe(ok);
  });

  test('what was not tried is not proven', () => {
    for (const expected of ['allowed', 'denied', 'absent', 'refused'] as const)
      expect(judgeAttempt(attempt(expected), undefined).ok).toBe(false);
  });
});

test('publicProofs: a request to a private bucket is seen', () => {
  const log = parseBuildLog('       External storage:   public\n  Downloading s3://b/k... 404 (not found)\n');
  expect(publicProofs(log).map(({ ok }) => ok)).toEqual([true, false]);
});
