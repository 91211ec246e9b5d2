import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AS_EXPECTED, expectedConfigVars } from '../../lib/smoke/proofs.plan.js';
import { attempts } from '../../lib/smoke/requests.plan.js';
import { dynoScript, readMarks } from '../../lib/smoke/script.js';

const mark = 'halcyon-smoke-abcdefgh';
const run = (script: string, env: Record<string, string> = {}) =>
  execFileSync('bash', ['--norc', '-c', script], { env: { PATH: process.env.PATH, ...env } }).toString();
const none = expectedConfigVars({ mode: 'public' }, undefined);

describe('attempts in a script', () => {
  const list = attempts({ access: 'upload', acl: 'private', run: mark, others: [] });
  const script = dynoScript(mark, none, list);

  test("are Halcyon's functions, with the app's own ACL where it uploads for itself, and each outcome is marked", () => {
    const dir = mkdtempSync(join(tmpdir(), 'script-'));
    const request = '{ echo "Doing... $* (forbidden)" >&2; return 4; }';
    const functions = [
      'set_halcyon_vars() { : "${HALCYON_S3_ACL:=by-default}"; }',
      ...['s3_download', 's3_list', 's3_upload', 's3_delete'].map((name) => `${name}() ${request}`),
      'upload_cached_file() { [ -f "$HALCYON_CACHE/$2" ] && echo "Uploading... $*"; }',
      'delete_private_stored_file() { :; }',
    ];
    writeFileSync(join(dir, 'src.sh'), functions.join('\n'));
    try {
      const here = script.replace('/app/.buildpack/lib/halcyon/src.sh', join(dir, 'src.sh'));
      const said = (env: Record<string, string>) => {
        const { outcomes, status } = readMarks(run(here, { HALCYON_S3_BUCKET: 'bucket/prefix', ...env }), mark);
        expect(status).toBe(0);
        return list.map(({ proof }, number) => `${proof}: ${outcomes.get(number)}`).join('\n');
      };
      const seen = said({ HALCYON_S3_ACL: 'of-the-app' });
      expect(seen).toContain(`download from its own prefix: bucket ${mark}/present /`);
      expect(seen).toMatch(new RegExp(`upload with ACL private: \\S+ bucket ${mark}/uploaded of-the-app \\(forbidden\\)`));
      expect(seen).toMatch(
        new RegExp(`upload with ACL bucket-owner-full-control: \\S+ bucket ${mark}/other-acl bucket-owner-full-control`),
      );
      expect(seen).toContain(`Halcyon archives what it built: ${mark} archived`);
      expect(seen).toContain('Halcyon deletes older archives: no request');
      expect(said({})).toContain(`${mark}/uploaded by-default (forbidden)`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('without the functions it ends with status 90', () => {
    expect(readMarks(run(script), mark)).toEqual({ outcomes: new Map(), seen: AS_EXPECTED, status: 90 });
  });
});

describe('our config vars on a dyno', () => {
  const storage = { mode: 'read-only', bucket: 'b', endpoint: 'e', acl: 'private' } as const;
  const expected = expectedConfigVars(storage, 'AKIA');
  const right = {
    HALCYON_AWS_ACCESS_KEY_ID: 'AKIA',
    HALCYON_AWS_SECRET_ACCESS_KEY: 'canary-of-the-dyno',
    HALCYON_S3_BUCKET: 'b',
    HALCYON_S3_ENDPOINT: 'e',
    HALCYON_S3_ACL: 'private',
    HALCYON_NO_UPLOAD: '1',
    HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1',
    HALCYON_NO_PUBLIC_STORAGE: '1',
  };
  test.each([
    ['as they should be', right, AS_EXPECTED],
    ['one missing', { ...right, HALCYON_NO_UPLOAD: '' }, 'HALCYON_NO_UPLOAD unset'],
    ['the secret missing', { ...right, HALCYON_AWS_SECRET_ACCESS_KEY: '' }, 'HALCYON_AWS_SECRET_ACCESS_KEY unset'],
    ['one too many', { ...right, HALCYON_S3_REGION: 'canary-of-the-dyno' }, 'HALCYON_S3_REGION set'],
    [
      'another value, twice',
      { ...right, HALCYON_S3_ACL: 'canary-of-the-dyno', HALCYON_S3_BUCKET: 'b/c' },
      'HALCYON_S3_BUCKET other, HALCYON_S3_ACL other',
    ],
  ])('%s', (_, env, seen) => {
    const output = run(dynoScript(mark, expected, []), env);
    expect(output).not.toContain('canary');
    expect(readMarks(output, mark)).toEqual({ outcomes: new Map(), seen, status: 0 });
  });

  test('in mode public there are none', () => {
    expect(readMarks(run(dynoScript(mark, none, [])), mark).seen).toBe(AS_EXPECTED);
    expect(readMarks(run(dynoScript(mark, none, []), right), mark).seen).toContain('HALCYON_AWS_SECRET_ACCESS_KEY set');
  });
});

describe('readMarks', () => {
  test('reads through log prefixes and other lines', () => {
    const output = `2026-11-22T12:00:00+00:00 app[run.1]: ${mark} 0 done\nnoise\n2026 app[run.1]: ${mark} 1 403 (forbidden)\n${mark} end 3\n`;
    expect(readMarks(output, mark)).toEqual({
      outcomes: new Map([
        [0, 'done'],
        [1, '403 (forbidden)'],
      ]),
      status: 3,
    });
  });

  test('no last line, no status', () => {
    expect(readMarks(`${mark} 0 done\n`, mark).status).toBeUndefined();
  });
});
