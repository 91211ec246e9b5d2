import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { policies } from '../../lib/commands/policy.js';
import { parseConfig } from '../../lib/config/index.js';
import { boundaryPolicy, MAX_MANAGED_POLICY, operatorPolicy } from '../../lib/constructs/operator-policy.js';
import { policySize, type PolicyDocumentJson } from '../../lib/constructs/policies.js';
import { operatorPolicyText } from '../../script/operator-policy.js';
import { buildApp } from '../../lib/stacks/app.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

const file = (region: string, more = '') => `teams:
  payments:
    bucket: { account: "111122223333", region: ${region}, name: acme-packages }
    apps: { payments-api: { mode: read-only }, payments-builder: { mode: upload } }
  search:
    bucket: { existing: was-there, account: "111122223333", region: ${region}, prefix: search }
    apps: { search-web: { mode: upload } }
${more}signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`;
const printed = (what: string, region: string, more?: string, partition?: string) =>
  policies(what, parseConfig(file(region, more)), partition) as PolicyDocumentJson;
const statement = ({ Statement }: PolicyDocumentJson, sid: string) => Statement.find(({ Sid }) => Sid === sid);

describe('with former files', () => {
  const key = (n: number) => `arn:aws:kms:eu-west-1:111122223333:key/0000000${n}-0000-4000-8000-000000000000`;
  const now = parseConfig(file('eu-west-1').replace('name: acme-packages', `name: acme-new, kmsKeyArn: "${key(2)}"`));
  const before = parseConfig(file('eu-west-1').replace('name: acme-packages', `name: acme-packages, kmsKeyArn: "${key(1)}"`));

  test.each(['boundary', 'operator'])('the %s covers what builds of before may still use', (what) => {
    const text = JSON.stringify(policies(what, now, undefined, [before]));
    for (const one of ['acme-new', 'acme-packages', key(1), key(2)]) expect(text).toContain(one);
    expect(JSON.stringify(policies(what, now))).not.toMatch(new RegExp(`acme-packages|${key(1)}`));
  });
});

describe('policy operator', () => {
  test.each([
    ['eu-west-1', 'aws'],
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('in %s names resources of %s only', (region, partition) => {
    const arns = JSON.stringify(printed('operator', region)).match(/arn:[a-z-]+:/g) ?? [];
    expect([...new Set(arns)]).toEqual([`arn:${partition}:`]);
  });

  test('of a file in two partitions is asked for by name', () => {
    const two = file('eu-west-1').replace('region: eu-west-1, prefix', 'region: cn-north-1, prefix');
    expect(() => policies('operator', parseConfig(two))).toThrow(expect.objectContaining({ code: 'partition-missing' }));
    expect(JSON.stringify(policies('operator', parseConfig(two), 'aws-cn'))).not.toMatch(/arn:aws:|acme-packages/);
  });

  test('makes users within the boundary only', () => {
    const bounded = statement(printed('operator', 'eu-west-1', 'permissionsBoundary: acme-limit\n'), 'BoundedUsers');
    expect(bounded?.Action).toEqual(['iam:CreateUser', 'iam:DeleteUserPolicy', 'iam:PutUserPermissionsBoundary', 'iam:PutUserPolicy']);
    expect(bounded?.Condition).toEqual({ ArnLike: { 'iam:PermissionsBoundary': ['arn:aws:iam::111122223333:policy/acme-limit'] } });
    const others = printed('operator', 'eu-west-1').Statement.filter(({ Sid, Effect }) => Effect === 'Allow' && Sid !== 'BoundedUsers');
    expect(
      others.flatMap(({ Action = [] }) => Action).filter((action) => /iam:.*(Policy|Boundary|CreateUser|Role|Group)$/.test(action)),
    ).toEqual(['iam:GetUserPolicy', 'iam:ListEntitiesForPolicy']);
  });

  test('leaves a bucket that was there before as it is', () => {
    const policy = printed('operator', 'eu-west-1');
    expect(statement(policy, 'Buckets')?.Resource).toContain('arn:aws:s3:::acme-packages/*');
    expect(statement(policy, 'Buckets')?.Resource).not.toContain('arn:aws:s3:::was-there');
    expect(statement(policy, 'ExistingBuckets')?.Resource).toEqual(['arn:aws:s3:::was-there', 'arn:aws:s3:::was-there/*']);
    expect(statement(policy, 'ExistingBuckets')?.Action?.filter((action) => /:(Create|PutBucket|DeleteBucket)/.test(action))).toEqual([]);
  });

  test('fits a managed policy, and so does the boundary, with five buckets and keys of the longest names', () => {
    const names = Array.from({ length: 5 }, (_, n) => `${n}`.padEnd(63, 'b'));
    const kmsKeyArns = names.map(() => 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-11111111222233334444555555555555');
    const scope = {
      partition: 'aws-us-gov',
      accounts: ['111122223333'],
      boundary: 'b'.repeat(128),
      existing: [],
      made: names,
      kmsKeyArns,
      topics: [],
    };
    expect(policySize(operatorPolicy(scope))).toBeLessThanOrEqual(MAX_MANAGED_POLICY);
    expect(policySize(boundaryPolicy(scope))).toBeLessThanOrEqual(MAX_MANAGED_POLICY);
  });

  test('is what docs/operator-policy.json holds (npm run operator-policy)', async () => {
    expect(readFileSync(new URL('../../docs/operator-policy.json', import.meta.url), 'utf8')).toBe(await operatorPolicyText());
  });
});

test('a mode: its users, or none; a team: its users and its bucket; another word: which teams there are', () => {
  expect(printed('public', 'eu-west-1')).toEqual({});
  expect(Object.keys(printed('upload', 'eu-west-1'))).toEqual(['payments/upload', 'search/upload']);
  expect(Object.keys(printed('payments', 'eu-west-1'))).toEqual(['payments/read-only', 'payments/upload', 'bucket acme-packages']);
  expect(() => printed('paymnets', 'eu-west-1')).toThrow(expect.objectContaining({ code: 'team-not-found' }));
});

test('every user of a file with a boundary is made with it', () => {
  const boundaries = (text: string) =>
    buildApp(exampleConfig(text))
      .synth()
      .stacks.flatMap(({ template }) =>
        Object.values(template.Resources as Record<string, { Type: string; Properties: { PermissionsBoundary?: unknown } }>),
      )
      .filter(({ Type }) => Type === 'AWS::IAM::User')
      .map(({ Properties }) => JSON.stringify(Properties.PermissionsBoundary));
  const bounded = boundaries(`${EXAMPLE}permissionsBoundary: acme-limit\n`);
  expect(bounded).toHaveLength(4);
  for (const one of bounded) expect(one).toMatch(/:iam::.*:policy\/acme-limit/);
  expect(boundaries(EXAMPLE)).toEqual([undefined, undefined, undefined, undefined]);
});
