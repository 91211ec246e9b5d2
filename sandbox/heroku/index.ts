import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { BuildpackSource, PUBLIC_URL } from './buildpacks.js';
import { Builder } from './builds.js';
import { type Fault, Faults } from './faults.js';
import { type Held, holdBuild, holdDyno } from './held.js';
import { Machine } from './machine/machine.js';
import { type HeldRun, Pipelines } from './pipelines.js';
import { type CreateAppOptions, Platform } from './platform.js';
import { Rendezvous } from './rendezvous.js';
import { type LoggedRequest, RequestLog } from './request-log.js';
import { ApiSchema } from './schema.js';
import { createServer } from './server.js';
import { type Settings, defaultSettings } from './settings.js';
import { SourceStore } from './sources.js';

export type { Fault, FaultKind } from './faults.js';
export type { Held } from './held.js';
export type { LoggedRequest } from './request-log.js';
export type { Settings } from './settings.js';

export interface LocalHerokuOptions {
  /** Loopback port; default: a free one. */
  readonly port?: number;
  /** PEM file that builds and dynos trust beside the system's authorities: the local AWS's. */
  readonly caFile?: string;
  /** API token; default: a random one. */
  readonly token?: string;
  /** Added to the environment of every build and dyno; config vars win. */
  readonly buildEnv?: Readonly<Record<string, string>>;
  /** Request log, appended as JSON lines. */
  readonly logFile?: string;
  /** Buildpack of apps made by {@link LocalHeroku.ensureApp}; default: haskell-on-heroku. */
  readonly defaultBuildpack?: string;
  /** Clones of haskell-on-heroku, halcyon and bashmenot, run in place of the stand-in; default: `HALCYON_UPSTREAM_DIR`. `null`: the stand-in. */
  readonly upstreamDir?: string | null;
  /** Heroku's API schema, to check every answer against; default: `HEROKU_API_SCHEMA`. */
  readonly schemaFile?: string;
  /** `false`: as on a machine without user namespaces. Default: as the machine is. */
  readonly isolate?: boolean;
  /** Directories below /tmp that builds and dynos may read at the same place, such as a buildpack's own sources. */
  readonly readable?: readonly string[];
  readonly settings?: Partial<Settings>;
}

export interface LocalHeroku {
  readonly url: string;
  readonly token: string;
  /** What aims a client at it: `HEROKU_HOST` and `HEROKU_API_KEY`. */
  readonly env: { readonly HEROKU_HOST: string; readonly HEROKU_API_KEY: string };
  /** Whether builds have /app and /tmp of their own and run side by side. */
  readonly isolated: boolean;
  /** Certificate to trust for attached dynos (`NODE_EXTRA_CA_CERTS` of the `heroku` CLI); exists once {@link prepareAttach} has run. */
  readonly attachCaFile: string;
  prepareAttach(): Promise<void>;
  log(): LoggedRequest[];
  clearLog(): void;
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** Live: change a field to change the behaviour. */
  readonly settings: Settings;
  /** Make an app unless there is one; `generation: 'fir'` and `forbidden: true` make apps that the kit has to refuse. */
  ensureApp(name: string, options?: Omit<CreateAppOptions, 'name'>): Promise<void>;
  /** A build of an app that runs until the caller ends it, on what the app has at this moment. */
  holdBuild(app: string): Held;
  /** A one-off dyno that runs until it is ended. */
  holdDyno(app: string): Held;
  ensurePipeline(name: string): void;
  /** A review app that is being made, under the name of `app`, or a test run, until the caller ends it. */
  holdRun(pipeline: string, stage: 'review' | 'test', app?: string): HeldRun;
  /** Ends every build, dyno and connection, and removes what they left. */
  stop(): Promise<void>;
}

/** Start a local Heroku on loopback. Nothing of it outlives this process. */
export async function startLocalHeroku(options: LocalHerokuOptions = {}): Promise<LocalHeroku> {
  const upstreamDir = options.upstreamDir === null ? undefined : (options.upstreamDir ?? (process.env.HALCYON_UPSTREAM_DIR || undefined));
  const schemaFile = options.schemaFile ?? (process.env.HEROKU_API_SCHEMA || undefined);
  const settings: Settings = { ...defaultSettings(), ...options.settings };
  const token = options.token ?? randomUUID();
  const readable = [...(upstreamDir === undefined ? [] : [upstreamDir]), ...(options.readable ?? [])].filter((dir) => existsSync(dir));
  const machine = await Machine.open({
    readable,
    ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    ...(options.isolate === undefined ? {} : { isolate: options.isolate }),
  });
  let url = '';
  const base = (): string => url;
  const platform = new Platform(machine, settings, () => environment());
  const sources = new SourceStore(base);
  const upstreamEnv: Record<string, string> =
    upstreamDir === undefined
      ? {}
      : { HALCYON_URL: `file://${join(upstreamDir, 'halcyon')}`, BASHMENOT_URL: `file://${join(upstreamDir, 'bashmenot')}` };
  // Halcyon's public storage is out of reach: an empty one of ours answers in its place, or every look there would be retried for half a minute.
  const environment = (): Record<string, string> => ({
    ...upstreamEnv,
    HALCYON_PUBLIC_STORAGE_URL: `${url}/_public-storage`,
    ...options.buildEnv,
  });
  const pipelines = new Pipelines(platform);
  const builder = new Builder(platform, sources, new BuildpackSource(machine.dir, upstreamDir, options.caFile));
  const faults = new Faults();
  const requests = new RequestLog(options.logFile);
  const rendezvous = new Rendezvous(machine.dir);
  const budget = rateBudget(settings);
  const app = createServer({
    ...{ platform, pipelines, builder, sources, settings, faults, requests, rendezvous, base, token },
    rateLimit: budget,
    spend: budget.spend,
    schema: schemaFile === undefined ? undefined : new ApiSchema(schemaFile),
  });
  const server = await new Promise<ServerType>((resolve, reject) => {
    const started = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: options.port ?? 0 }, () => resolve(started));
    started.once('error', reject);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const defaultBuildpack = options.defaultBuildpack ?? PUBLIC_URL;

  return {
    url,
    token,
    env: { HEROKU_HOST: url, HEROKU_API_KEY: token },
    isolated: machine.isolated,
    attachCaFile: rendezvous.caFile,
    prepareAttach: () => rendezvous.prepare(),
    log: () => requests.all(),
    clearLog: () => requests.clear(),
    addFault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    settings,
    async ensureApp(name, appOptions = {}) {
      if (platform.apps.some((known) => known.name === name)) return;
      await platform.createApp({ buildpacks: [defaultBuildpack], ...appOptions, name });
    },
    holdBuild: (name) => holdBuild(platform, platform.app(name)),
    holdDyno: (name) => holdDyno(platform.app(name)),
    ensurePipeline: (name) => void (pipelines.all.some((known) => known.name === name) || pipelines.create(name)),
    holdRun: (pipeline, stage, app) => pipelines.hold(pipeline, stage, app),
    async stop() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([platform.close(), rendezvous.close()]);
      await machine.close();
    },
  };
}

/** Heroku's request budget: full at first, refilled evenly over the hour. */
function rateBudget(settings: Settings): { remaining: () => number; spend: () => boolean } {
  let left = settings.rateLimit;
  let at = Date.now();
  const refill = (): void => {
    const time = Date.now();
    left = Math.min(settings.rateLimit, left + ((time - at) * settings.rateLimit) / 3600_000);
    at = time;
  };
  return {
    remaining: () => {
      refill();
      return Math.floor(left);
    },
    spend: () => {
      refill();
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
