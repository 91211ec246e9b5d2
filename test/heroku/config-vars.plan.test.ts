import { describe, expect, test } from 'vitest';
import { CONFIG_VAR_NAMES, desiredConfigVars, type DesiredConfigVars } from '../../lib/contract/index.js';
import { differing, patchOf, planConfigVars } from '../../lib/heroku/config-vars.plan.js';

const key = { accessKeyId: 'AKIAEXAMPLE000000001', secretAccessKey: 'the-secret-of-the-first-key' };
const storage = { bucket: 'b', prefix: 'p', endpoint: 's3.eu-west-1.amazonaws.com', signingRegion: 'eu-west-1', acl: 'private' } as const;
const upload = desiredConfigVars({ mode: 'upload', ...storage }, key);
const readOnly = desiredConfigVars({ mode: 'read-only', ...storage }, key);
const none = desiredConfigVars({ mode: 'public' });
const valuesOf = (desired: DesiredConfigVars) =>
  Object.fromEntries(Object.entries(desired).filter((entry): entry is [string, string] => entry[1] !== null));

describe('planConfigVars', () => {
  test('sets what is missing, and says nothing of the secret', () => {
    const plan = planConfigVars('web', { PORT: '1' }, upload);
    expect(plan.changes.map(({ name, action }) => `${action} ${name}`)).toEqual([
      'set HALCYON_AWS_ACCESS_KEY_ID',
      'set HALCYON_AWS_SECRET_ACCESS_KEY',
      'set HALCYON_S3_BUCKET',
      'set HALCYON_S3_ENDPOINT',
      'set HALCYON_S3_REGION',
      'set HALCYON_S3_ACL',
      'set HALCYON_NO_PUBLIC_STORAGE',
    ]);
    expect(JSON.stringify(plan)).not.toContain(key.secretAccessKey);
    expect(plan.restarts).toBe(true);
  });

  test('is empty where everything is as it should be', () => {
    const plan = planConfigVars('web', { ...valuesOf(upload), OTHER: 'x' }, upload);
    expect(plan).toEqual({ app: 'web', changes: [], restarts: false });
  });

  test('changes a key, both parts, with from and to for the id alone', () => {
    const next = {
      ...upload,
      HALCYON_AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000002',
      HALCYON_AWS_SECRET_ACCESS_KEY: 'the-secret-of-the-second',
    };
    const plan = planConfigVars('web', valuesOf(upload), next);
    expect(plan.changes).toEqual([
      {
        name: 'HALCYON_AWS_ACCESS_KEY_ID',
        action: 'change',
        reason: 'the app holds another key',
        from: key.accessKeyId,
        to: 'AKIAEXAMPLE000000002',
      },
      { name: 'HALCYON_AWS_SECRET_ACCESS_KEY', action: 'change', reason: 'the app holds another key' },
    ]);
    expect(JSON.stringify(plan)).not.toMatch(/the-secret/);
  });

  test.each([
    ['read-only to upload', readOnly, upload, ['HALCYON_NO_UPLOAD', 'HALCYON_NO_CLEAN_PRIVATE_STORAGE'], 'does not belong to mode upload'],
    ['upload to public', upload, none, Object.keys(valuesOf(upload)), 'does not belong to mode public'],
    ['upload to read-only', upload, readOnly, ['HALCYON_S3_ACL'], 'does not belong to mode read-only'],
  ] as const)('unsets what no longer belongs: %s', (_, from, to, names, reason) => {
    const unset = planConfigVars('web', valuesOf(from), to).changes.filter((change) => change.action === 'unset');
    // The ACL stays in a read-only app: without it Halcyon falls back to its own default.
    const expected = names.filter((name) => to[name as keyof DesiredConfigVars] === null);
    expect(unset.map((change) => change.name).sort()).toEqual([...expected].sort());
    for (const change of unset) expect(change.reason).toBe(reason);
  });

  test('never reads or writes a name that is not ours', () => {
    const plan = planConfigVars('web', { DATABASE_URL: 'x', HALCYON_URL: 'y', ...valuesOf(readOnly) }, none);
    expect(Object.keys(patchOf(plan, none)).every((name) => (CONFIG_VAR_NAMES as string[]).includes(name))).toBe(true);
  });

  test('forecasts no restart where nothing runs', () => {
    expect(planConfigVars('web', {}, upload, { running: false }).restarts).toBe(false);
  });

  test('an inherited property is not a config var', () => {
    const current = Object.create({ HALCYON_S3_BUCKET: 'b/p' }) as Record<string, string>;
    expect(differing(current, upload)).toContain('HALCYON_S3_BUCKET');
  });
});

test('patchOf carries exactly the changes, null for unset', () => {
  const plan = planConfigVars('web', valuesOf(readOnly), upload);
  expect(patchOf(plan, upload)).toEqual({ HALCYON_NO_UPLOAD: null, HALCYON_NO_CLEAN_PRIVATE_STORAGE: null });
});
