import { expect, test } from 'vitest';
import { kitWay, naiveWay, underLoad, type LoadOptions } from '../../script/bench/rotation.js';
import { variant } from '../support/variant.js';

/** The bench's load, smaller: apps use their keys all the time, and builds run that began before. */
const LOAD: LoadOptions = { apps: 8, building: 2, buildRequests: 6, pause: 250, keyDelayMs: 3000, margin: 1500 };

test('no request fails while keys are rotated under load', async () => {
  const result = await underLoad(LOAD, kitWay);
  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(result.builds).toBeGreaterThanOrEqual(2);
  expect(result.requests).toBeGreaterThan(LOAD.apps * 5);
});

variant('the same load shows what the naive order breaks', async () => {
  const result = await underLoad(LOAD, naiveWay);
  expect(result.failed).toBeGreaterThan(0);
});
