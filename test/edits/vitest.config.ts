import { defineConfig } from 'vitest/config';

/** Minutes of builds that run while files are edited: `npm run test:edits`, and no part of `npm test`. */
export default defineConfig({
  test: { include: ['test/edits/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 300_000, maxConcurrency: 4, maxWorkers: 1 },
});
