import { setTimeout as sleep } from 'node:timers/promises';
import { keyPrefix } from '../../../lib/contract/index.js';
import type { RawAnswer } from '../../../sandbox/test/support/clients.js';
import type { Wire } from '../../engine/support/wire.js';
import { storageRequest, type StorageRequest } from '../../support/halcyon-request.js';
import { BUILDPACK } from './edit.js';

/** What builds and one-off dynos met. */
export interface Met {
  builds: number;
  dynos: number;
  requests: number;
  /** Requests that were not answered as Halcyon needs, in words. */
  readonly refused: string[];
  /** Packages that were there before and were not found, in words. */
  readonly missing: string[];
}

const PLATFORM = 'linux-ubuntu-24.04-x86_64';
/** Packages that are there before anything changes. */
export const PLANTED = [1, 2, 3].map((n) => `${PLATFORM}/planted-${n}.tar.gz`);

export interface LoadOptions {
  readonly apps: readonly string[];
  /** Regions of the buckets, as their endpoints would tell. */
  readonly regions: ReadonlyMap<string, string>;
  /** Builds of one app at a time, beside one dyno. Default 1. */
  readonly lanes?: number;
  /** Pause between two requests of a build, ms. */
  readonly pause?: number;
}

/** Builds and one-off dynos that run all the time, each on what its app had when it began. */
export class Load {
  readonly met: Met = { builds: 0, dynos: 0, requests: 0, refused: [], missing: [] };
  /** What builds archived and did not clean away, by app. */
  readonly archived = new Map<string, string[]>();
  private going = true;
  private readonly running: Promise<unknown>;

  constructor(
    private readonly wire: Wire,
    private readonly options: LoadOptions,
  ) {
    const lanes = options.apps.flatMap((app) =>
      [...Array.from({ length: options.lanes ?? 1 }, () => 'build' as const), 'dyno' as const].map((what) => this.lane(app, what)),
    );
    this.running = Promise.all(lanes);
  }

  /** Lets the builds that run end, and begins no other. */
  async stop(): Promise<Met> {
    this.going = false;
    await this.running;
    return this.met;
  }

  private async lane(app: string, what: 'build' | 'dyno'): Promise<void> {
    while (this.going) await this.use(app, what);
  }

  private async use(app: string, what: 'build' | 'dyno'): Promise<void> {
    const { heroku } = this.wire.sandbox;
    const held = what === 'build' ? heroku.holdBuild(app) : heroku.holdDyno(app);
    const until = Date.now() + 300 + Math.random() * 2700;
    const id = `${app}-${what}-${(this.met[`${what}s`] += 1)}`;
    try {
      const storage = storageIn(held.configVars);
      for (let n = 0; n === 0 || Date.now() < until; n += 1) {
        if (storage !== undefined) await this.round({ app, storage, signature: held.buildpacks[0] === BUILDPACK ? 4 : 2 }, `${id}-${n}`);
        await sleep(this.options.pause ?? 300);
      }
    } finally {
      held.end();
    }
  }

  /** Looks, fetches, archives and cleans, as far as the config vars say so. */
  private async round({ app, storage, signature }: Use, id: string): Promise<void> {
    const { bucket, prefix, acl } = storage;
    const region = storage.region ?? this.options.regions.get(bucket) ?? '';
    const ask = (request: Pick<StorageRequest, 'method' | 'object' | 'prefix' | 'acl'>) =>
      this.ask(app, storage.key, { signature, region, bucket, ...request });
    const at = (object: string) => `${keyPrefix(prefix)}${object}`;
    await ask({ method: 'GET', prefix: keyPrefix(prefix) });
    await ask({ method: 'GET', object: at(PLANTED[Math.floor(Math.random() * PLANTED.length)] ?? '') });
    if (!storage.uploads) return;
    const built = `${PLATFORM}/built-${id}.tar.gz`;
    const put = await ask({ method: 'PUT', object: at(built), acl });
    if (storage.cleans && !id.endsWith('-0')) await ask({ method: 'DELETE', object: at(built) });
    else if (put?.status === 200) this.archived.set(app, [...(this.archived.get(app) ?? []), built]);
  }

  private async ask(app: string, key: Key, request: StorageRequest): Promise<RawAnswer | undefined> {
    const { wire, met } = this;
    const what = `${new Date().toISOString().slice(14, 22)} ${app}: ${request.method} ${request.bucket}/${request.object ?? ''} with ${key.accessKeyId}`;
    met.requests += 1;
    try {
      const answer = await storageRequest(wire.sandbox.aws, key, request);
      const code = /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1] ?? '';
      if (answer.status === 404) met.missing.push(`${what}: 404 ${code}`);
      else if (answer.status >= 300) met.refused.push(`${what}: ${answer.status} ${code}`);
      return answer;
    } catch (error) {
      met.refused.push(`${what}: ${(error as Error).message}`);
      return undefined;
    }
  }
}

interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
interface Storage {
  readonly bucket: string;
  readonly prefix: string;
  readonly key: Key;
  readonly region?: string;
  readonly acl?: string;
  readonly uploads: boolean;
  readonly cleans: boolean;
}
interface Use {
  readonly app: string;
  readonly storage: Storage;
  readonly signature: 2 | 4;
}

/** What Halcyon reads in its config vars; undefined where it uses no private storage. */
function storageIn(vars: Readonly<Record<string, string>>): Storage | undefined {
  if (vars.HALCYON_S3_BUCKET === undefined) return undefined;
  const [bucket = '', ...prefix] = vars.HALCYON_S3_BUCKET.split('/');
  const uploads = vars.HALCYON_NO_UPLOAD === undefined;
  return {
    bucket,
    prefix: prefix.join('/'),
    key: { accessKeyId: vars.HALCYON_AWS_ACCESS_KEY_ID ?? 'none', secretAccessKey: vars.HALCYON_AWS_SECRET_ACCESS_KEY ?? '' },
    ...(vars.HALCYON_S3_REGION === undefined ? {} : { region: vars.HALCYON_S3_REGION }),
    ...(vars.HALCYON_S3_ACL === undefined ? {} : { acl: vars.HALCYON_S3_ACL }),
    uploads,
    cleans: uploads && vars.HALCYON_NO_CLEAN_PRIVATE_STORAGE === undefined,
  };
}
