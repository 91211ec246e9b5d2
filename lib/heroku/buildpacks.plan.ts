/** What an app's list of buildpacks should hold; the rest of the list is the team's own. */
export interface DesiredBuildpacks {
  /** With version 4: the URL of the SigV4 buildpack. With version 2 it goes: `why`, for people; default: because of the version. */
  readonly signing: { readonly version: 2; readonly why?: string } | { readonly version: 4; readonly buildpackUrl: string };
  /** Whether a URL is the SigV4 buildpack, in any of its versions. */
  readonly ours: (url: string) => boolean;
  /** haskell-on-heroku: where to get it, and whether to add it where it is missing. */
  readonly install: { readonly enabled: boolean; readonly url: string };
}

interface BuildpackChange {
  readonly action: 'add' | 'replace' | 'move' | 'remove';
  readonly url: string;
  /** With `replace`: the version that goes. */
  readonly from?: string;
  /** Why, for people. */
  readonly reason: string;
}

export interface BuildpackPlan {
  /** The whole list as it should be. Equal to the current one where there are no changes. */
  readonly urls: readonly string[];
  readonly changes: readonly BuildpackChange[];
  /** The app does not use Halcyon, and adding it was not asked for. */
  readonly problem?: 'no-haskell-on-heroku';
}

/**
 * The changes that put our buildpack first (version 4) or take it out (version 2, or the app is being let go). Pure. All others
 * stay, in their order.
 * @param current - the app's buildpacks in order, as Heroku answered them.
 */
export function planBuildpacks(current: readonly string[], desired: DesiredBuildpacks): BuildpackPlan {
  const { signing, ours, install } = desired;
  const others = current.filter((url) => !ours(url));
  const held = current.filter((url) => ours(url));
  const changes: BuildpackChange[] = [];

  const wanted = signing.version === 4 ? signing.buildpackUrl : undefined;
  if (wanted !== undefined) changes.push(...planOurs(current, held, wanted));
  else
    changes.push(
      ...held.map((url): BuildpackChange => ({
        action: 'remove',
        url,
        reason: signing.version === 2 && signing.why !== undefined ? signing.why : 'requests are signed with version 2',
      })),
    );

  const present = others.some((url) => isHaskellOnHeroku(url, install.url));
  const add = !present && install.enabled;
  if (add) changes.push({ action: 'add', url: install.url, reason: 'the app does not have haskell-on-heroku yet' });
  return {
    urls: [...(wanted === undefined ? [] : [wanted]), ...others, ...(add ? [install.url] : [])],
    changes,
    ...(present || add ? {} : { problem: 'no-haskell-on-heroku' as const }),
  };
}

function planOurs(current: readonly string[], held: readonly string[], wanted: string): BuildpackChange[] {
  const stale = held.filter((url) => url !== wanted);
  const extra = held.filter((url) => url === wanted).slice(1);
  const changes: BuildpackChange[] = [];
  if (held.includes(wanted)) {
    if (current[0] !== wanted) changes.push({ action: 'move', url: wanted, reason: 'must come before haskell-on-heroku: first' });
  } else {
    const from = stale.shift();
    changes.push(
      from === undefined
        ? { action: 'add', url: wanted, reason: 'signs requests with version 4' }
        : { action: 'replace', url: wanted, from, reason: 'another version of the SigV4 buildpack' },
    );
  }
  return [
    ...changes,
    ...[...stale, ...extra].map((url): BuildpackChange => ({ action: 'remove', url, reason: 'the SigV4 buildpack is there once only' })),
  ];
}

/** The configured URL, or any repository of the name: forks keep it. Heroku's registry has no such buildpack. */
export function isHaskellOnHeroku(url: string, configured: string): boolean {
  return same(url) === same(configured) || /(^|[/:])haskell-on-heroku$/.test(same(url));
}

/** Without what does not tell one repository from another: branch, `.git`, a slash at the end. */
const same = (url: string): string =>
  url
    .replace(/#.*$/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
