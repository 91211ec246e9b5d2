import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import { TAGS, type Access, type Acl } from '../../lib/contract/index.js';
import { aclsByBucket, formerAcls, renderFormerAcls, type FormerUser } from '../../lib/deploy/former-acls.plan.js';

const config = parseConfig(`
buckets:
  common: { account: "111122223333", region: us-east-1, name: common-bucket }
teams:
  bills:
    bucket: { account: "111122223333", region: us-east-1, name: bills-bucket, acl: private }
    apps: { bills-app: { mode: upload } }
  maps: { bucket: { existing: maps-bucket, account: "111122223333", region: us-east-1 }, apps: { maps-app: { mode: upload } } }
signing: { buildpack: "https://example.com/sigv4.tgz" }
`);
const user = (team: string, bucket: string, acl: Acl, access: Access = 'upload'): FormerUser => ({
  name: `halcyon.team.${team}.${access}.abcdef`,
  path: `/halcyon/${access}/${team}/`,
  tags: { [TAGS.bucket]: bucket, [TAGS.acl]: acl },
});

test('a bucket accepts what principals of an earlier file upload with, of whatever team', () => {
  const former = formerAcls(config, [user('bills', 'bills-bucket', 'public-read'), user('gone', 'common-bucket', 'private')]);
  expect(former).toEqual([
    { bucket: 'common-bucket', acl: 'private', users: [{ name: 'halcyon.team.gone.upload.abcdef', team: 'gone' }] },
    { bucket: 'bills-bucket', acl: 'public-read', users: [{ name: 'halcyon.team.bills.upload.abcdef', team: 'bills' }] },
  ]);
  expect([...aclsByBucket(former)]).toEqual([
    ['common-bucket', ['private']],
    ['bills-bucket', ['public-read']],
  ]);
  expect(renderFormerAcls(former)[0]).toBe(
    'bucket common-bucket goes on accepting uploads with ACL private, which builds that run may still carry, until halcyon.team.gone.upload.abcdef has retired; run "halcyon-kit up gone" then to close it',
  );
});

test.each([
  ['that carries the same', user('bills', 'bills-bucket', 'private')],
  ['that only reads', user('bills', 'bills-bucket', 'public-read', 'read-only')],
  ['of another bucket', user('bills', 'former-bucket', 'public-read')],
  ['of a bucket that is not ours to change', user('maps', 'maps-bucket', 'private')],
  ['of someone else', { ...user('bills', 'bills-bucket', 'public-read'), path: '/halcyon/' }],
  ['without tags', { ...user('bills', 'bills-bucket', 'public-read'), tags: {} }],
])('not by a principal %s', (_which, one) => {
  expect(formerAcls(config, [one])).toEqual([]);
});
