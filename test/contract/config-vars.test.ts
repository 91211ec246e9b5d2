import { describe, expect, test } from 'vitest';
import { accessOf, CONFIG_VAR_NAMES, desiredConfigVars, type AppStorage } from '../../lib/contract/index.js';

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
