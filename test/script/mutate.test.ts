import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { variant } from '../support/variant.js';

let temporary: string;
beforeEach(() => (temporary = mkdtempSync(join(tmpdir(), 'mutate-test-'))));
afterEach(() => rmSync(temporary, { recursive: true }));

const copies = () => readdirSync(temporary).filter((name) => name.startsWith('halcyon-mutate-'));
/** @param stop - is asked every moment whether to interrupt it. */
const mutate = (args: readonly string[], stop: () => boolean = () => false) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', 'script/mutate.ts', ...args],
      { env: { ...process.env, TMPDIR: temporary, HALCYON_UPSTREAM_DIR: '' } },
      (error, stdout, stderr) => {
        clearInterval(watch);
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
    const watch = setInterval(() => stop() && (clearInterval(watch), child.kill('SIGINT')), 50);
  });

test('a fault is made in a copy, noticed, and told; the copy goes', async () => {
  const { code, stdout, stderr } = await mutate(['--only', 'half-a-secret-left', '--json']);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ results: [{ name: 'half-a-secret-left', verdict: 'killed', suite: 'redaction' }] });
  expect(stderr).toContain('redaction: green without a fault');
  expect(copies()).toEqual([]);
});

test('what no one could have noticed is told, with exit code 1', async () => {
  // A suite that is left out is nobody's notice; one that is red without the fault proves as little.
  const { code, stderr } = await mutate(['--only', 'acl-unsigned']);
  expect(stderr).toContain('1 faults are left out');
  expect(code).toBe(1);
});

variant('interrupted, it leaves nothing behind', async () => {
  const { code, stderr } = await mutate(['--suite', 'engine'], () => copies().length > 0);
  expect(code, stderr).toBe(130);
  expect(copies()).toEqual([]);
});

test.each([
  [['--only', 'no-such-fault'], 'there is no fault no-such-fault'],
  [['--suite', 'none'], 'there is no suite none'],
  [['--jobs', '0'], '--jobs must be a number'],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await mutate(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
