import { test } from 'vitest';
import { EVERY } from './every.js';

/** A test for `npm run test:every` alone: what it tries is held by others as well, or costs more than its failure would. */
export const variant: (name: string, run: () => Promise<void>) => void = (name, run) => {
  if (EVERY) test(name, run);
};
