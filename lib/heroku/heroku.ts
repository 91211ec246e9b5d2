import type { Build, Dyno, HerokuApp, Release } from './shapes.js';

export type { Build, Dyno, HerokuApp, Release } from './shapes.js';

/**
 * What the kit needs of Heroku, in Heroku's own terms (Platform API v3, https://devcenter.heroku.com/articles/platform-api-reference).
 * Implemented over heroku-client in `heroku.client.ts`. Every method throws KitError: `heroku-unauthorized`, `heroku-forbidden`,
 * `app-not-found`, `heroku-not-found`, `heroku-rate-limited`, `heroku-unavailable` (5xx or network, after retries),
 * `heroku-invalid` (422), `heroku-ambiguous` (a write whose answer was lost: look before repeating). A stage of a pipeline goes for an app
 * where one has config vars: see `stages.ts`.
 */
export interface Heroku {
  app(name: string): Promise<HerokuApp>;
  createApp(options: { name: string; stack?: string; team?: string }): Promise<HerokuApp>;
  /** No error when it is gone already. */
  deleteApp(name: string): Promise<void>;
  /** Apps visible to the token, a thousand a request: all, or the first `pages` of those whose names are between `from` and `to`, both included. */
  apps(options?: { from?: string; to?: string; pages?: number }): Promise<HerokuApp[]>;
  /** Those of these ids that the token may see, a thousand a request. */
  appsById(ids: readonly string[]): Promise<HerokuApp[]>;
  stacks(): Promise<Array<{ name: string; state: string }>>;

  /** Ids of the apps in a pipeline, by its name or id: all, or those of a stage. */
  pipelineApps(pipeline: string, stage?: string): Promise<string[]>;

  configVars(app: string): Promise<Record<string, string>>;
  /** As that release had them. */
  releaseConfigVars(app: string, version: number): Promise<Record<string, string>>;
  /**
   * One PATCH: one release, all dynos restart. Null unsets. Answers with what Heroku answered, which may be the old values while a release command runs.
   * @param guard - comes right before every attempt, and stops it by throwing; where the answer is lost and the values do not show, its caller looks and repeats.
   */
  patchConfigVars(
    app: string,
    changes: Readonly<Record<string, string | null>>,
    guard?: () => Promise<void>,
  ): Promise<Record<string, string>>;
  /** How many requests the account may still make at once, as the last answer said; Infinity before the first. */
  remaining(): number;
  /** The time by Heroku's clock, which dates its releases, builds and dynos. */
  now(): number;

  /** Newest first. */
  releases(app: string, options?: { max?: number }): Promise<Release[]>;
  release(app: string, idOrVersion: string | number): Promise<Release>;

  buildpacks(app: string): Promise<string[]>;
  setBuildpacks(app: string, urls: readonly string[]): Promise<string[]>;

  /** Newest first. */
  builds(app: string, options?: { max?: number }): Promise<Build[]>;
  build(app: string, id: string): Promise<Build>;
  /** Upload `tarball` as a source and start a build of it. */
  startBuild(app: string, tarball: Buffer, options?: { version?: string }): Promise<Build>;
  /** Follow an output stream to its end, resuming after cuts. Chunks have NULs removed. The URL is a credential. */
  followStream(url: string, onText: (text: string) => void, signal?: AbortSignal): Promise<void>;

  dynos(app: string): Promise<Dyno[]>;
  /** Start a detached one-off dyno. */
  runDyno(app: string, options: { command: string; size?: string; timeToLive: number; env?: Record<string, string> }): Promise<Dyno>;
  stopDyno(app: string, name: string): Promise<void>;
  /** URL of a log session. `tail` keeps it open. */
  logSession(app: string, options: { dyno?: string; lines?: number; tail?: boolean }): Promise<string>;

  /** Process types that its current release declares. */
  processTypes(app: string): Promise<string[]>;
  scale(app: string, type: string, quantity: number): Promise<void>;
}
