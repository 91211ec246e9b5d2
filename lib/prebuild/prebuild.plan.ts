import type { App } from '../config/model.js';
import { HOURS_A_MONTH, PRICES } from '../contract/prices.js';

const { basic: _, ...USD_A_MONTH } = PRICES.dynoMonth;
export const SIZES = Object.keys(USD_A_MONTH) as Array<keyof typeof USD_A_MONTH>;
export type Size = (typeof SIZES)[number];

/** Of so many dynos for so long: `$0.69`. */
export const costOf = (size: Size, ms: number, dynos = 1): string =>
  `$${((USD_A_MONTH[size] / HOURS_A_MONTH) * (ms / 3_600_000) * dynos).toFixed(2)}`;

/** Config vars that decide what a build makes and where it looks, less those that would keep it from building or archiving. */
export const COPIED =
  /^(BASHMENOT_|HALCYON_(?!AWS_|S3_|NO_(ARCHIVE|BUILD|PRIVATE_STORAGE|UPLOAD)|DEPENDENCIES_ONLY|PURGE_CACHE|KEEP_DEPENDENCIES))/;

/** Versions by package, of a cabal.config; undefined where it pins none. */
export function constraintsOf(cabalConfig: string | undefined): ReadonlyMap<string, string> | undefined {
  const found = [...(cabalConfig ?? '').matchAll(/\b([A-Za-z][A-Za-z0-9-]*)\s*==\s*([\d.]+)/g)];
  return found.length === 0 ? undefined : new Map(found.map(([, name = '', version = '']) => [name, version]));
}

export interface Job {
  readonly app: string;
  /** Where it looks for packages: those of other places are no use to it. */
  readonly place: string;
  readonly constraints: ReadonlyMap<string, string> | undefined;
  /** Whether a compiler is stored there. */
  readonly compiler: boolean;
}

/**
 * In the order in which they can use each other's packages: Halcyon takes the dependencies of another app where it needs all of them, in the same
 * versions. So what needs less goes first, and one of several that need the same; where nothing is stored, one builds the compiler for all.
 */
export function inWaves<T extends Job>(jobs: readonly T[]): T[][] {
  const size = ({ constraints }: Job): number => constraints?.size ?? Infinity;
  const ordered = [...jobs].sort((a, b) => (size(a) === size(b) ? 0 : size(a) - size(b)));
  const wave = new Map<T, number>();
  for (const job of ordered) {
    const before = [...wave].filter(([other]) => other.place === job.place);
    const first = (other: T) => before.find(([one]) => usableBy(one, other) && usableBy(other, one))?.[0] === other;
    const waits = before.filter(([other], index) => (usableBy(job, other) && first(other)) || (index === 0 && !job.compiler));
    wave.set(job, Math.max(-1, ...waits.map(([, at]) => at)) + 1);
  }
  return Array.from({ length: Math.max(0, ...wave.values()) + 1 }, (_, at) => ordered.filter((job) => wave.get(job) === at));
}

/** What an app needs that pins nothing is not known: it may be all that others make. */
const usableBy = ({ constraints: all }: Job, { constraints: part }: Job): boolean =>
  all === undefined || (part !== undefined && [...part].every(([name, version]) => all.get(name) === version));

/** Why an app cannot be prebuilt, as the file alone tells. */
export function refusalOf({ name, mode }: App): string | undefined {
  if (mode === 'upload') return undefined;
  const why =
    mode === 'public'
      ? `app ${name} is in mode public: without a private bucket there is nowhere to keep what is built`
      : `app ${name} is in mode read-only: its build would end well, and nothing of it would be kept`;
  return `${why}; prebuild an app in mode upload that has the same source and uses the same bucket`;
}
