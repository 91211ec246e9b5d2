import { expect, test } from 'vitest';
import { inWords } from '../../lib/engine/clock.js';

test.each([
  [0, '0 s'],
  [90_000, '90 s'],
  [120_000, '2 min'],
  [3_600_000, '1 h'],
  [86_400_000, '1 d'],
  [90 * 86_400_000, '90 d'],
])('%d ms is %s', (ms, words) => expect(inWords(ms)).toBe(words));
