import { describe, expect, test } from 'vitest';
import { explainApp, mayOf, renderExplained, type Live } from '../../lib/cli/explain.plan.js';
import { storageOf } from '../../lib/config/derive.js';
import { ACCESSES, CONFIG_VAR_NAMES, desiredConfigVars, heldOf } from '../../lib/contract/index.js';
import { userPolicyOf } from '../../lib/constructs/file-policies.js';
import { exampleConfig } from '../support/config.js';

const config = exampleConfig();
const CANARY = 'CanarySecret0123456789abcdefghijklmnopqr';
const KEY = { accessKeyId: 'AKIAEXPLAIN000000001', secretAccessKey: CANARY };
const LINES: Record<string, number> = {
  'teams.payments.apps.payments-api.mode': 7,
  'buckets.common.region': 2,
  'teams.search.bucket.prefix': 10,
};
const of = (name: string, live?: Live) => {
  const team = config.teams.find(({ apps }) => apps.some((one) => one.name === name))!;
  const app = team.apps.find((one) => one.name === name)!;
  return { team, app, seen: explainApp(config, team, app, (path) => LINES[path.join('.')], live) };
};
const apps = config.teams.flatMap((team) => team.apps.map(({ name }) => name));
const found = (name: string, configVar: string, live?: Live) => of(name, live).seen.configVars.find((one) => one.name === configVar);

test.each(apps)('%s: every config var of ours, as it will be written, and where it is from', (name) => {
  const { team, app, seen } = of(name);
  const wanted = desiredConfigVars(storageOf(config, team, app));
  expect(seen.configVars.map((one) => one.name)).toEqual(CONFIG_VAR_NAMES);
  for (const one of seen.configVars) {
    if (one.value !== undefined) expect([one.name, one.value]).toEqual([one.name, wanted[one.name]]);
    expect([one.name, one.from.length > 0, one.means !== '']).toEqual([one.name, true, true]);
  }
});

test.each([
  ['payments-api', 'HALCYON_NO_UPLOAD', [{ setting: 'teams.payments.apps.payments-api.mode', line: 7 }]],
  ['payments-api', 'HALCYON_S3_BUCKET', [{ setting: 'teams.payments.bucket.name' }]],
  ['search-web', 'HALCYON_S3_BUCKET', [{ setting: 'buckets.common.name' }, { setting: 'teams.search.bucket.prefix', line: 10 }]],
  ['search-web', 'HALCYON_S3_REGION', [{ setting: 'signing.version' }, { setting: 'buckets.common.region', line: 2 }]],
  ['search-web', 'HALCYON_NO_CLEAN_PRIVATE_STORAGE', [{ setting: 'teams.search.apps.search-web.clean' }]],
])('%s: %s comes from there', (name, configVar, from) => {
  expect(found(name, configVar)?.from).toEqual(from);
});

test.each(ACCESSES)('all that the policy of %s allows is in words', (access) => {
  for (const { bucket } of config.teams) {
    const lines = mayOf(userPolicyOf(bucket!, access));
    expect(lines.join('\n')).not.toMatch(/s3:[A-Z*]|kms:|arn:/);
    expect(lines.some((line) => !line.startsWith('not:') && line.includes('delete'))).toBe(access === 'upload');
    expect(lines.some((line) => line.startsWith('upload'))).toBe(access !== 'read-only');
  }
});

describe('what the app has', () => {
  const { team, app } = of('payments-builder');
  const held = heldOf(desiredConfigVars(storageOf(config, team, app), KEY));

  test('is the same, secret and all, and no secret is said', () => {
    const { seen } = of('payments-builder', { held, key: KEY });
    expect(seen.configVars.map(({ live }) => live)).toEqual(CONFIG_VAR_NAMES.map(() => 'same'));
    expect(JSON.stringify(seen) + renderExplained(seen, [])).not.toContain(CANARY);
    expect(renderExplained(seen, [])).toContain(KEY.accessKeyId);
  });

  test('differs: the value is shown, of the secret only that it does', () => {
    const other = { ...held, HALCYON_S3_ACL: 'private', HALCYON_AWS_SECRET_ACCESS_KEY: `x${CANARY}`, HALCYON_NO_UPLOAD: '1' };
    const live = { held: other, key: KEY };
    expect(found('payments-builder', 'HALCYON_S3_ACL', live)).toMatchObject({ live: 'differs', has: 'private' });
    expect(found('payments-builder', 'HALCYON_NO_UPLOAD', live)).toMatchObject({ live: 'differs', has: '1', value: null });
    const secret = found('payments-builder', 'HALCYON_AWS_SECRET_ACCESS_KEY', live);
    expect([secret?.live, secret?.has, secret?.value]).toEqual(['differs', undefined, undefined]);
    const { seen } = of('payments-builder', live);
    expect(JSON.stringify(seen) + renderExplained(seen, [])).not.toContain(CANARY);
  });

  test('is not judged where nobody knows the key', () => {
    expect(found('payments-builder', 'HALCYON_AWS_ACCESS_KEY_ID', { held })).toMatchObject({ live: 'not compared' });
    expect(found('payments-builder', 'HALCYON_S3_BUCKET', { held })).toMatchObject({ live: 'same' });
  });
});
