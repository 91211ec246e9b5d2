import { defineConfig } from 'vitest/config';

/** A fleet from `up` to `down`: `npm run test:fleet`, and no part of `npm test`. */
export default defineConfig({ test: { include: ['test/fleet/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 600_000, bail: 1 } });
