import { defineConfig } from 'vitest/config';

// heroku-client reads each file of it at each request; SSL_CERT_FILE, if set, names the same authorities.
if (process.env.SSL_CERT_FILE) delete process.env.SSL_CERT_DIR;

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
          exclude: ['test/integration/**', 'test/upstream/**', 'test/edits/**', 'test/whole/**', '**/node_modules/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: { name: 'integration', include: ['test/integration/**/*.test.ts', 'sandbox/test/integration/**/*.test.ts'], ...integration },
      },
      // Minutes long: `npm run test:accept`, not part of `npm test`.
      { test: { name: 'accept', include: ['test/whole/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 300_000 } },
      { test: { name: 'upstream', include: ['test/upstream/**/*.test.ts'], ...integration } },
    ],
  },
});
