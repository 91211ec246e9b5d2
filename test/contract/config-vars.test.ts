import { describe, expect, test } from 'vitest';
import {
  accessOf,
  CONFIG_VAR_NAMES,
  desiredConfigVars,
  differing,
  withKeyVars,
  type AppStorage,
  type DesiredConfigVars,
} from '../../lib/contract/index.js';

const key = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-a-real-secret' };
const base: AppStorage = {
  mode: 'upload',
  bucket: 'b',
  prefix: 'p',
  endpoint: 's3.eu-west-1.amazonaws.com',
  signingRegion: 'eu-west-1',
  acl: 'bucket-owner-full-control',
  clean: true,
  publicStorage: 'never',
};

describe('config vars of each mode', () => {
  test('public unsets every name of ours', () => {
    const vars = desiredConfigVars({ mode: 'public' });
    expect(Object.keys(vars)).toEqual(CONFIG_VAR_NAMES);
    expect(new Set(Object.values(vars))).toEqual(new Set([null]));
  });

  test('read-only forbids upload, cleaning and public storage, whatever the team chose', () => {
    expect(desiredConfigVars({ ...base, mode: 'read-only', publicStorage: 'fallback' }, key)).toMatchObject({
      HALCYON_AWS_ACCESS_KEY_ID: key.accessKeyId,
      HALCYON_S3_BUCKET: 'b/p',
      HALCYON_S3_ENDPOINT: 's3.eu-west-1.amazonaws.com',
      HALCYON_S3_REGION: 'eu-west-1',
      HALCYON_NO_UPLOAD: '1',
      HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1',
      HALCYON_NO_PUBLIC_STORAGE: '1',
    });
  });

  test.each([
    ['upload, never public', base, { HALCYON_NO_UPLOAD: null, HALCYON_NO_CLEAN_PRIVATE_STORAGE: null, HALCYON_NO_PUBLIC_STORAGE: '1' }],
    ['upload, falling back', { ...base, publicStorage: 'fallback' as const }, { HALCYON_NO_PUBLIC_STORAGE: null }],
    ['append-only', { ...base, clean: false }, { HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1', HALCYON_NO_UPLOAD: null }],
    ['no prefix', { ...base, prefix: undefined }, { HALCYON_S3_BUCKET: 'b' }],
    ['signing version 2', { ...base, signingRegion: undefined }, { HALCYON_S3_REGION: null }],
  ])('%s', (_what, storage, expected) => expect(desiredConfigVars(storage, key)).toMatchObject(expected));

  test.each([
    ['public', true, undefined],
    ['public', false, undefined],
    ['read-only', true, 'read-only'],
    ['upload', true, 'upload'],
    ['upload', false, 'append-only'],
  ] as const)('%s with clean %s needs %s', (mode, clean, access) => expect(accessOf(mode, clean)).toBe(access));
});

describe('the difference between what an app has and should have', () => {
  const upload = desiredConfigVars(base, key);
  const readOnly = desiredConfigVars({ ...base, mode: 'read-only' }, key);
  const none = desiredConfigVars({ mode: 'public' });
  const has = (desired: DesiredConfigVars, more: Record<string, string> = {}): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(desired).filter((entry): entry is [string, string] => entry[1] !== null)),
    ...more,
  });

  test.each<[string, Record<string, string>, DesiredConfigVars, string[]]>([
    ['nothing', has(upload, { OTHER: 'x' }), upload, []],
    ['all, in an app that has none of ours', { PORT: '1', HALCYON_URL: 'y' }, upload, Object.keys(has(upload))],
    ['what goes, not what is not ours', has(upload, { DATABASE_URL: 'x', HALCYON_URL: 'y' }), none, Object.keys(has(upload))],
    ['a mode', has(readOnly), upload, ['HALCYON_NO_UPLOAD', 'HALCYON_NO_CLEAN_PRIVATE_STORAGE']],
    ['an inherited property', Object.create(has(upload)) as Record<string, string>, upload, Object.keys(has(upload))],
    ['an empty value where none should be', has(upload, { HALCYON_NO_UPLOAD: '' }), upload, ['HALCYON_NO_UPLOAD']],
    [
      'a key, both parts',
      has(upload),
      withKeyVars(upload, { accessKeyId: 'AKIAOTHER', secretAccessKey: 'another-secret' }),
      ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY'],
    ],
    [
      'a secret alone, by its fingerprint',
      has(upload, { HALCYON_AWS_SECRET_ACCESS_KEY: 'sha256:old' }),
      withKeyVars(upload, { accessKeyId: key.accessKeyId, secretAccessKey: 'sha256:new' }),
      ['HALCYON_AWS_SECRET_ACCESS_KEY'],
    ],
  ])('%s', (_what, current, desired, names) => expect(differing(current, desired)).toEqual(names));

  test.each(CONFIG_VAR_NAMES)('%s counts', (name) => {
    expect(differing(has(readOnly, { [name]: 'something else' }), readOnly)).toEqual([name]);
  });
});
