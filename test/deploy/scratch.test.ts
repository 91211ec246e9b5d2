import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { scratchDirectory } from '../../lib/deploy/scratch.client.js';

let dir = '';
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

test('what a killed synthesis left goes the next day; another that is under way, and what is not ours, stays', async () => {
  vi.stubEnv('TMPDIR', (dir = mkdtempSync(join(tmpdir(), 'scratch-'))));
  const [left, underWay, others] = ['halcyon-kit-synth-aB3xYz', 'halcyon-kit-synth-Qw12er', 'halcyon-kit-synth-notes'].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  for (const one of [left, underWay, others]) {
    mkdirSync(one);
    writeFileSync(join(one, 'manifest.json'), '{}');
  }
  const before = new Date(Date.now() - 25 * 60 * 60_000);
  for (const one of [left, others]) utimesSync(one, before, before);
  const made = await scratchDirectory();
  expect([left, underWay, others, made].map((one) => existsSync(one))).toEqual([false, true, true, true]);
});
