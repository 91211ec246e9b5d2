import { describe, expect, test } from 'vitest';
import { causesInLog } from '../../lib/smoke/log-causes.plan.js';
import { createProgram } from '../../lib/commands/program.js';
import { parseBuildLog } from '../../lib/smoke/log.js';
import { codeOf, invocationsIn } from '../support/markdown.js';

const codes = (log: string) => causesInLog(parseBuildLog(log)).map(({ code }) => code);
const SIGNS = '-----> Signing S3 requests with Signature Version 4\n';
const HALCYON = '-----> Welcome to Haskell on Heroku\n       External storage:   private\n';
const V4 = '       HALCYON_S3_REGION:   eu-west-1\n';
const ONLY = '   *** ERROR: Deploying buildpack only\n';
const request = (action: string, outcome: string, key = 'p/ghc-7.8.4/halcyon-install-1234567-a-1.0.tar.gz') =>
  `       ${action} s3://bucket/${key}... ${outcome}\n`;

/** What upstream prints is tried with upstream itself (`test/upstream/guide.test.ts`); here are what it cannot be brought to print there, and Heroku's own lines. */
const LOGS: Array<[string, string, string]> = [
  ['another region', HALCYON + request('Downloading', '301 (moved permanently)'), 'wrong-endpoint'],
  ['a wrong endpoint', `${HALCYON}   *** ERROR: Incorrect HALCYON_S3_ENDPOINT for b: e\n`, 'wrong-endpoint'],
  ['no answer', HALCYON + request('Listing', '000 (unknown)', ''), 's3-unreachable'],
  ['no bucket', HALCYON + request('Listing', '404 (not found)', ''), 'bucket-gone'],
  ['order of buildpacks', HALCYON + request('Downloading', '400 (bad request)') + SIGNS, 'buildpack-order'],
  ['no SigV4 buildpack', V4 + HALCYON + request('Downloading', '403 (forbidden)'), 'sigv4-buildpack-missing'],
  ['version 2 refused', HALCYON + request('Downloading', '400 (bad request)'), 'sigv2-refused'],
  ['an ACL refused', SIGNS + V4 + HALCYON + request('Uploading', '400 (bad request)'), 'acl-refused'],
  ['an upload denied', SIGNS + V4 + HALCYON + request('Uploading', '403 (forbidden)'), 'upload-denied'],
  ['a download denied', SIGNS + V4 + HALCYON + request('Downloading', '403 (forbidden)'), 'storage-denied'],
  ['storage off', `       HALCYON_S3_BUCKET:  b\n       External storage:  public\n`, 'storage-off'],
  // https://github.com/mietek/haskell-on-heroku/issues/11, https://github.com/mfine/heroku-buildpack-stack/issues/36
  ['15 minutes', ' !     Timed out compiling Haskell app (15 minutes)\n', 'timed-out'],
  ['15 minutes, today', '-----> Timed out running buildpack Haskell\n !     Push failed\n', 'timed-out'],
  // https://github.com/ToolJet/ToolJet/issues/4794
  ['a large slug', ' !     Compiled slug size: 515.2M is too large (max is 500M).\n', 'slug-too-large'],
  ['memory of a dyno', '2026-11-01T10:00:00.000000+00:00 heroku[run.1]: Error R14 (Memory quota exceeded)\n', 'out-of-memory'],
  ['memory of GHC', 'ghc: out of memory (requested 1048576 bytes)\n', 'out-of-memory'],
  ['a full disk', 'tar: app/bin/x: Cannot write: No space left on device\n', 'disk-full'],
  ['no constraints', '   *** WARNING: Using newest versions of all packages\n', 'constraints-missing'],
  ['no GHC', HALCYON + request('Downloading', '404 (not found)', 'p/halcyon-ghc-7.8.4.tar.gz') + ONLY, 'compiler-missing'],
  ['read-only', `       HALCYON_NO_UPLOAD:  1\n${HALCYON}${ONLY}`, 'read-only-unbuilt'],
  ['anything else unbuilt', HALCYON + ONLY, 'dependencies-missing'],
];

describe('the first cause in a log', () => {
  test.each(LOGS)('%s', (_, log, code) => expect(codes(log)[0]).toBe(code));

  test.each(['', 'Node.js app detected\n', `${SIGNS}${V4}${HALCYON}${request('Downloading', 'done')}       App deployed:  a-1.0\n`])(
    'none: %j',
    (log) => expect(codes(log)).toEqual([]),
  );
  test('a cache miss is none', () => expect(codes(SIGNS + V4 + HALCYON + request('Downloading', '404 (not found)'))).toEqual([]));
  test('as `git push` shows it', () =>
    expect(codes(`remote: ${HALCYON.replaceAll('\n', '\nremote: ')}${ONLY}`)).toEqual(['dependencies-missing']));
  test('commands name the app and the team where they are known, and no other app', () => {
    const [readOnly, missing] = causesInLog(parseBuildLog(`       HALCYON_NO_UPLOAD:  1\n${HALCYON}${ONLY}`), { app: 'api', team: 'pay' });
    expect(readOnly?.remedy).toContain('halcyon-kit prebuild OTHER-APP');
    expect(missing?.remedy).toContain('halcyon-kit prebuild api --source DIR');
    expect(causesInLog(parseBuildLog(HALCYON + request('Listing', '404 (not found)', '')), { team: 'pay' })[0]?.remedy).toContain(
      '`halcyon-kit up pay`',
    );
  });

  test('every command that is named is one that the program takes', async () => {
    const causes = causesInLog(parseBuildLog(LOGS.map(([, log]) => log).join('')));
    const commands = causes.flatMap(({ remedy }) => codeOf(remedy)).flatMap(invocationsIn);
    expect(commands.length).toBeGreaterThan(10);
    for (const args of commands) {
      const program = createProgram(async () => {}, '0.0.0');
      for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ writeErr() {} });
      await program.parseAsync(args, { from: 'user' });
    }
  });
});
