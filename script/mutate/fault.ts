/** The tests that speak for a part of the kit, and so must notice when it is wrong. */
export interface Suite {
  readonly files: readonly string[];
  /** They run `dist/`. */
  readonly rebuild?: true;
  /** The model's thousands of histories are played where a few have noticed nothing. */
  readonly thousands?: true;
}

export const SUITES = {
  /** The user guide's story with the unmodified upstream, and what buckets deny. */
  guide: { files: ['test/upstream/guide.test.ts'], rebuild: true },
  /** The unmodified upstream in every kind of bucket. */
  places: { files: ['test/upstream/places.test.ts'], rebuild: true },
  /** Each principal's every request in every bucket. */
  requests: { files: ['test/integration/policies.test.ts'] },
  /** Halcyon's four requests through the shim, to an S3 that takes version 4 only. */
  shim: { files: ['test/integration/buildpack.test.ts'] },
  /** What no S3 here tells apart: the shim's signatures, and what it leaves alone. */
  'shim alone': { files: ['test/buildpack'] },
  /** What no request here can tell: templates. */
  templates: { files: ['test/constructs', 'test/stacks'] },
  /** Stacks in states that the local CloudFormation has none of, and what S3 says within answers that are good. */
  deploy: { files: ['test/deploy', 'test/aws', 'test/smoke/objects.test.ts', 'test/smoke/sweep-objects.test.ts'] },
  /** The key engine as a state machine, in a world that crashes, lags and loses answers. */
  engine: { files: ['test/engine'], thousands: true },
  /** Rotations against the local AWS and Heroku. */
  rotation: { files: ['test/integration/rotation.test.ts'] },
  /** Config vars written to the local Heroku. */
  sync: { files: ['test/integration/sync.test.ts'] },
  /** Releases that fail, and answers that are not what was asked for, as the local Heroku gives none. */
  'sync alone': { files: ['test/heroku/sync.test.ts'] },
  smoke: { files: ['test/integration/smoke.mocked.test.ts'] },
  /** Smoke deploys that are killed. */
  killed: { files: ['test/integration/smoke-killed.test.ts'], rebuild: true },
  /** Apps built beforehand with the unmodified upstream. */
  prebuild: { files: ['test/upstream/prebuild.test.ts'], rebuild: true },
  packages: { files: ['test/prebuild', 'test/storage'] },
  dyno: { files: ['test/smoke/transcript.test.ts', 'test/smoke/long-dyno.test.ts'] },
  adopt: { files: ['test/adopt', 'test/cli'] },
  /** What was proven, and holds. */
  proven: { files: ['test/cli/proven.test.ts'] },
  redaction: { files: ['test/io', 'test/contract', 'test/engine/ports'] },
} as const satisfies Record<string, Suite>;

export type SuiteName = keyof typeof SUITES;

/** One thing wrong with the kit, and the suite that must notice. */
export interface Fault {
  /** Kebab-case; unique. */
  readonly name: string;
  readonly file: string;
  /** Found in the file exactly once. */
  readonly text: string;
  readonly replacement: string;
  readonly suite: SuiteName;
}

/** Faults of one file: by name, its text, what stands there instead, and the suite. */
export const faultsOf = (
  file: string,
  faults: Readonly<Record<string, readonly [text: string, replacement: string, suite: SuiteName]>>,
): Fault[] => Object.entries(faults).map(([name, [text, replacement, suite]]) => ({ name, file, text, replacement, suite }));
