import { describe, expect, test } from 'vitest';
import { hostedUrl } from '../../lib/contract/index.js';
import type { KitConfig } from '../../lib/config/model.js';
import { redact, registerUrlSecrets } from '../../lib/io/redaction.js';
import { copiedBuildpacks, copiedConfigVars, withoutUserInfo } from '../../lib/smoke/app.client.js';

const url = 'https://github.com/mietek/haskell-on-heroku';
const config = (version: 2 | 4, more: object = {}) =>
  ({ signing: { version, acknowledgeV2: true }, buildpack: { install: false, url, ...more } }) as unknown as KitConfig;
const versionOf = (digit: string) => hostedUrl('https://s3.example.com', 'kit', digit.repeat(64));
const [newer, other] = [versionOf('a'), versionOf('b')];
const storage = { mode: 'read-only', bucket: 'b', endpoint: 'e', acl: 'private' } as const;

describe('copiedConfigVars', () => {
  test('what the app should have of ours, and which code it runs; nothing else of it', () => {
    const current = { DATABASE_URL: 'x', HALCYON_URL: 'https://example.com/fork', HALCYON_S3_BUCKET: 'stale' };
    const vars = copiedConfigVars(config(2), storage, { accessKeyId: 'AKIA', secretAccessKey: 's' }, current);
    expect(vars).toMatchObject({ HALCYON_URL: 'https://example.com/fork', HALCYON_S3_BUCKET: 'b', HALCYON_NO_UPLOAD: '1' });
    expect(Object.keys(vars)).not.toContain('DATABASE_URL');
  });
  test("the app's own fork comes before the file's", () => {
    const forks = config(2, { halcyonUrl: 'of-the-file', bashmenotUrl: 'of-the-file' });
    expect(copiedConfigVars(forks, { mode: 'public' }, undefined, { HALCYON_URL: 'of-the-app' })).toEqual({
      HALCYON_URL: 'of-the-app',
      BASHMENOT_URL: 'of-the-file',
    });
  });
});

describe('copiedBuildpacks', () => {
  test.each([
    ['adds haskell-on-heroku where it is missing', 2, undefined, ['heroku/nodejs'], ['heroku/nodejs', url]],
    ['keeps a fork', 2, undefined, ['https://example.com/haskell-on-heroku.git'], ['https://example.com/haskell-on-heroku.git']],
    ['puts the SigV4 buildpack first, once', 4, 'sigv4', [url, 'sigv4'], ['sigv4', url]],
    ['keeps the version of it that the app has', 4, newer, [url, other], [other, url]],
    ['leaves it out with version 2', 2, 'sigv4', [url], [url]],
  ] as const)('%s', (_, version, signingUrl, current, wanted) => {
    expect(copiedBuildpacks(config(version), signingUrl, current)).toEqual(wanted);
  });
});

test('credentials in URLs are redacted and left out', () => {
  registerUrlSecrets(['https://canary-user:canary-password@example.com/x', 'https://example.com/a@b']);
  expect(redact('canary-user canary-password example.com')).toBe('[redacted] [redacted] example.com');
  expect(withoutUserInfo('https://canary-user:canary-password@example.com/x')).toBe('https://example.com/x');
});
