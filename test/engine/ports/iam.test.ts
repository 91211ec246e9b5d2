import { expect, test } from 'vitest';
import { userPolicy } from '../../../lib/constructs/policies.js';
import { TAGS } from '../../../lib/contract/index.js';
import { reachTagsIn } from '../../../lib/engine/ports/iam.client.js';

const policyOf = (more: object) =>
  JSON.stringify(
    userPolicy({
      ...{ partition: 'aws', bucketName: 'packages', bucketAccount: '111122223333', access: 'upload', acl: 'public-read' },
      ...{ region: 'eu-west-1', ...more },
    }),
  );
const place = { [TAGS.bucket]: 'packages', [TAGS.region]: 'eu-west-1' };

test.each([
  ['of a whole bucket', {}, { ...place, [TAGS.acl]: 'public-read' }],
  ['of a prefix', { prefix: 'ours/too' }, { ...place, [TAGS.acl]: 'public-read', [TAGS.prefix]: 'ours/too' }],
  ['of who only reads', { access: 'read-only' }, place],
  ['in China', { partition: 'aws-cn', region: 'cn-north-1' }, { ...place, [TAGS.region]: 'cn-north-1', [TAGS.acl]: 'public-read' }],
])('a policy tells the reach that its user has: %s', (_what, more, expected) => {
  expect(reachTagsIn(policyOf(more))).toEqual(expected);
});

test('a policy of another kind tells none', () => {
  expect(reachTagsIn('{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}')).toEqual({});
});
