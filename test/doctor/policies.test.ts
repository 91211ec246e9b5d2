import { describe, expect, test } from 'vitest';
import { bucketPolicy, userPolicy, type PolicyDocumentJson } from '../../lib/constructs/policies.js';
import { policyDrift } from '../../lib/doctor/policies.js';
import { listedTogether } from '../../lib/doctor/buckets.client.js';

const bucket = bucketPolicy({ partition: 'aws', bucketName: 'acme', signing: 4 });
const user = userPolicy({
  partition: 'aws',
  bucketName: 'acme',
  bucketAccount: '111122223333',
  access: 'upload',
  acl: 'private',
  region: 'eu-west-1',
});
const same = { missing: [], extra: [] };

describe('what makes no difference', () => {
  test.each([
    ['nothing', bucket, bucket],
    ['order of statements', { ...bucket, Statement: [...bucket.Statement].reverse() }, bucket],
    ['order of actions', { ...user, Statement: user.Statement.map((s) => ({ ...s, Action: [...(s.Action ?? [])].reverse() })) }, user],
    [
      'a list of one',
      { ...user, Statement: user.Statement.map((s) => ({ ...s, Action: s.Action?.length === 1 ? s.Action[0] : s.Action })) },
      user,
    ],
    ['how everyone is written', { ...bucket, Statement: bucket.Statement.map((s) => ({ ...s, Principal: { AWS: '*' } })) }, bucket],
    ['the policy’s id', { ...bucket, Id: 'x' }, bucket],
  ])('%s', (_, actual, expected) => expect(policyDrift(actual, expected)).toEqual(same));

  test('a single statement by itself', () => {
    const one: PolicyDocumentJson = { Version: '2012-10-17', Statement: [bucket.Statement[0]!] };
    expect(policyDrift({ Statement: bucket.Statement[0] }, one)).toEqual(same);
  });
});

describe('what makes one', () => {
  const changed = (change: object) => ({ ...user, Statement: [{ ...user.Statement[0], ...change }, ...user.Statement.slice(1)] });
  test.each([
    ['another effect', changed({ Effect: 'Deny' }), ['Allow s3:GetObject, s3:DeleteObject'], ['Deny s3:GetObject, s3:DeleteObject']],
    ['another action', changed({ Action: ['s3:*'] }), ['Allow s3:GetObject, s3:DeleteObject'], ['Allow s3:*']],
    ['another resource', changed({ Resource: ['*'] }), ['Allow s3:GetObject, s3:DeleteObject'], ['Allow s3:GetObject, s3:DeleteObject']],
    [
      'a condition less',
      changed({ Condition: undefined }),
      ['Allow s3:GetObject, s3:DeleteObject'],
      ['Allow s3:GetObject, s3:DeleteObject'],
    ],
    ['a statement less', { ...user, Statement: user.Statement.slice(1) }, ['Allow s3:GetObject, s3:DeleteObject'], []],
    ['no policy', null, user.Statement.map(({ Effect, Action }) => `${Effect} ${Action?.join(', ')}`), []],
  ])('%s', (_, actual, missing, extra) => expect(policyDrift(actual, user)).toEqual({ missing, extra }));

  test('statements go by their Sid where they have one', () => {
    expect(policyDrift({ ...bucket, Statement: bucket.Statement.slice(1) }, bucket).missing).toEqual(['DenyPlainHttp']);
  });
});

test.each([
  ['linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-abc1234-a-1.0.tar.gz', 'linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-'],
  ['team/x/linux/halcyon-cabal-1.20.tar.gz', 'team/x/linux/halcyon-cabal-'],
  ['a/b.txt', 'a/'],
  ['b.txt', ''],
])('%s is listed with %s', (key, prefix) => expect(listedTogether(key)).toBe(prefix));
