import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { EVERY } from './test/support/every.js';

// heroku-client reads each file of it at each request; SSL_CERT_FILE, if set, names the same authorities.
if (process.env.SSL_CERT_FILE) delete process.env.SSL_CERT_DIR;

/** Loading the SDK and the CDK anew for each file took a sixth of the whole. */
const together = { isolate: false, setupFiles: 'test/support/restore.ts' };
/** Modules that are replaced for one file stay so for all that come after it in the same process. */
const MOCKED = 'test/**/*.mocked.test.ts';
const integration = { ...together, testTimeout: 300_000, hookTimeout: 300_000 };

/** Minutes or most of one; begun last, they would run alone at the end. */
const LONG = [
  'integration/accept.test.ts',
  'e2e.test.ts',
  'upstream/prebuild.test.ts',
  'upstream/places.test.ts',
  'cdk.test.ts',
  'upstream/guide.test.ts',
  'rotation-killed.test.ts',
  'integration/docs.test.ts',
  'rotation-suspended.test.ts',
  'integration/fleet.test.ts',
  'integration/smoke.mocked.test.ts',
  'doctor.test.ts',
  'rotation.test.ts',
  'left.test.ts',
  'pipelines.test.ts',
  'model-check.test.ts',
  'edits.test.ts',
  'policies.test.ts',
  'package.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.endsWith(`/${name}`)) + 1 || Infinity;
    return (await super.sort(files)).sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  }
}

export default defineConfig({
  test: {
    // Integration tests wait more than they compute.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'sandbox/**/test/unit/**/*.test.ts'],
          exclude: [
            'test/integration/**',
            'test/upstream/**',
            'test/edits/**',
            'test/fleet/**',
            'test/whole/**',
            '**/node_modules/**',
            MOCKED,
          ],
          ...together,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'sandbox/test/integration/**/*.test.ts'],
          // It installs Heroku's CLI first: `npm run test:heroku-cli`.
          exclude: EVERY ? [MOCKED] : [MOCKED, '**/heroku-cli.test.ts'],
          ...integration,
        },
      },
      { test: { name: 'mocked', include: [MOCKED], exclude: ['**/node_modules/**'], ...integration, isolate: true } },
      // Minutes: `npm run test:accept`.
      ...(EVERY ? [{ test: { name: 'accept', include: ['test/whole/**/*.test.ts'], ...integration, testTimeout: 900_000 } }] : []),
      { test: { name: 'upstream', include: ['test/upstream/**/*.test.ts'], ...integration } },
    ],
  },
});
