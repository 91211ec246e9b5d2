import type { ChildProcess } from 'node:child_process';
import type { AppLog } from './logs.js';
import type { OutputStream } from './streams.js';
import type { Router } from './router.js';

/** What the platform remembers. Times are ISO 8601 without fractions, as Heroku writes them. */
export interface App {
  readonly id: string;
  name: string;
  readonly generation: 'cedar' | 'fir';
  stack: string;
  buildStack: string;
  readonly region: string;
  readonly team: Team | undefined;
  /** The token may see that it exists, and nothing else. */
  readonly forbidden: boolean;
  maintenance: boolean;
  readonly createdAt: string;
  updatedAt: string;
  buildpacks: string[];
  /** Oldest first. */
  readonly releases: Release[];
  readonly builds: Build[];
  readonly slugs: Map<string, Slug>;
  readonly dynos: Dyno[];
  readonly formation: Map<string, Formation>;
  readonly log: AppLog;
  /** Undefined for an app that takes no classic slugs. */
  router: Router | undefined;
  /** Builds of one app run one after the other. */
  buildQueue: Promise<unknown>;
  nextRun: number;
}

export interface Team {
  readonly id: string;
  readonly name: string;
}

export interface Release {
  readonly id: string;
  readonly version: number;
  status: 'pending' | 'succeeded' | 'failed';
  readonly description: string;
  readonly slug: string | undefined;
  readonly configVars: Readonly<Record<string, string>>;
  readonly createdAt: string;
  updatedAt: string;
  readonly output: OutputStream | undefined;
  /** Settles when the status is final. */
  ended: Promise<void>;
}

export interface Slug {
  readonly id: string;
  readonly file: string;
  readonly size: number;
  readonly stack: string;
  readonly commit: string | undefined;
  readonly description: string;
  readonly processTypes: Readonly<Record<string, string>>;
  readonly createdAt: string;
}

export interface Build {
  readonly id: string;
  status: 'pending' | 'succeeded' | 'failed';
  readonly createdAt: string;
  updatedAt: string;
  readonly source: { url: string; checksum: string | undefined; version: string | undefined; versionDescription: string | undefined };
  readonly buildpacks: readonly string[];
  readonly stack: string;
  readonly output: OutputStream;
  slug: string | undefined;
  release: string | undefined;
}

export interface Dyno {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly command: string;
  readonly size: string;
  state: 'starting' | 'up' | 'crashed' | 'down' | 'complete';
  readonly release: Release;
  readonly createdAt: string;
  updatedAt: string;
  attachUrl: string | undefined;
  readonly port: number | undefined;
  process: ChildProcess | undefined;
  /** Settles with the exit status when the process has ended and its room is gone. */
  exited: Promise<number>;
}

export interface Formation {
  readonly id: string;
  readonly type: string;
  quantity: number;
  size: string;
  command: string;
  readonly createdAt: string;
  updatedAt: string;
}

/** The release an app runs: the newest that succeeded. */
export const currentRelease = (app: App): Release => app.releases.findLast((release) => release.status === 'succeeded') as Release;

/** The config vars an app has: those of its current release. */
export const configVars = (app: App): Readonly<Record<string, string>> => currentRelease(app).configVars;

export const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
