import type { Acl } from '../lib/contract/index.js';
import { isKitError } from '../lib/errors.js';
import { pause } from '../lib/heroku/pause.js';
import { halcyonRequest, type HalcyonRequest, type HalcyonStore } from '../lib/storage/halcyon-requests.js';
import { LOAD_PAUSE_MS } from './cost.plan.js';
import type { Run } from './run.js';

export interface LoadResult {
  readonly requests: number;
  /** Each in words, in which its app, operation and answer are. */
  readonly refused: readonly string[];
}

/** Do `work` while each app asks for its config vars and uses them at once, as a build does that begins now, over and over. */
export async function underLoad<T>(run: Run, apps: readonly string[], work: () => Promise<T>): Promise<{ result: T; load: LoadResult }> {
  const stop = new AbortController();
  const seen = { requests: 0, refused: [] as string[] };
  const load = apps.map(async (app) => {
    while (!stop.signal.aborted) {
      await round(run, app, seen);
      await pause(LOAD_PAUSE_MS, stop.signal).catch(() => undefined);
    }
  });
  try {
    const result = await work();
    return { result, load: seen };
  } finally {
    stop.abort();
    await Promise.all(load);
  }
}

async function round({ heroku, place, aws }: Run, app: string, seen: { requests: number; refused: string[] }): Promise<void> {
  const vars = await heroku.configVars(app).catch((error: unknown) => {
    if (!isKitError(error, 'app-not-found')) seen.refused.push(`${app}: its config vars cannot be read: ${String(error)}`);
    return {} as Record<string, string>;
  });
  const store = storeOf(vars, place.region);
  if (store === undefined) return;
  const requests: Array<readonly [HalcyonRequest, number]> = [
    [{ operation: 'list', prefix: 'accept-load' }, 200],
    [{ operation: 'download', key: 'accept-load/none' }, 404],
  ];
  if (vars.HALCYON_NO_UPLOAD === undefined)
    requests.push([{ operation: 'upload', key: `accept-load/${app}`, body: Buffer.from('x') }, 200]);
  for (const [request, expected] of requests) {
    const { status, error, failure } = await halcyonRequest(store, request, { network: aws(place.region).network });
    seen.requests += 1;
    if (status === expected) continue;
    seen.refused.push(`${app}: ${request.operation} answered ${status ?? failure?.code} ${error?.code ?? ''} to ${store.key.accessKeyId}`);
  }
}

/** What the config vars say; undefined for an app without private storage. */
export function storeOf(vars: Readonly<Record<string, string>>, region: string): HalcyonStore | undefined {
  const { HALCYON_AWS_ACCESS_KEY_ID: accessKeyId, HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey, HALCYON_S3_BUCKET: where = '' } = vars;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const [bucket = '', ...prefix] = where.split('/');
  return {
    bucket,
    ...(prefix.length > 0 ? { prefix: prefix.join('/') } : {}),
    endpoint: vars.HALCYON_S3_ENDPOINT ?? '',
    region: vars.HALCYON_S3_REGION ?? region,
    acl: (vars.HALCYON_S3_ACL ?? 'bucket-owner-full-control') as Acl,
    signing: 4,
    key: { accessKeyId, secretAccessKey },
  };
}
