import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withEvidence } from '../../lib/cli/evidence.js';
import { KitError } from '../../lib/errors.js';
import { silentIo } from '../../lib/io/io-host.js';
import { registerSecret } from '../../lib/io/redaction.js';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'halcyon-evidence-'));
  file = join(dir, 'evidence.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const abort = new AbortController();
const host = { io: silentIo, signal: abort.signal };
const written = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const event = { at: '2026-01-01T00:00:00Z', step: 'write-apps' as const, text: 'a new key', apps: [{ app: 'web', release: 7 }] };

test('where it cannot be written, nothing is begun', async () => {
  const work = vi.fn();
  await expect(withEvidence(join(dir, 'none', 'evidence.json'), host, work)).rejects.toMatchObject({ code: 'evidence-not-written' });
  expect(work).not.toHaveBeenCalled();
});

test('it is for its owner alone, also where a file was there before, which is kept until there is something to say', async () => {
  writeFileSync(file, JSON.stringify({ before: 'x'.repeat(5_000) }));
  chmodSync(file, 0o644);
  await withEvidence(file, host, async (evidence) => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(written()).toHaveProperty('before');
    evidence.note({ outcomes: ['done'] });
  });
  expect(written()).toEqual({ outcomes: ['done'] });
});

test('what was done is in it at once, and stays when the command fails', async () => {
  registerSecret('canary-evidence-0123');
  const failing = withEvidence(file, host, async (evidence) => {
    evidence.event('payments', event);
    expect(written()).toEqual({ events: [{ team: 'payments', ...event }] });
    throw new KitError('lease-lost', 'lost canary-evidence-0123\u001b[2J');
  });
  await expect(failing).rejects.toMatchObject({ code: 'lease-lost' });
  expect(written()).toEqual({
    events: [{ team: 'payments', ...event }],
    error: { code: 'lease-lost', message: 'lost [redacted]\u001b[2J' },
  });
  expect(readFileSync(file, 'utf8')).not.toContain('\u001b');
});

test('what is done in quick succession is in it within a second, and written once', async () => {
  vi.useFakeTimers();
  try {
    await withEvidence(file, host, async (evidence) => {
      for (let at = 0; at < 100; at += 1) evidence.event('payments', event);
      expect(written()).toMatchObject({ events: { length: 1 } });
      await vi.advanceTimersByTimeAsync(1000);
      expect(written()).toMatchObject({ events: { length: 100 } });
      evidence.event('payments', event);
    });
    expect(written()).toMatchObject({ events: { length: 101 } });
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a full disk stops nothing half way, and is told at the end', async () => {
  let finished = false;
  const full = withEvidence('/dev/full', host, async (evidence) => {
    evidence.event('payments', event);
    finished = true;
  });
  await expect(full).rejects.toMatchObject({ code: 'evidence-not-written', message: expect.stringContaining('ENOSPC') });
  expect(finished).toBe(true);
});

test('Ctrl-C is the reason, whatever it looked like from within', async () => {
  const failing = withEvidence(file, host, async () => {
    abort.abort(new KitError('interrupted', 'interrupted; run again'));
    throw new Error('socket hang up');
  });
  await expect(failing).rejects.toMatchObject({ code: 'interrupted' });
  expect(written()).toMatchObject({ error: { code: 'interrupted' } });
});
