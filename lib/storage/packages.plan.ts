/** What Halcyon keeps in a bucket, as the names of keys tell it (facts of the Halcyon sources, 2019). Pure. */

/** Compiler; cabal-install, with or without a list of packages; dependencies; an app half way; an app that is finished; a source as its makers publish it. */
const KINDS = ['ghc', 'cabal', 'sandbox', 'build', 'install', 'original'] as const;
type PackageKind = (typeof KINDS)[number];

export interface Package {
  readonly key: string;
  readonly kind: PackageKind;
  /** What stands before: empty, or a team's `prefix/`. */
  readonly place: string;
  /** File name. */
  readonly name: string;
  /** Undefined for `original`. */
  readonly platform?: string;
  /** GHC that it belongs to; with 7 digits more where the source changes the compiler. */
  readonly ghc?: string;
  /** NAME-VERSION of the app; of `cabal`, its version and repository. */
  readonly label?: string;
  /** Of `sandbox`, its constraints; of `install`, its source: 7 digits. */
  readonly hash?: string;
  /** Of `cabal` with a list of packages: its day. */
  readonly date?: string;
}

const IN_PLATFORM = /^(.*\/)?([^/]+)\/(halcyon-(ghc|cabal)-([^/]+?)\.tar\.gz)$/;
const IN_GHC = /^(.*\/)?([^/]+)\/ghc-([^/]+)\/(halcyon-(sandbox|build|install)-([^/]+)\.(?:tar\.gz|constraints))$/;
const ORIGINAL = /^(.*\/)?original\/([^/]+)$/;

/** What a key of a bucket holds; undefined where it is none of Halcyon's: the kit's own, or anyone's. */
export function packageOf(key: string): Package | undefined {
  const [, place = '', platform, name, kind, id] = IN_PLATFORM.exec(key) ?? [];
  if (name !== undefined && kind === 'ghc') return { key, kind, place, name, platform, ghc: id };
  if (name !== undefined) {
    const [, label = id, date] = /^(.+)-(\d{4}-\d{2}-\d{2})$/.exec(id ?? '') ?? [];
    return { key, kind: 'cabal', place, name, platform, label, ...(date === undefined ? {} : { date }) };
  }
  const [, before = '', on, ghc, file, what, rest = ''] = IN_GHC.exec(key) ?? [];
  if (file !== undefined) {
    const base = { key, place: before, name: file, platform: on, ghc };
    if (what === 'build') return { ...base, kind: what, label: rest };
    const [, hash, label] = /^([0-9a-f]{7}(?:\.[0-9a-f]{7})?)-(.+)$/.exec(rest) ?? [];
    return hash === undefined ? undefined : { ...base, kind: what as 'sandbox' | 'install', label, hash };
  }
  const [, above = '', source] = ORIGINAL.exec(key) ?? [];
  return source === undefined ? undefined : { key, kind: 'original', place: above, name: source };
}

export interface StoredPackage extends Package {
  readonly bytes: number;
  /** ISO 8601. */
  readonly modified: string;
}

export const amountOf = (some: ReadonlyArray<Pick<StoredPackage, 'bytes'>>) => ({
  files: some.length,
  bytes: some.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** Kind by kind; `unasked` is what no app's newest build tells of, where builds were looked at. */
export const byKind = (packages: ReadonlyArray<StoredPackage & { readonly usedBy?: readonly string[] }>) =>
  KINDS.flatMap((kind) => {
    const some = packages.filter((one) => one.kind === kind);
    if (some.length === 0) return [];
    const dates = some.map(({ modified }) => modified).sort();
    const looked = some.every(({ usedBy }) => usedBy !== undefined);
    const unasked = looked ? { unasked: amountOf(some.filter(({ usedBy }) => usedBy?.length === 0)) } : {};
    return [{ kind, ...amountOf(some), oldest: dates[0]!, newest: dates.at(-1)!, ...unasked }];
  });
export type PackagesOfKind = ReturnType<typeof byKind>[number];

/** Who builds with what one place holds. */
export interface Usage {
  /** Those that its apps are on, or will be at their next build. */
  readonly platforms: ReadonlySet<string>;
  /** By app, the names of files that its newest build tells of: downloaded, uploaded, or in its cache; undefined where that cannot be read. */
  readonly named: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

/** Apps whose newest build tells of a package. */
export const usersOf = ({ name }: Package, { named }: Usage): string[] =>
  [...named].flatMap(([app, names]) => (names?.has(name) ? [app] : []));

/**
 * Why no app could use a package, by its key; what one may use, or may come to use, is left out. A compiler and a bare cabal stay as long as any app
 * is on their platform: no build says that it will want them, and without them one with an empty cache is buildpack only.
 * @param packages - of one place, all of them.
 */
export function unusable(packages: readonly StoredPackage[], usage: Usage): Map<string, string> {
  const newest = new Map<string, StoredPackage>();
  for (const one of packages) {
    const last = newest.get(lineOf(one));
    if (last === undefined || rankOf(last) < rankOf(one)) newest.set(lineOf(one), one);
  }
  const allRead = [...usage.named.values()].every((names) => names !== undefined);
  return new Map(
    packages.flatMap((one): Array<[string, string]> => {
      if (one.platform === undefined) return [];
      if (!usage.platforms.has(one.platform)) return [[one.key, `no app is on ${one.platform}`]];
      const last = newest.get(lineOf(one))!;
      const succeeded = one.kind === 'cabal' ? one.date !== undefined : one.kind === 'sandbox' || one.kind === 'install';
      // The two files of a sandbox have one hash.
      if (!succeeded || last === one || (last.hash !== undefined && last.hash === one.hash)) return [];
      return allRead && usersOf(one, usage).length === 0 ? [[one.key, `succeeded by ${last.name}`]] : [];
    }),
  );
}

/** Packages of one line succeed each other: Halcyon itself deletes the older ones, where it may. */
const lineOf = ({ platform, ghc, kind, label, date }: Package): string => [platform, ghc, kind, label, date !== undefined].join('\n');
const rankOf = ({ date, modified }: StoredPackage): string => date ?? modified;

/** Since when packages are of no use, ISO 8601 by key. */
export type Unused = Readonly<Record<string, string>>;

/** @param unusable - as {@link unusable} finds them now. @param before - as it was kept. @returns what may go, and what is to be kept in mind. */
export function soaked(
  packages: readonly StoredPackage[],
  unusable: ReadonlyMap<string, string>,
  before: Unused,
  now: Date,
  soakMs: number,
): { readonly due: StoredPackage[]; readonly soaking: StoredPackage[]; readonly unused: Unused } {
  const idle = packages.filter(({ key }) => unusable.has(key));
  const since = ({ key, modified }: StoredPackage): string => {
    const known = before[key];
    // One that was written again since is another.
    return known !== undefined && known >= modified ? known : now.toISOString();
  };
  const isDue = (one: StoredPackage): boolean => now.getTime() - Date.parse(since(one)) >= soakMs;
  return {
    due: idle.filter(isDue),
    soaking: idle.filter((one) => !isDue(one)),
    unused: Object.fromEntries(idle.map((one) => [one.key, since(one)])),
  };
}
