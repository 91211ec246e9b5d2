import { s3Endpoint } from '../config/derive.js';
import {
  explainApp,
  explainBucket,
  explainEndpoint,
  explainHerokuTeam,
  explainKmsKey,
  explainPrefix,
  explainTeam,
  explainUrl,
} from '../config/names.js';
import { isAwsHost } from '../config/regions.js';
import { ACLS, type Acl, type Mode } from '../contract/index.js';
import { isHaskellOnHeroku } from '../heroku/buildpacks.plan.js';
import { unfitness } from '../heroku/preflight.js';
import { foreign } from '../io/redaction.js';
import type { LeftOut, Seen, SeenApp } from './model.js';

/** What a file would say of what was seen, and what it cannot. Pure. */
export interface Described {
  readonly teams: readonly DescribedTeam[];
  readonly forks: { readonly halcyonUrl?: string; readonly bashmenotUrl?: string };
  /** Apps that no team can have, or that were not to be read. */
  readonly leftOut: readonly LeftOut[];
}

export interface DescribedTeam {
  readonly name: string;
  /** Undefined where every app is public. */
  readonly bucket?: DescribedBucket;
  readonly herokuTeam?: string;
  readonly perApp: boolean;
  readonly apps: readonly DescribedApp[];
  readonly remarks: readonly string[];
}

export interface DescribedBucket {
  readonly existing: string;
  readonly prefix?: string;
  /** Undefined: to be filled in. */
  readonly account?: string;
  readonly region?: string;
  readonly acl: Acl;
  readonly kmsKeyArn?: string;
  readonly endpoint?: string;
}

export interface DescribedApp {
  readonly name: string;
  readonly mode: Mode;
  readonly clean: boolean;
  readonly fallback: boolean;
  readonly remarks: readonly string[];
}

const KIT_USER = /^halcyon\.(?:team|app)\./;
const isPrivate = ({ vars, hasSecret, others }: SeenApp): boolean =>
  Boolean(vars.HALCYON_AWS_ACCESS_KEY_ID && hasSecret && vars.HALCYON_S3_BUCKET) && others.HALCYON_NO_PRIVATE_STORAGE !== '1';
const modeOf = (app: SeenApp): Mode => (!isPrivate(app) ? 'public' : app.vars.HALCYON_NO_UPLOAD === '1' ? 'read-only' : 'upload');
const placeOf = ({ vars }: SeenApp): { name: string; prefix?: string } => {
  const [name = '', ...rest] = (vars.HALCYON_S3_BUCKET ?? '').split('/');
  const prefix = rest.join('/').replace(/\/+$/, '');
  return { name, ...(prefix === '' ? {} : { prefix }) };
};
const distinct = <T>(values: Iterable<T>): T[] => [...new Set(values)];

export function describe(seen: Seen): Described {
  const leftOut: LeftOut[] = [...seen.unread];
  const fit = [...seen.apps]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((app) => {
      const why = whyNot(app, seen);
      if (why !== undefined) leftOut.push({ app: app.name, why });
      return why === undefined;
    });
  const groups = new Map<string, SeenApp[]>();
  const storages = new Map<string, SeenApp[]>();
  const add = (to: Map<string, SeenApp[]>, place: string, app: SeenApp) => to.set(place, [...(to.get(place) ?? []), app]);
  for (const app of fit.filter(isPrivate)) add(storages, Object.values(placeOf(app)).join('/'), app);
  for (const [place, apps] of [...storages].sort(([, a], [, b]) => b.length - a.length)) {
    // Teams in one bucket are kept apart by prefixes, none inside another.
    const around = [...groups.keys()].find((other) => nested(other, place));
    if (around === undefined) groups.set(place, apps);
    else
      for (const { name: app } of apps)
        leftOut.push({
          app,
          why: `its storage, ${foreign(place)}, and that of others, ${foreign(around)}, are one inside the other, which no two teams can have`,
        });
  }
  for (const app of fit.filter((one) => !isPrivate(one))) {
    const near = [...groups].filter(([place, apps]) => !place.startsWith('/') && apps.some((one) => one.team === app.team));
    add(groups, near.length === 1 ? (near[0]?.[0] ?? '') : `/${app.team ?? ''}`, app);
  }
  const names = new Set<string>();
  const teams = [...groups.values()].map((apps) => teamOf(apps, seen, groups, names));
  const fork = (name: 'HALCYON_URL' | 'BASHMENOT_URL') => {
    const urls = distinct(fit.map(({ others }) => others[name]));
    return urls.length === 1 && urls[0] !== undefined && explainUrl(urls[0]) === undefined ? urls[0] : undefined;
  };
  const [halcyonUrl, bashmenotUrl] = [fork('HALCYON_URL'), fork('BASHMENOT_URL')];
  return { teams, forks: { ...(halcyonUrl ? { halcyonUrl } : {}), ...(bashmenotUrl ? { bashmenotUrl } : {}) }, leftOut };
}

const nested = (a: string, b: string): boolean => a !== b && (within(a, b) || within(b, a));
const within = (outer: string, inner: string): boolean => inner.startsWith(`${outer}/`);

function whyNot(app: SeenApp, { users }: Seen): string | undefined {
  const user = users.get(app.vars.HALCYON_AWS_ACCESS_KEY_ID ?? '');
  if (user !== undefined && KIT_USER.test(user))
    return `it has a key of the kit's already, of IAM user ${user}: it stays in the file that it is in`;
  const unfit = unfitness(app);
  if (unfit !== undefined) return `it is ${unfit.why}`;
  if (explainApp(app.name) !== undefined) return 'its name is none that Heroku gives today';
  if (!isPrivate(app)) return undefined;
  const { name, prefix } = placeOf(app);
  const wrong = explainBucket(name) ?? (prefix === undefined ? undefined : explainPrefix(prefix));
  return wrong === undefined ? undefined : `its HALCYON_S3_BUCKET cannot be used: ${foreign(wrong)}`;
}

function teamOf(apps: readonly SeenApp[], seen: Seen, groups: ReadonlyMap<string, readonly SeenApp[]>, names: Set<string>): DescribedTeam {
  const users = apps.filter(isPrivate);
  const place = users[0] === undefined ? undefined : placeOf(users[0]);
  const herokuTeams = distinct(apps.map(({ team }) => team));
  const owner = herokuTeams.length === 1 ? herokuTeams[0] : undefined;
  const alone = owner !== undefined && [...groups.values()].filter((group) => group.some(({ team }) => team === owner)).length === 1;
  const candidates = [alone ? owner : undefined, place?.prefix?.split('/').at(-1), place?.name, owner, 'public-apps'];
  const name = teamName(candidates.find((one) => one !== undefined) ?? '', names);
  const keys = distinct(users.map(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID ?? ''));
  const { bucket, remarks } = place === undefined ? { bucket: undefined, remarks: [] } : bucketOf(place, users, seen);
  const heldBy = (key: string) => users.filter(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID === key).map((app) => app.name);
  return {
    name,
    ...(bucket === undefined ? {} : { bucket }),
    ...(owner !== undefined && explainHerokuTeam(owner) === undefined ? { herokuTeam: owner } : {}),
    perApp: users.length > 1 && keys.length === users.length,
    apps: apps.map((app) => describeApp(app, bucket, seen)),
    remarks: [
      ...keys.map((key) => {
        const user = seen.users.get(key);
        const of = user === undefined ? 'whose user was not found' : `of IAM user ${foreign(user)}`;
        return `key today: ${keyName(key)} ${of}, held by ${heldBy(key).join(', ')}; the kit leaves it as it is: delete it when "up" has moved them and their builds have ended`;
      }),
      ...remarks,
    ],
  };
}

/** Key ids are no secrets, but what stands in their place might be one. */
const keyName = (id: string): string => (/^A[KS]IA[A-Z0-9]{12,28}$/.test(id) ? id : '(none that AWS would give)');

function teamName(wish: string, taken: Set<string>): string {
  const plain = wish.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const named = (/^[a-z]/.test(plain) ? plain : `team-${plain}`).slice(0, 14).replace(/-+$/, '').padEnd(2, 'x');
  const base = explainTeam(named) === undefined ? named : `of-${named}`;
  const name = taken.has(base)
    ? Array.from({ length: taken.size + 1 }, (_, n) => `${base}-${n + 2}`).find((one) => !taken.has(one))!
    : base;
  taken.add(name);
  return name;
}

function bucketOf({ name, prefix }: { name: string; prefix?: string }, users: readonly SeenApp[], seen: Seen) {
  const there = seen.buckets.get(name);
  const region = there?.region ?? regionHint(users);
  const remarks: string[] = [];
  if (there?.state === 'gone') remarks.push(`EDIT: bucket ${name} does not exist: its apps use none today`);
  if (there?.state === 'not-shown')
    remarks.push(`EDIT: bucket ${name} is not shown to these AWS credentials; whose it is, is not known: say its account`);
  // Halcyon's own default.
  const acls = distinct(users.filter((app) => modeOf(app) === 'upload').map(({ vars }) => vars.HALCYON_S3_ACL || 'private'));
  const held = ACLS.find((acl) => acls.length === 1 && acl === acls[0]);
  const enforced = there?.ownership === 'BucketOwnerEnforced';
  const acl = enforced || held === undefined ? 'bucket-owner-full-control' : held;
  if (enforced && held !== undefined && held !== acl)
    remarks.push(`apps upload with the ACL ${held} today; the bucket has ACLs turned off, where ${acl} is sure to pass`);
  else if (held === undefined && acls.length > 0)
    remarks.push(
      `EDIT: apps upload with the ACL ${acls.map(foreign).join(' and ')} today, of which one that the kit knows can be chosen: ${ACLS.join(', ')}`,
    );
  if (acl === 'public-read') remarks.push('every package in it can be read by anyone today');
  const endpoints = distinct(users.map(({ vars }) => vars.HALCYON_S3_ENDPOINT ?? ''));
  const [endpoint = ''] = endpoints;
  const own = region !== undefined && s3Endpoint(seen, { region });
  const odd =
    endpoints.length === 1 && endpoint !== '' && endpoint !== own && !isAwsHost(endpoint) && explainEndpoint(endpoint) === undefined;
  return {
    bucket: {
      ...{ existing: name, acl },
      ...(prefix === undefined ? {} : { prefix }),
      ...(there?.state === 'present' && seen.account !== undefined ? { account: seen.account } : {}),
      ...(region === undefined ? {} : { region }),
      ...(there?.kmsKeyArn !== undefined && explainKmsKey(there.kmsKeyArn) === undefined ? { kmsKeyArn: there.kmsKeyArn } : {}),
      ...(odd ? { endpoint } : {}),
    },
    remarks,
  };
}

function regionHint(users: readonly SeenApp[]): string | undefined {
  const hints = users.map(
    ({ vars }) => vars.HALCYON_S3_REGION ?? /^s3[.-]([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\./.exec(vars.HALCYON_S3_ENDPOINT ?? '')?.[1],
  );
  const [first, ...rest] = distinct(hints.filter((one) => one !== undefined && /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(one)));
  return rest.length === 0 ? first : undefined;
}

/** Region that the config vars of a bucket's apps point at, to look there first. */
export const regionOfBucket = (apps: readonly SeenApp[], bucket: string): string | undefined =>
  regionHint(apps.filter((app) => isPrivate(app) && placeOf(app).name === bucket));

/** Buckets to look at. */
export const bucketsOf = (apps: readonly SeenApp[]): string[] =>
  distinct(apps.filter(isPrivate).map((app) => placeOf(app).name)).filter((name) => explainBucket(name) === undefined);

function describeApp(app: SeenApp, bucket: DescribedBucket | undefined, { terraform }: Seen): DescribedApp {
  const { name, vars, others, buildpacks, contested } = app;
  const mode = modeOf(app);
  const remarks: string[] = [];
  if (mode === 'public' && others.HALCYON_NO_PRIVATE_STORAGE === '1')
    remarks.push(
      "private storage is turned off by HALCYON_NO_PRIVATE_STORAGE, which is not the kit's: unset it when you give it another mode",
    );
  else if (mode === 'public' && bucket !== undefined && (vars.HALCYON_S3_BUCKET ?? vars.HALCYON_AWS_ACCESS_KEY_ID) !== undefined)
    remarks.push('it has some of what private storage takes, but not all, so Halcyon uses none');
  if (mode === 'read-only' && vars.HALCYON_NO_PUBLIC_STORAGE !== '1')
    remarks.push('it uses public packages as well today; in this mode it will not');
  if (buildpacks !== undefined && !buildpacks.some((url) => isHaskellOnHeroku(url, '')))
    remarks.push('haskell-on-heroku is not among its buildpacks; "buildpack: { install: true }" adds it');
  for (const one of contested)
    remarks.push(
      `${one.name} went to and fro in ${one.releases.map((version) => `v${version}`).join(', ')}: something else sets it as well; find and stop that first, or it goes on`,
    );
  const set = terraform.get(name);
  if (set !== undefined)
    remarks.push(`Terraform sets ${set.join(', ')}: take that out of its configuration first, or it puts its values back`);
  return {
    ...{ name, mode, remarks },
    clean: mode !== 'upload' || vars.HALCYON_NO_CLEAN_PRIVATE_STORAGE !== '1',
    fallback: mode === 'upload' && vars.HALCYON_NO_PUBLIC_STORAGE !== '1',
  };
}
