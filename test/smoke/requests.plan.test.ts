import { describe, expect, test } from 'vitest';
import type { Access } from '../../lib/contract/index.js';
import { attemptProof, attempts, plantedKeys, runPrefixes, type Attempt, type Scope } from '../../lib/smoke/requests.plan.js';

const scope = (access: Access, prefix?: string, others: string[] = []): Scope => ({
  access,
  acl: 'bucket-owner-full-control',
  run: 'halcyon-smoke-abcdefgh',
  others,
  ...(prefix ? { prefix } : {}),
});
const table = (list: Attempt[]) => list.map(({ operation, key, expected }) => `${operation} ${key} ${expected}`);

describe('attempts', () => {
  test.each([
    ['read-only', 'denied', 'denied', 'no request', 'no request'],
    ['append-only', 'allowed', 'denied', 'allowed', 'no request'],
    ['upload', 'allowed', 'allowed', 'allowed', 'allowed'],
  ] as const)('%s: upload %s, delete %s; Halcyon itself: archiving %s, cleaning %s', (access, put, del, archive, clean) => {
    const list = attempts(scope(access));
    expect(table(list)).toEqual([
      'get halcyon-smoke-abcdefgh/present allowed',
      'get halcyon-smoke-abcdefgh/missing absent',
      'list halcyon-smoke-abcdefgh/ allowed',
      `put halcyon-smoke-abcdefgh/uploaded ${put}`,
      'put halcyon-smoke-abcdefgh/other-acl refused',
      `archive halcyon-smoke-abcdefgh/archived ${archive}`,
      'put .halcyon-kit/smoke/halcyon-smoke-abcdefgh/uploaded denied',
      'delete .halcyon-kit/smoke/halcyon-smoke-abcdefgh/present denied',
      `clean halcyon-smoke-abcdefgh/archived ${clean}`,
      `delete halcyon-smoke-abcdefgh/kept ${del}`,
    ]);
  });

  test('with a prefix, everything beside it is denied, neighbours too', () => {
    const list = attempts(scope('upload', 'search', ['ads']));
    const outside = list.filter(({ key }) => !key.startsWith('search/'));
    expect(outside).toHaveLength(7);
    expect(new Set(outside.map(({ expected }) => expected))).toEqual(new Set(['denied']));
  });

  test("only the app's own uploads take the app's ACL: a denial elsewhere must be no matter of the ACL", () => {
    const own = attempts(scope('upload', 'search', ['ads'])).filter(({ aclOfApp }) => aclOfApp);
    expect(table(own)).toEqual([
      'put search/halcyon-smoke-abcdefgh/uploaded allowed',
      'archive search/halcyon-smoke-abcdefgh/archived allowed',
    ]);
  });

  test.each(['bucket-owner-full-control', 'private', 'public-read'] as const)('the other ACL is never %s nor public', (acl) => {
    const other = attempts({ ...scope('upload'), acl }).find(({ expected }) => expected === 'refused');
    expect(other?.acl).not.toBe(acl);
    expect(other?.acl).not.toBe('public-read');
  });

  test('whatever they touch, or should not, is under a prefix that is removed', () => {
    const all = scope('upload', 'search', ['ads']);
    for (const key of [...attempts(all).map(({ key }) => key), ...plantedKeys(all)]) {
      expect(runPrefixes(all).some((prefix) => key.startsWith(prefix))).toBe(true);
    }
  });
});

describe('attemptProof', () => {
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
    ['no request', 'no request', true],
    ['no request', '403 (forbidden)', false],
    ['no request', 'done', false],
    ['no request', 'no answer, status 127', false],
    ['allowed', 'no request', false],
  ] as const)('%s, observed "%s": %s', (expected, outcome, ok) => {
    expect(attemptProof(attempt(expected), outcome).ok).toBe(ok);
  });

  test('what was not tried is not proven', () => {
    for (const expected of ['allowed', 'denied', 'absent', 'refused', 'no request'] as const)
      expect(attemptProof(attempt(expected), undefined).ok).toBe(false);
  });
});
