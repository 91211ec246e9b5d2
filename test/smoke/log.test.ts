import { describe, expect, test } from 'vitest';
import { parseBuildLog, storageLines } from '../../lib/smoke/log.js';

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`;
const deployed = [
  '-----> Installing halcyon-smoke-abcdefgh-1.0',
  `       Label:                                    ${bold('halcyon-smoke-abcdefgh-1.0')}`,
  `       Source hash:                              ${bold('ede905a')}`,
  `       External storage:                         ${bold('private')}`,
  '-----> Restoring install directory',
  '       Downloading s3://b/p/linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-ede905a-x-1.0.tar.gz... done',
  '-----> Installing app to /app',
  `-----> App deployed:                             ${bold('halcyon-smoke-abcdefgh-1.0')}`,
].join('\r\n');

describe('parseBuildLog', () => {
  test('a deployed app, through the colours', () => {
    expect(parseBuildLog(deployed)).toMatchObject({
      storage: 'private',
      sourceHash: 'ede905a',
      install: { action: 'Downloading', outcome: 'done' },
      deployed: 'halcyon-smoke-abcdefgh-1.0',
      buildpackOnly: false,
      errors: [],
    });
  });

  test('buildpack only, with errors; warnings are none', () => {
    const log = parseBuildLog(
      [
        `${bold('')}   *** WARNING: Failed to restore install directory`,
        `${bold('')}   *** ERROR: Cannot build GHC directory`,
        '   *** ERROR: Failed to deploy app',
        '   *** ERROR: Deploying buildpack only',
      ].join('\n'),
    );
    expect(log.buildpackOnly).toBe(true);
    expect(log.errors).toEqual(['Cannot build GHC directory', 'Failed to deploy app', 'Deploying buildpack only']);
    expect(log.deployed).toBeUndefined();
  });

  test.each(['private', 'public', 'private and public', 'none'] as const)('storage %s', (storage) => {
    expect(parseBuildLog(`       External storage:      ${bold(storage)}\n`).storage).toBe(storage);
  });

  test('the private download counts, though a public one followed', () => {
    const log = parseBuildLog(
      '  Downloading s3://b/linux/ghc-7.8.4/halcyon-install-1234567-x-1.0.tar.gz... 404 (not found)\n  Downloading https://public.example/linux/ghc-7.8.4/halcyon-install-1234567-x-1.0.tar.gz... done\n',
    );
    expect(log.install).toMatchObject({ url: expect.stringMatching(/^s3:/), outcome: '404 (not found)' });
  });

  test('an empty log says nothing', () => {
    expect(parseBuildLog('')).toMatchObject({ requests: [], buildpackOnly: false, errors: [] });
    expect(parseBuildLog('').storage).toBeUndefined();
  });
});

describe('storageLines', () => {
  test('the outcome is that of the last try', () => {
    const lines = [
      '       Uploading s3://b/k... 403 (forbidden)',
      '       Retrying in 2 seconds (1/5)... 403 (forbidden)',
      '       Retrying in 4 seconds (2/5)... done',
      '       Listing s3://b/?prefix=p... done',
      '       Deleting s3://b/old... 204 (no content)',
      '       Downloading s3://b/cut...',
    ];
    expect(storageLines(lines)).toEqual([
      { action: 'Uploading', url: 's3://b/k', outcome: 'done' },
      { action: 'Listing', url: 's3://b/?prefix=p', outcome: 'done' },
      { action: 'Deleting', url: 's3://b/old', outcome: '204 (no content)' },
      { action: 'Downloading', url: 's3://b/cut', outcome: '' },
    ]);
  });
});
