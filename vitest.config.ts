import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { EVERY } from './test/support/every.js';

// heroku-client reads each file of it at each request; SSL_CERT_FILE, if set, names the same authorities.
if (process.env.SSL_CERT_FILE) delete process.env.SSL_CERT_DIR;

/** Modules that are replaced for one file stay so for all that come after it in the same process. */
const MOCKED = 'test/**/*.mocked.test.ts';
const exclude = [
  '**/node_modules/**',
  // Minutes each, by commands of their own.
  'test/edits/**',
  'test/fleet/**',
  ...(EVERY ? [] : ['test/whole/**', '**/heroku-cli.test.ts']),
  ...(process.env.HALCYON_TESTS === 'unit' ? ['**/test/{integration,upstream}/**'] : []),
];
const common = { setupFiles: 'test/support/restore.ts', testTimeout: 300_000, hookTimeout: 300_000 };

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
          name: 'kit',
          include: ['test/**/*.test.ts', 'sandbox/**/test/**/*.test.ts'],
          exclude: [...exclude, MOCKED],
          // Loading the SDK and the CDK anew for each file took a sixth of the whole.
          isolate: false,
          ...common,
        },
      },
      { test: { name: 'mocked', include: [MOCKED], exclude, ...common } },
    ],
  },
});
