import { afterEach, expect, test, vi } from 'vitest';
import { tarball } from '../lib/tarball.js';

afterEach(() => void vi.useRealTimers());

test('the same bytes on another day', () => {
  const at = (now: string) => {
    vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] });
    return tarball({ 'bin/run': { content: '#!/bin/sh\n', executable: true }, 'a.txt': { content: 'größe' } });
  };
  expect(at('2026-01-01T00:00:00Z').equals(at('2027-06-01T12:00:00Z'))).toBe(true);
});
