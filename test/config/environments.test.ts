import { describe, expect, test } from 'vitest';
import { teamNamed } from '../../lib/config/index.js';
import { buildpackEnvironments, hasStack } from '../../lib/config/environments.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

const payments = (text = EXAMPLE) => teamNamed(exampleConfig(text), 'payments');

describe('hasStack', () => {
  const apps = (text: string) => `teams:\n  payments:\n${text}    apps: { payments-lab: { mode: public } }\n`;

  test.each([
    ['without a bucket', '', false],
    ['with a bucket of its own, which must not go', '    bucket: { account: "111122223333", region: eu-west-1 }\n', true],
    ['with a bucket that existed before', '    bucket: { existing: packages, account: "111122223333", region: eu-west-1 }\n', false],
  ])('public apps only, %s', (_what, bucket, expected) => {
    expect(hasStack(payments(apps(bucket)))).toBe(expected);
  });
});

describe('buildpackEnvironments', () => {
  const withSigning = (signing: string) => exampleConfig(EXAMPLE.replace(/signing: .*\n/, `signing: ${signing}\n`));
  const TWO = EXAMPLE.replace('{ account: "111122223333", region: eu-west-1,', '{ account: "444455556666", region: eu-west-1,');

  test('beside the first bucket of the file', () => {
    expect(buildpackEnvironments(exampleConfig())).toEqual([{ account: '111122223333', region: 'us-east-1' }]);
    const config = exampleConfig();
    expect(buildpackEnvironments({ ...config, buckets: [], teams: [payments()] })).toEqual([
      { account: '111122223333', region: 'eu-west-1' },
    ]);
    expect(buildpackEnvironments({ ...config, buckets: [], teams: [] })).toEqual([]);
  });

  test('where it is already, whatever bucket comes first; else where the file says', () => {
    const at = (signing: string, homes?: Record<string, string[]>) =>
      buildpackEnvironments({ ...withSigning(signing), ...(homes ? { buildpackHomes: homes } : {}) }).map(({ region }) => region);
    expect(at('{}', { '111122223333': ['eu-north-1', 'us-west-2'] })).toEqual(['eu-north-1']);
    expect(at('{}', { '111122223333': [] })).toEqual(['us-east-1']);
    expect(at('{}', { '444455556666': ['eu-north-1'] })).toEqual(['us-east-1']);
    expect(at('{ region: sa-east-1 }', { '111122223333': ['eu-north-1'] })).toEqual(['sa-east-1']);
  });

  test('in each account, beside the first bucket there', () => {
    const config = exampleConfig(TWO);
    const [first, second] = [
      { account: '444455556666', region: 'eu-west-1' },
      { account: '111122223333', region: 'us-east-1' },
    ];
    expect(buildpackEnvironments(config)).toEqual([second, first]);
    expect(buildpackEnvironments(config, [teamNamed(config, 'payments')])).toEqual([first]);
    expect(buildpackEnvironments(config, [teamNamed(config, 'search')])).toEqual([second]);
  });

  test('nowhere when it is published elsewhere, or not used', () => {
    expect(buildpackEnvironments(withSigning('{ version: 4, buildpack: "https://example.com/sigv4.tgz" }'))).toEqual([]);
    expect(buildpackEnvironments(withSigning('{ version: 2, acknowledgeV2: true }'))).toEqual([]);
  });
});
