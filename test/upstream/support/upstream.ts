import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Clones of haskell-on-heroku, halcyon and bashmenot, unmodified, side by side. */
export const upstreamDir = process.env.HALCYON_UPSTREAM_DIR ?? '';

/** Whether they are not to be had: what needs them is skipped, and says so. */
export const missing = ['haskell-on-heroku', 'halcyon', 'bashmenot'].some(
  (name) => upstreamDir === '' || !existsSync(join(upstreamDir, name)),
);

export const HASKELL_ON_HEROKU = 'https://github.com/mietek/haskell-on-heroku';
