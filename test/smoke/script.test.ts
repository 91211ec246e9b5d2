import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempts } from '../../lib/smoke/proofs.plan.js';
import { attemptScript, publicScript, readMarks } from '../../lib/smoke/script.js';

const mark = 'halcyon-smoke-abcdefgh';
const run = (script: string, env: Record<string, string> = {}) =>
  execFileSync('bash', ['--norc', '-c', script], { env: { PATH: process.env.PATH, ...env } }).toString();

describe('attemptScript', () => {
  const list = attempts({ access: 'upload', acl: 'private', run: mark, others: [] });

  test('calls the S3 functions with bucket, key and ACL, and marks each outcome', () => {
    const dir = mkdtempSync(join(tmpdir(), 'script-'));
    const functions = `for f in download list upload delete; do eval "s3_$f () { echo \\"       Doing s3://\\$*... 403 (forbidden)\\" >&2; return 4; }"; done`;
    writeFileSync(join(dir, 'src.sh'), functions);
    try {
      const script = attemptScript(list, mark).replace('/app/.buildpack/lib/halcyon/lib/bashmenot/src.sh', join(dir, 'src.sh'));
      const { outcomes, status } = readMarks(run(script, { HALCYON_S3_BUCKET: 'bucket/prefix' }), mark);
      expect(status).toBe(0);
      expect([...outcomes.values()]).toEqual(list.map(() => '403 (forbidden)'));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('without the functions it ends with status 90', () => {
    expect(readMarks(run(attemptScript(list, mark)), mark)).toEqual({ outcomes: new Map(), status: 90 });
  });
});

test('publicScript names the config vars it finds, never their values', () => {
  const names = ['HALCYON_S3_BUCKET', 'HALCYON_AWS_SECRET_ACCESS_KEY'];
  const found = run(publicScript(names, mark), { HALCYON_AWS_SECRET_ACCESS_KEY: 'canary-of-the-dyno' });
  expect(found).not.toContain('canary');
  expect(readMarks(found, mark).outcomes.get(0)).toBe('HALCYON_AWS_SECRET_ACCESS_KEY');
  expect(readMarks(run(publicScript(names, mark)), mark)).toEqual({ outcomes: new Map([[0, 'none']]), status: 0 });
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
