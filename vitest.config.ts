import { defineConfig } from 'vitest/config';

const integration = { testTimeout: 300_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    // Integration tests wait more than they compute.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'sandbox/**/test/unit/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/upstream/**', 'test/edits/**', '**/node_modules/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: { name: 'integration', include: ['test/integration/**/*.test.ts', 'sandbox/test/integration/**/*.test.ts'], ...integration },
      },
      { test: { name: 'upstream', include: ['test/upstream/**/*.test.ts'], ...integration } },
    ],
  },
});
