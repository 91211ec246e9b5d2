import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDirectory } from '../../lib/deploy/scratch.client.js';

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'scratch-test-'))));
afterAll(() => rm(root, { recursive: true }));

test('what killed runs left goes; what a run may be working in, or is not ours, stays', async () => {
  const host = hostname().replace(/[^\w.]/g, '_');
  const dead = `halcyon-kit-${host}-999999999-abc`;
  const alive = `halcyon-kit-${host}-${process.pid}-abc`;
  const elsewhere = 'halcyon-kit-another.machine-999999999-abc';
  const old = 'halcyon-kit-aB3xYz';
  for (const name of [dead, alive, elsewhere, old, 'other-999999999']) await mkdir(join(root, name, 'cdk.out'), { recursive: true });
  await utimes(join(root, old), new Date(0), new Date(0));
  const made = basename(await scratchDirectory(root));
  expect((await readdir(root)).sort()).toEqual([alive, elsewhere, made, 'other-999999999'].sort());
});
