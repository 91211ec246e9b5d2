import { createHash } from 'node:crypto';
import type { ErrorCode } from '../error-codes.js';
import { isKitError, KitError } from '../errors.js';
import { silentIo, type IoHost } from '../io/io-host.js';
import { networkOf, type Network } from '../network/network.js';
import { redact, registerSecret, registerUrlSecrets } from '../io/redaction.js';
import type { Heroku } from './heroku.js';
import { herokuApiUrl } from './host.js';
import { PATIENCE, type Patience } from './retry.plan.js';
import { pause } from './pause.js';
import { signedUrl, toApp, toBuild, toDyno, toRelease, type AppJson, type BuildJson, type DynoJson, type ReleaseJson } from './shapes.js';
import { follow, upload } from './stream.js';
import { Transport, type Call } from './transport.js';

export interface HerokuOptions {
  /** API token, from `herokuToken()`. */
  readonly token: string;
  /** As in HEROKU_HOST. Default: https://api.heroku.com */
  readonly host?: string;
  /** Default: silent. */
  readonly io?: IoHost;
  /** Requests at a time. Default 10. */
  readonly concurrency?: number;
  readonly patience?: Partial<Patience>;
  /** Default: as this process's environment says. */
  readonly network?: Network;
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
  const transport = new Transport({ host, token: options.token, io, patience, network, concurrency: options.concurrency ?? 10 });

  const call = async <T>(method: Call['method'], path: string, body?: unknown, extra: Partial<Call> = {}): Promise<T> =>
    (await transport.call<T>({ method, path, body, ...extra })).value;
  const get = <T>(path: string) => call<T>('GET', path);
  const of = (app: string, ...rest: Array<string | number>) =>
    ['/apps', app, ...rest].map((part, i) => (i ? encodeURIComponent(part) : part)).join('/');

  /** A whole list, page by page; with `max`, its first page of that many. */
  const list = async <T>(path: string, range: string, max?: number): Promise<T[]> => {
    const items: T[] = [];
    let next: string | undefined = max === undefined ? `${range}; max=1000` : `${range}; max=${max}`;
    while (next !== undefined) {
      const reply: { value: T[]; nextRange?: string } = await transport.call<T[]>({ method: 'GET', path, range: next });
      items.push(...reply.value);
      next = max === undefined || items.length < max ? reply.nextRange : undefined;
    }
    return max === undefined ? items : items.slice(0, max);
  };

  /**
   * A write that must not be sent twice. Where its answer was lost, `look` says what it did, or undefined when it has not taken
   * effect; only then is it sent again.
   */
  const once = async <T>(send: () => Promise<T>, look: () => Promise<T | undefined>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const lost = isKitError(error, 'heroku-ambiguous');
        if (!lost && !(attempt > 1 && isKitError(error, 'heroku-invalid'))) throw error;
        // What was accepted may take a moment to show.
        await pause(patience.baseMs * 2 ** (attempt - 1));
        const done = await look();
        if (done !== undefined) return done;
        if (!lost || attempt >= patience.attempts) throw error;
        io.debug(`${redact((error as KitError).message)}: it did not; trying again`);
      }
    }
  };

  return {
    app: async (name) => toApp(await get<AppJson>(of(name))),
    createApp: async ({ name, stack, region, team }) => {
      const body = { name, ...(stack ? { stack } : {}), ...(region ? { region } : {}), ...(team ? { team } : {}) };
      const created = await once(
        () => call<AppJson>('POST', team ? '/teams/apps' : '/apps', body),
        () => get<AppJson>(of(name)).catch(unless('app-not-found', 'heroku-forbidden')),
      );
      return toApp(created);
    },
    deleteApp: async (name) => {
      await call('DELETE', of(name)).catch(unless('app-not-found'));
    },
    apps: async () => (await list<AppJson>('/apps', 'name ..')).map(toApp),
    stacks: async () =>
      (await get<Array<{ name: string; state: string; default?: boolean }>>('/stacks')).map((stack) => ({
        name: stack.name,
        state: stack.state,
        default: stack.default === true,
      })),

    configVars: (app) => get(of(app, 'config-vars')),
    patchConfigVars: (app, changes) =>
      once<Record<string, string>>(
        () => call('PATCH', of(app, 'config-vars'), changes),
        async () => {
          const values = await get<Record<string, string>>(of(app, 'config-vars'));
          if (Object.entries(changes).every(([name, value]) => (values[name] ?? null) === value)) return values;
          // While a release command runs the old values are still answered.
          const [newest] = await list<ReleaseJson>(of(app, 'releases'), 'version ..; order=desc', 1);
          const ours = newest?.status === 'pending' && Object.keys(changes).some((name) => newest.description?.includes(name));
          return ours ? values : undefined;
        },
      ),

    releases: async (app, { max } = {}) =>
      (await list<ReleaseJson>(of(app, 'releases'), 'version ..; order=desc', max ?? 200)).map(toRelease),
    release: async (app, idOrVersion) => toRelease(await get<ReleaseJson>(of(app, 'releases', idOrVersion))),

    buildpacks: async (app) => buildpackUrls(await get<InstallationJson[]>(of(app, 'buildpack-installations'))),
    setBuildpacks: async (app, urls) =>
      buildpackUrls(
        await call<InstallationJson[]>('PUT', of(app, 'buildpack-installations'), { updates: urls.map((buildpack) => ({ buildpack })) }),
      ),

    builds: async (app, { max } = {}) =>
      newestFirst((await list<BuildJson>(of(app, 'builds'), 'started_at ..; order=desc', max)).map(toBuild)),
    build: async (app, id) => toBuild(await get<BuildJson>(of(app, 'builds', id))),
    startBuild: async (app, tarball, { version, buildpacks } = {}) => {
      // A source that nothing is built from does no harm.
      const { source_blob: source } = await call<{ source_blob: { put_url: string; get_url: string } }>('POST', '/sources', undefined, {
        repeatable: true,
      });
      signedUrl(source.get_url);
      await upload(network, signedUrl(source.put_url) ?? '', tarball, patience);
      const checksum = `SHA256:${createHash('sha256').update(tarball).digest('hex')}`;
      const body = {
        source_blob: { url: source.get_url, checksum, ...(version ? { version } : {}) },
        ...(buildpacks ? { buildpacks: buildpacks.map((url) => ({ url })) } : {}),
      };
      const build = await once(
        () => call<BuildJson>('POST', of(app, 'builds'), body),
        async () =>
          (await list<BuildJson>(of(app, 'builds'), 'started_at ..; order=desc', 20)).find((b) => b.source_blob?.url === source.get_url),
      );
      return toBuild(build);
    },
    followStream: (url, onText, signal) => follow(network, url, onText, patience, signal),

    dynos: async (app) => (await get<DynoJson[]>(of(app, 'dynos'))).map(toDyno),
    runDyno: async (app, { command, size, timeToLive, env }) => {
      const before = Date.now();
      const body = {
        command,
        attach: false,
        type: 'run',
        time_to_live: timeToLive,
        ...(size ? { size } : {}),
        ...(env ? { env } : {}),
      };
      const dyno = await once(
        () => call<DynoJson>('POST', of(app, 'dynos'), body),
        async () =>
          (await get<DynoJson[]>(of(app, 'dynos'))).find(
            (d) => d.type === 'run' && d.command === command && Date.parse(d.created_at) >= before - 120_000,
          ),
      );
      return toDyno(dyno);
    },
    stopDyno: async (app, name) => {
      await call('DELETE', of(app, 'dynos', name)).catch(unless('heroku-not-found', 'app-not-found'));
    },
    logSession: async (app, { dyno, source, lines, tail }) => {
      const body = {
        ...(dyno ? { dyno_name: dyno } : {}),
        ...(source ? { source } : {}),
        ...(lines ? { lines } : {}),
        tail: tail === true,
      };
      const session = await call<{ logplex_url: string }>('POST', of(app, 'log-sessions'), body, { repeatable: true });
      return signedUrl(session.logplex_url) ?? '';
    },

    scale: async (app, type, quantity, size) => {
      await call('PATCH', of(app, 'formation', type), { quantity, ...(size ? { dyno_size: { name: size } } : {}) }, { repeatable: true });
    },
  };
}

interface InstallationJson {
  ordinal: number;
  buildpack: { url?: string | null; name?: string | null };
}

function buildpackUrls(installations: InstallationJson[]): string[] {
  const urls = [...installations].sort((a, b) => a.ordinal - b.ordinal).map(({ buildpack }) => buildpack.url ?? buildpack.name ?? '');
  registerUrlSecrets(urls); // Private buildpacks are often named with a token in their URL.
  return urls;
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
