import type { Aws } from '../aws/aws.js';
import { deleteObjects } from '../aws/bucket.js';
import { guarded } from '../aws/errors.js';
import type { Team, TeamBucket } from '../config/model.js';
import { keyPrefix, unusedKey } from '../contract/index.js';
import { s3Object } from '../engine/ports/s3-object.client.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { storedPackages } from '../storage/packages.client.js';
import { soaked, unusable, usersOf, type StoredPackage, type Unused } from '../storage/packages.plan.js';
import { holdersOfBucket, usageOf } from './usage.client.js';

/** Where packages are kept, and the teams whose apps look there. */
export interface Place {
  readonly bucket: TeamBucket;
  readonly teams: readonly Team[];
}

/** The places of some teams; of each, every team of the file that uses it. */
export function placesOf(all: readonly Team[], chosen: readonly Team[]): Place[] {
  const at = ({ bucket }: Team): string | undefined => bucket && JSON.stringify([bucket.spec.name, bucket.prefix ?? '']);
  return [...new Set(chosen.flatMap((team) => at(team) ?? []))].map((place) => {
    const teams = all.filter((team) => at(team) === place);
    return { bucket: teams[0]!.bucket!, teams };
  });
}

export interface SeenPackage extends StoredPackage {
  /** Apps whose newest build tells of it. */
  readonly usedBy: readonly string[];
  /** Why no app could use it; absent where one may. */
  readonly unusable?: string;
}

export interface Stock {
  readonly bucket: string;
  readonly place: string;
  readonly teams: readonly string[];
  readonly packages: readonly SeenPackage[];
  /** What may be removed now, and what has to rest before. */
  readonly due: readonly StoredPackage[];
  readonly soaking: readonly StoredPackage[];
  /** Why it cannot be told what is used; empty where it can. */
  readonly unknown: readonly string[];
  /** To be kept in mind for the next time. */
  readonly unused: Unused;
}

/** What is kept in a place, as the names of keys tell it: a request of S3 for each thousand. */
export async function storedAt(aws: Aws, { bucket, teams }: Place, signal?: AbortSignal) {
  const place = keyPrefix(bucket.prefix);
  // A team without a prefix keeps its own beside those of others.
  const packages = (await storedPackages(aws, bucket.spec, place, signal)).filter((one) => one.place === place);
  return { bucket: bucket.spec.name, place, teams: teams.map(({ name }) => name), packages };
}

/** @param seen - the apps of the file that were found, and why others cannot be looked at. Nothing is changed. */
export async function stockOf(
  context: { readonly aws: Aws; readonly heroku: Heroku; readonly signal?: AbortSignal },
  at: Place,
  seen: { readonly apps: readonly HerokuApp[]; readonly refused: readonly string[] },
  soakMs: number,
): Promise<Stock> {
  const { aws, heroku, signal } = context;
  const [stored, others] = await Promise.all([storedAt(aws, at, signal), holdersOfBucket(aws, heroku, at.bucket.spec)]);
  const apps = [...new Map([...others.apps, ...seen.apps].map((app) => [app.id, app])).values()];
  const usage = await usageOf(heroku, apps, signal);
  const unknown = [...seen.refused, ...others.unknown, ...usage.unknown];
  const found = unknown.length > 0 ? new Map<string, string>() : unusable(stored.packages, usage);
  return {
    ...{ ...stored, unknown },
    packages: stored.packages.map((one) => {
      const why = found.get(one.key);
      return { ...one, usedBy: usersOf(one, usage), ...(why === undefined ? {} : { unusable: why }) };
    }),
    ...soaked(stored.packages, found, await unusedBefore(aws, at.bucket, stored.place), new Date(aws.network.time.now()), soakMs),
  };
}

async function unusedBefore(aws: Aws, { spec }: TeamBucket, place: string): Promise<Unused> {
  const body = (await s3Object(aws, spec, unusedKey(place)).read())?.body;
  try {
    return body === undefined ? {} : ((JSON.parse(body) as { unused?: Unused }).unused ?? {});
  } catch {
    // Lost, it costs another soak and no more.
    return {};
  }
}

/** Remove what is due, and keep in mind what rests. With versioning on, what is removed can be had back. */
export async function prune(
  aws: Aws,
  { bucket }: Place,
  { place, due: agreed, unused }: Stock,
  signal?: AbortSignal,
): Promise<StoredPackage[]> {
  // A build may have stored one anew while somebody was asked.
  const now = new Map((await storedPackages(aws, bucket.spec, place, signal)).map(({ key, modified }) => [key, modified]));
  const due = agreed.filter(({ key, modified }) => now.get(key) === modified);
  await guarded(`remove packages from bucket ${bucket.spec.name} (s3:DeleteObject)`, () => deleteObjects(aws, bucket.spec, due, signal));
  const gone = new Set(due.map(({ key }) => key));
  const store = s3Object(aws, bucket.spec, unusedKey(place));
  const found = await store.read();
  const body = JSON.stringify({ version: 1, unused: Object.fromEntries(Object.entries(unused).filter(([key]) => !gone.has(key))) });
  // Written by another meanwhile, theirs is as good.
  await (found === undefined ? store.create(body) : store.replace(body, found.etag));
  return due;
}
