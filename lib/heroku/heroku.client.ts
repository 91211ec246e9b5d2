import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ErrorCode } from '../error-codes.js';
import { isKitError, KitError } from '../errors.js';
import { silentIo, type IoHost } from '../io/io-host.js';
import { networkOf, type Network } from '../network/network.js';
import { MOST_PAGES, unexpectedAnswer } from '../network/answers.js';
import { redact, registerSecret } from '../io/redaction.js';
import type { Heroku } from './heroku.js';
import { herokuApiUrl } from './host.js';
import { PATIENCE, type Patience } from './retry.plan.js';
import { pause } from './pause.js';
import {
  APP,
  BUILD,
  CONFIG_VARS,
  COUPLING,
  DYNO,
  FORMATION,
  INSTALLATIONS,
  LOG_SESSION,
  PIPELINE,
  RELEASE,
  SOURCE,
  STACK,
  STAGE_RUN,
} from './shapes.js';
import { withStages, type StageApi } from './stages.js';
import { follow, upload } from './stream.js';
import { Transport, type Call, type Reply } from './transport.js';

export interface HerokuOptions {
  /** API token, from `herokuToken()`. */
  readonly token: string;
  /** The variable that holds it, as errors name it. Default HEROKU_API_KEY. */
  readonly tokenFrom?: string;
  /** As in HEROKU_HOST. Default: https://api.heroku.com */
  readonly host?: string;
  /** Default: silent. */
  readonly io?: IoHost;
  /** Requests at a time. Default 10. */
  readonly concurrency?: number;
  readonly patience?: Partial<Patience>;
  /** Ends waiting for the rate limit, and between attempts, with its reason. What begins after it was aborted waits as ever. */
  readonly signal?: AbortSignal;
  /** Default: as this process's environment says. */
  readonly network?: Network;
}

/** `body`: of a list that is asked for by POST. */
interface Listing {
  readonly pages?: number;
  readonly body?: unknown;
}

/**
 * The Platform API over heroku-client.
 * @throws KitError `heroku-host-refused` | `heroku-credentials-missing`.
 */
export function createHeroku(options: HerokuOptions): Heroku {
  const host = herokuApiUrl(options.host);
  if (!options.token) throw new KitError('heroku-credentials-missing', 'no Heroku token: set HEROKU_API_KEY, or run `heroku login`');
  registerSecret(options.token);
  const patience: Patience = { ...PATIENCE, ...options.patience };
  const io = options.io ?? silentIo;
  const network = options.network ?? networkOf();
  const transport = new Transport({ ...options, host, io, patience, network, concurrency: options.concurrency ?? 10 });

  const call = async <T>(
    method: Call['method'],
    path: string,
    shape: z.ZodType<T>,
    body?: unknown,
    extra: Partial<Call> = {},
  ): Promise<T> => (await transport.call({ method, path, body, ...extra }, shape)).value;
  const get = <T>(path: string, shape: z.ZodType<T>) => call('GET', path, shape);
  const of = (app: string, ...rest: Array<string | number>) =>
    ['/apps', app, ...rest].map((part, i) => (i ? encodeURIComponent(part) : part)).join('/');

  /** A whole list, page by page, or so many pages of it; with `max`, its first page of that many. */
  const list = async <T>(path: string, shape: z.ZodType<T>, range: string, max?: number, { pages = Infinity, body }: Listing = {}) => {
    const items: T[] = [];
    const asked = new Set<string>();
    let next: string | undefined = `${range}; max=${max ?? 1000}`;
    while (next !== undefined) {
      asked.add(next);
      const { value, nextRange }: Reply<T[]> = await transport.call(
        { method: body ? 'POST' : 'GET', path, range: next, body, repeatable: true },
        z.array(shape),
      );
      items.push(...value);
      next = asked.size < pages && (max === undefined || items.length < max) ? nextRange : undefined;
      if (next !== undefined && (asked.has(next) || asked.size >= MOST_PAGES))
        throw unexpectedAnswer({ service: 'Heroku', request: `GET ${path}` }, 'its pages have no end', 'Next-Range');
    }
    return max === undefined ? items : items.slice(0, max);
  };

  /**
   * A write that must not be sent twice. Where its answer was lost, or says nothing, `look` says what it did, or undefined when it has not
   * taken effect; only then, and only where it was lost, is it sent again.
   */
  const once = async <T>(send: () => Promise<T>, look: () => Promise<T | undefined>, attempts = patience.attempts): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const lost = isKitError(error, 'heroku-ambiguous');
        if (!lost && !isKitError(error, 'unexpected-answer') && !(attempt > 1 && isKitError(error, 'heroku-invalid'))) throw error;
        // What was accepted may take a moment to show.
        await pause(patience.baseMs * 2 ** (attempt - 1));
        const done = await look();
        if (done !== undefined) return done;
        if (!lost || attempt >= attempts) throw error;
        io.debug(`${redact((error as KitError).message)}: it did not; trying again`);
      }
    }
  };

  const varsOf = (pipeline: string, stage: string) => `/pipelines/${encodeURIComponent(pipeline)}/stage/${stage}/config-vars`;
  const stages: StageApi = {
    pipeline: (identity) => get(`/pipelines/${encodeURIComponent(identity)}`, PIPELINE),
    configVars: (pipeline, stage) => get(varsOf(pipeline, stage), CONFIG_VARS),
    patch: (pipeline, stage, changes, guard) => call('PATCH', varsOf(pipeline, stage), CONFIG_VARS, changes, { guard, repeatable: true }),
    runs: async (pipeline, stage) => {
      const path = `/pipelines/${encodeURIComponent(pipeline)}`;
      if (stage === 'review') return get(`${path}/review-apps`, z.array(STAGE_RUN));
      return newestFirst(await list(`${path}/test-runs`, STAGE_RUN, 'number ..; order=desc', undefined, { pages: 1 }));
    },
  };

  const apps: Heroku = {
    app: (name) => get(of(name), APP),
    createApp: ({ name, stack, team }) => {
      const body = { name, ...(stack ? { stack } : {}), ...(team ? { team } : {}) };
      return once(
        () => call('POST', team ? '/teams/apps' : '/apps', APP, body),
        () => get(of(name), APP).catch(unless('app-not-found', 'heroku-forbidden')),
      );
    },
    deleteApp: async (name) => {
      await call('DELETE', of(name), z.any()).catch(unless('app-not-found'));
    },
    apps: ({ from = '', to = '', pages } = {}) => list('/apps', APP, `name ${from}..${to}`, undefined, { pages }),
    appsById: async (ids) => {
      const chunks = Array.from({ length: Math.ceil(ids.length / 1000) }, (_, n) => ids.slice(n * 1000, (n + 1) * 1000));
      const found = chunks.map((id) => list('/filters/apps', APP, 'id ..', undefined, { body: { in: { id } } }));
      return (await Promise.all(found)).flat();
    },
    stacks: () => get('/stacks', z.array(STACK)),

    pipelineApps: async (pipeline, stage) => {
      const { id } = await stages.pipeline(pipeline);
      const couplings = await list(`/pipelines/${encodeURIComponent(id)}/pipeline-couplings`, COUPLING, 'id ..');
      return couplings.filter((one) => stage === undefined || one.stage === stage).map(({ app }) => app.id);
    },

    configVars: (app) => get(of(app, 'config-vars'), CONFIG_VARS),
    releaseConfigVars: (app, version) => get(of(app, 'releases', version, 'config-vars'), CONFIG_VARS),
    patchConfigVars: (app, changes, guard) =>
      once<Record<string, string>>(
        () => call('PATCH', of(app, 'config-vars'), CONFIG_VARS, changes, { guard }),
        async () => {
          const values = await get(of(app, 'config-vars'), CONFIG_VARS);
          if (Object.entries(changes).every(([name, value]) => (values[name] ?? null) === value)) return values;
          // While a release command runs the old values are still answered.
          const [newest] = await list(of(app, 'releases'), RELEASE, 'version ..; order=desc', 1);
          const ours = newest?.status === 'pending' && Object.keys(changes).some((name) => newest.description.includes(name));
          return ours ? values : undefined;
        },
        guard === undefined ? undefined : 1,
      ),
    remaining: () => transport.remaining,
    now: () => network.time.now(),

    releases: (app, { max } = {}) => list(of(app, 'releases'), RELEASE, 'version ..; order=desc', max ?? 200),
    release: (app, idOrVersion) => get(of(app, 'releases', idOrVersion), RELEASE),

    buildpacks: (app) => get(of(app, 'buildpack-installations'), INSTALLATIONS),
    setBuildpacks: (app, urls) =>
      call('PUT', of(app, 'buildpack-installations'), INSTALLATIONS, { updates: urls.map((buildpack) => ({ buildpack })) }),

    builds: async (app, { max } = {}) => newestFirst(await list(of(app, 'builds'), BUILD, 'started_at ..; order=desc', max)),
    build: (app, id) => get(of(app, 'builds', id), BUILD),
    startBuild: async (app, tarball, { version } = {}) => {
      // A source that nothing is built from does no harm.
      const { source_blob: source } = await call('POST', '/sources', SOURCE, undefined, { repeatable: true });
      await upload(network, source.put_url, tarball, patience, options.signal);
      const checksum = `SHA256:${createHash('sha256').update(tarball).digest('hex')}`;
      const body = { source_blob: { url: source.get_url, checksum, ...(version ? { version } : {}) } };
      return once(
        () => call('POST', of(app, 'builds'), BUILD, body),
        async () => (await list(of(app, 'builds'), BUILD, 'started_at ..; order=desc', 20)).find((b) => b.source === source.get_url),
      );
    },
    followStream: (url, onText, signal) => follow(network, url, onText, patience, signal),

    dynos: (app) => get(of(app, 'dynos'), z.array(DYNO)),
    runDyno: (app, { command, size, timeToLive, env }) => {
      const before = network.time.now();
      const more = { ...(size ? { size } : {}), ...(env ? { env } : {}) };
      const body = { command, attach: false, type: 'run', time_to_live: timeToLive, ...more };
      return once(
        () => call('POST', of(app, 'dynos'), DYNO, body),
        async () =>
          (await get(of(app, 'dynos'), z.array(DYNO))).find(
            (d) => d.type === 'run' && d.command === command && Date.parse(d.createdAt) >= before - 120_000,
          ),
      );
    },
    stopDyno: async (app, name) => {
      await call('DELETE', of(app, 'dynos', name), z.any()).catch(unless('heroku-not-found', 'app-not-found'));
    },
    logSession: async (app, { dyno, lines, tail = false }) => {
      const body = { ...(dyno ? { dyno_name: dyno } : {}), ...(lines ? { lines } : {}), tail };
      return (await call('POST', of(app, 'log-sessions'), LOG_SESSION, body, { repeatable: true })).logplex_url;
    },

    processTypes: async (app) => (await get(of(app, 'formation'), z.array(FORMATION))).map(({ type }) => type),
    scale: async (app, type, quantity) => {
      await call('PATCH', of(app, 'formation', type), z.any(), { quantity }, { repeatable: true });
    },
  };
  return withStages(apps, stages);
}

const newestFirst = <T extends { createdAt: string }>(items: T[]): T[] =>
  items.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));

/** For `.catch`: undefined for these codes, anything else goes on. */
const unless =
  (...codes: ErrorCode[]) =>
  (error: unknown): undefined => {
    if (!isKitError(error, ...codes)) throw error;
    return undefined;
  };
