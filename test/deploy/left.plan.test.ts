import { describe, expect, test } from 'vitest';
import { inWords, namesLeft, stacksIn, teamLeft, teamsIn, type Left } from '../../lib/deploy/left.plan.js';
import { retaining } from '../../lib/deploy/retain.client.js';
import { exampleConfig } from '../support/config.js';

const config = exampleConfig();
const left = (more: Partial<Left>): Left => ({ account: '111122223333', teams: [], stacks: [], buckets: [], ...more });
const reach = { bucketName: 'common', region: 'us-east-1', prefix: 'old', acl: 'private' } as const;

describe('what a file has in an account', () => {
  test.each([
    ['halcyon-payments', 'eu-west-1', true],
    ['halcyon-payments', 'us-east-1', false],
    ['halcyon-bucket-common', 'us-east-1', true],
    ['halcyon-buildpack', 'sa-east-1', true],
    ['halcyon-other', 'eu-west-1', false],
  ])('stack %s in %s: %s', (name, region, there) => {
    expect(stacksIn(config, '111122223333')(name, region)).toBe(there);
  });

  test('a team that is in another account now is left over in this one', () => {
    expect([...teamsIn(config, '444455556666')]).toEqual([]);
    const [first, ...others] = config.teams;
    const renamed = { ...config, teams: [{ ...first!, was: 'pay' }, ...others] };
    expect(stacksIn(renamed, '111122223333')('halcyon-pay', 'eu-west-1')).toBe(true);
    expect([...teamsIn(renamed, '111122223333')]).toEqual(['payments', 'pay', 'search']);
  });
});

describe('a left-over team', () => {
  test('is taken down by the storage of its own, else by what its users or its stack name', () => {
    const stack = { name: 'halcyon-old', region: 'eu-west-3', team: 'old', bucketName: 'of-the-stack' };
    const bucket = { name: 'its-own', region: 'eu-west-2', team: 'old' };
    const users = { team: 'old', users: ['halcyon.team.old.upload.abcdef'], reach };
    expect(teamLeft('old', left({ stacks: [stack], teams: [users], buckets: [bucket] })).bucket).toMatchObject({
      ...{ kind: 'own', spec: { name: 'its-own', region: 'eu-west-2', account: '111122223333', retention: { retain: true } } },
    });
    expect(teamLeft('old', left({ stacks: [stack], teams: [users] })).bucket).toMatchObject({
      ...{ kind: 'existing', prefix: 'old', spec: { name: 'common', region: 'us-east-1', acl: 'private' } },
    });
    expect(teamLeft('old', left({ stacks: [stack] })).bucket).toMatchObject({ kind: 'existing', spec: { name: 'of-the-stack' } });
    expect(teamLeft('old', left({}))).toMatchObject({ name: 'old', apps: [] });
    expect(namesLeft(left({ stacks: [stack], teams: [users], buckets: [bucket] }))).toEqual(['old']);
  });

  test('is said with what mends it; a bucket of a team that the file has is not that command’s', () => {
    const buckets = [
      { name: 'a', region: 'eu-west-1', team: 'old' },
      { name: 'b', region: 'eu-west-1' },
    ];
    expect(inWords(left({ buckets })).map(({ fix }) => fix)).toEqual([
      'where nobody needs its packages, nor the journal of runs in it, run halcyon-kit down old --delete-bucket',
      'where nobody needs its packages, nor the journal of runs in it, run aws s3 rb s3://b --force',
    ]);
  });
});

describe('a template that lets go of its bucket', () => {
  const bucket = { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'b', Tags: [{ Key: 'a', Value: 'b' }] } };
  const user = { Type: 'AWS::IAM::User' };

  test('keeps it, by a policy and a change beside it; others stay as they are', () => {
    expect(retaining({ Resources: { bucket, user } })).toEqual({
      Resources: {
        bucket: {
          ...{ Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' },
          Properties: {
            BucketName: 'b',
            Tags: [
              { Key: 'a', Value: 'b' },
              { Key: 'halcyon:retained', Value: 'true' },
            ],
          },
        },
        user,
      },
    });
  });

  test('is as it should be where it has none, or keeps it already', () => {
    expect(retaining({ Resources: { user } })).toBeUndefined();
    expect(retaining({ Resources: { bucket: { ...bucket, DeletionPolicy: 'RetainExceptOnCreate' } } })).toBeUndefined();
  });
});
