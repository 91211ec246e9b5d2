import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { guarded } from '../aws/errors.js';
import type { BucketSpec, TeamBucket } from '../config/model.js';
import { halcyonBucket, HOLDERS_PREFIX, keyPrefix, parseStage } from '../contract/index.js';
import { holdersIn } from '../engine/index.js';
import { isKitError } from '../errors.js';
import type { Build, Heroku, HerokuApp } from '../heroku/heroku.js';
import { platformOf } from '../smoke/archive.js';
import { parseBuildLog, type BuildLog, type StorageLine } from '../smoke/log.js';
import { Objects } from '../smoke/objects.client.js';
import { storedPackages } from '../storage/packages.client.js';
import { packageOf, type Usage } from '../storage/packages.plan.js';

/** A finished build's log is there at once, or, of an old build, no more. */
const LOG_MS = 10_000;

/** What the newest successful one of an app's builds said: undefined where that cannot be read, null where there is none. */
export async function newestLog(
  heroku: Pick<Heroku, 'followStream'>,
  builds: readonly Build[],
  signal?: AbortSignal,
): Promise<BuildLog | null | undefined> {
  const build = builds.find(({ status }) => status === 'succeeded');
  if (build === undefined) return null;
  if (build.outputStreamUrl === undefined) return undefined;
  const limit = AbortSignal.timeout(LOG_MS);
  let text = '';
  try {
    await heroku.followStream(build.outputStreamUrl, (chunk) => void (text += chunk), signal ? AbortSignal.any([signal, limit]) : limit);
  } catch (error) {
    signal?.throwIfAborted();
    if (limit.aborted || isKitError(error)) return undefined;
    throw error;
  }
  return text === '' ? undefined : parseBuildLog(text);
}

/** Files of Halcyon's that a log tells of: requests, and what was in the cache. */
const namesIn = ({ lines }: BuildLog): ReadonlySet<string> =>
  new Set(lines.join('\n').match(/halcyon-(?:ghc|cabal|sandbox|build|install)-[^\s/]+?\.(?:tar\.gz|constraints)\b/g) ?? []);

export interface SeenUsage extends Usage {
  /** Why it is not all that there is; empty where it is. */
  readonly unknown: readonly string[];
}

/** Who uses what is stored in a place: apps by name, as Heroku shows them. */
export async function usageOf(heroku: Heroku, apps: readonly HerokuApp[], signal?: AbortSignal): Promise<SeenUsage> {
  const logOf = async ({ name }: HerokuApp) => [name, await newestLog(heroku, await heroku.builds(name, { max: 20 }), signal)] as const;
  const logs = await pMap(apps, logOf, { concurrency: 5 });
  const stacks = apps.flatMap(({ name, stack, buildStack }) =>
    [stack, ...(buildStack === undefined ? [] : [buildStack])].map((one) => ({ name, one })),
  );
  return {
    platforms: new Set(stacks.flatMap(({ one }) => platformOf(one) ?? [])),
    named: new Map(logs.map(([name, log]) => [name, log === null ? new Set<string>() : log && namesIn(log)])),
    unknown: stacks
      .filter(({ one }) => platformOf(one) === undefined)
      .map(({ name, one }) => `app ${name} is on ${one}, whose platform is not known`),
  };
}

/** Apps that were ever given a key to a bucket, in the file or not, of whatever deployment; and why one of them cannot be looked at. */
export async function holdersOfBucket(aws: Aws, heroku: Heroku, spec: BucketSpec): Promise<{ apps: HerokuApp[]; unknown: string[] }> {
  const records = await guarded(`read who has keys to bucket ${spec.name}`, () => new Objects(aws, spec).read(HOLDERS_PREFIX));
  const holders = new Map(records.flatMap(({ key, body }) => holdersIn(body, `s3://${spec.name}/${key}`)).map(({ id, app }) => [id, app]));
  // Of a stage of a pipeline it is the apps that were made with it which use packages.
  for (const id of [...holders.keys()]) {
    const stage = parseStage(id);
    if (stage === undefined) continue;
    holders.delete(id);
    const members = await heroku.pipelineApps(stage.pipeline, stage.stage).catch((error: unknown) => {
      if (!isKitError(error, 'heroku-not-found')) throw error;
      return [];
    });
    for (const member of members) holders.set(member, member);
  }
  const apps = await heroku.appsById([...holders.keys()]);
  const unknown: string[] = [];
  for (const [id, name] of holders) {
    if (apps.some((app) => app.id === id)) continue;
    const found = await heroku.app(id).catch((error: unknown) => {
      if (isKitError(error, 'app-not-found')) return undefined;
      if (!isKitError(error, 'heroku-forbidden')) throw error;
      unknown.push(`app ${name} was given a key, and may not be looked at`);
    });
    if (found !== undefined) apps.push(found);
  }
  return { apps, unknown };
}

/** The install archive that the next build of the same source takes: what the app itself uploaded, not a tool that it needs; else what it asked for. */
export const installIn = ({ requests, install, deployed, built }: BuildLog): StorageLine | undefined =>
  requests.find(({ action, url }) => {
    const found = action === 'Uploading' ? packageOf(url) : undefined;
    return found?.kind === 'install' && found.label === (deployed ?? built);
  }) ?? install;

/** Whether what a log calls `s3://…` is there; undefined for what is in no bucket of the team's. */
export async function isStored(aws: Aws, { spec, prefix }: TeamBucket, url: string, signal?: AbortSignal): Promise<boolean | undefined> {
  const start = `s3://${halcyonBucket(spec.name, prefix)}/`;
  if (!url.startsWith(start)) return undefined;
  const key = `${keyPrefix(prefix)}${url.slice(start.length)}`;
  return (await storedPackages(aws, spec, key, signal)).some((one) => one.key === key);
}
