import type { PageApp, PageData, PageKey, PageTeam } from '../lib/cli/page.js';

/** What the page draws, from what `status` saw. Pure: no document here. */

export type Mark = 'broken' | 'warning' | 'info' | 'good';
/** A mark says by its shape, too, what it says by its colour. */
export const SHAPES: Readonly<Record<Mark, string>> = { broken: '✘', warning: '!', info: '◷', good: '●' };

/** A place on the map. */
export interface Place {
  readonly kind: 'deployment' | 'account' | 'bucket' | 'team' | 'principal' | 'key' | 'app';
  readonly name: string;
  /** What is said beside its name. */
  readonly note: string;
  readonly mark: Mark;
  readonly apps: number;
  readonly children: readonly Place[];
}

const RANK: readonly Mark[] = ['broken', 'warning', 'info', 'good'];
const worst = (marks: readonly Mark[]): Mark => RANK.find((mark) => marks.includes(mark)) ?? 'good';
export const many = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

/** How an app is. */
function stateOf({ problem, drift = [] }: PageApp): { readonly mark: Mark; readonly text: string } {
  if (problem !== undefined) return { mark: 'broken', text: problem };
  return drift.length === 0 ? { mark: 'good', text: 'as in the file' } : { mark: 'broken', text: `drifted: ${drift.join(', ')}` };
}

function stateOfKey({ stage, status, soaks }: PageKey): { readonly mark: Mark; readonly text: string } {
  if (stage === 'leaked') return { mark: 'broken', text: `leaked, ${status.toLowerCase()}` };
  if (stage === 'unknown') return { mark: 'warning', text: 'not of the kit’s making' };
  if (soaks !== undefined) return { mark: 'info', text: `soaks until ${minute(soaks)}` };
  return {
    mark: stage === 'current' && status === 'Inactive' ? 'broken' : 'good',
    text: status === 'Active' ? stage : `${stage}, inactive`,
  };
}

/** `2026-11-28 14:05`. */
export const minute = (time: string): string => time.slice(0, 16).replace('T', ' ');

function place(
  kind: Place['kind'],
  name: string,
  children: readonly Place[],
  own: { mark?: Mark; note?: string; apps?: number } = {},
): Place {
  const apps = own.apps ?? children.reduce((sum, child) => sum + child.apps, 0);
  const mark = worst([own.mark ?? 'good', ...children.map((child) => child.mark)]);
  return { kind, name, note: own.note ?? many(apps, 'app'), mark, apps, children };
}

const proofOf = ({ lastProof }: PageTeam): string[] =>
  lastProof === undefined
    ? []
    : [
        lastProof.ok && lastProof.due
          ? `to be proven: ${lastProof.due.join(', ')}`
          : `${lastProof.ok ? 'proven' : 'NOT proven'} ${minute(lastProof.at)}`,
      ];

/** deployment → account → bucket → team → principal → key → app. */
export function mapOf({ deployment, buckets, teams, findings }: PageData): Place {
  const found = new Map<string, Mark[]>();
  for (const { subject, severity } of findings) found.set(subject, [...(found.get(subject) ?? []), severity]);
  const marked = (subject: string): Mark => worst(found.get(subject) ?? []);
  const team = (one: PageTeam): Place => {
    const app = (it: PageApp): Place => {
      const { mark, text } = stateOf(it);
      return place('app', it.name, [], {
        mark: worst([mark, marked(it.name.startsWith('pipeline:') ? it.name : `app ${it.name}`)]),
        note: `${it.mode}, ${text}`,
        apps: 1,
      });
    };
    const held = new Map<string | undefined, PageApp[]>();
    for (const it of one.apps) held.set(it.key, [...(held.get(it.key) ?? []), it]);
    const known = new Set(one.principals.flatMap(({ keys }) => keys.map(({ id }) => id)));
    const principals = one.principals.map((it) =>
      place(
        'principal',
        it.label,
        it.keys.map((key) => {
          const { mark, text } = stateOfKey(key);
          const apps = (held.get(key.id) ?? []).map(app);
          return place('key', key.id, apps, { mark, note: `${text}, ${many(apps.length, 'app')}` });
        }),
        { mark: marked(`principal ${it.label}`), ...(it.declared ? {} : { note: 'no longer in the file' }) },
      ),
    );
    const strange = [...held].filter(([key]) => key !== undefined && !known.has(key));
    return place(
      'team',
      one.name,
      [
        ...principals,
        ...strange.map(([key, apps]) =>
          place('key', key ?? '', apps.map(app), { mark: 'broken', note: `unknown to AWS, ${many(apps.length, 'app')}` }),
        ),
        ...(held.has(undefined) ? [place('key', 'without a key', (held.get(undefined) ?? []).map(app))] : []),
      ],
      {
        mark: worst([marked(`team ${one.name}`), marked(`stack halcyon-${one.name}`)]),
        note: [many(one.apps.length, 'app'), ...(one.prefix === undefined ? [] : [`in ${one.prefix}/`]), ...proofOf(one)].join(', '),
      },
    );
  };
  const accounts = [...new Set(buckets.map(({ account }) => account))].map((account) =>
    place(
      'account',
      account,
      buckets
        .filter((bucket) => bucket.account === account)
        .map(({ name, region }) => {
          const inside = teams.filter((one) => one.bucket === name).map(team);
          return place('bucket', name, inside, { mark: marked(`bucket ${name}`), note: `${region}, ${many(inside.length, 'team')}` });
        }),
    ),
  );
  return place('deployment', deployment, [...accounts, ...teams.filter(({ bucket }) => bucket === undefined).map(team)]);
}

type Kind = NonNullable<PageData['packages']>[number]['kinds'][number];

/** What is in a bucket: all its places together. */
export interface Contents {
  readonly bucket: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that no app has asked for; undefined where that was not looked for. */
  readonly unasked?: number;
  readonly kinds: readonly Kind[];
  /** Why something of it is not known. */
  readonly notes: readonly string[];
}

/** The largest first; none where the buckets were not looked into. */
export function contentsOf({ buckets, packages = [] }: PageData): Contents[] {
  const all = buckets.flatMap(({ name }): Contents[] => {
    const places = packages.filter(({ bucket }) => bucket === name);
    if (places.length === 0) return [];
    const kinds = together(places.flatMap((place) => place.kinds));
    const notes = [...new Set(places.flatMap(({ unknown = [] }) => unknown))];
    const looked = places.every(({ unknown }) => unknown !== undefined);
    const unasked = looked ? { unasked: sum(kinds, (kind) => kind.unasked?.bytes ?? 0) } : {};
    return [{ bucket: name, files: sum(kinds, ({ files }) => files), bytes: sum(kinds, ({ bytes }) => bytes), ...unasked, kinds, notes }];
  });
  return all.sort((a, b) => b.bytes - a.bytes);
}

function together(kinds: readonly Kind[]): Kind[] {
  const amount = (some: ReadonlyArray<{ readonly files: number; readonly bytes: number } | undefined>) => ({
    files: sum(some, (one) => one?.files ?? 0),
    bytes: sum(some, (one) => one?.bytes ?? 0),
  });
  return [...new Set(kinds.map(({ kind }) => kind))].map((kind) => {
    const some = kinds.filter((one) => one.kind === kind);
    const [oldest = '', newest = ''] = [
      some.map((one) => one.oldest).sort()[0],
      some
        .map((one) => one.newest)
        .sort()
        .at(-1),
    ];
    const found = { kind, ...amount(some), oldest, newest };
    if (some.some(({ unasked }) => unasked === undefined)) return found;
    return { ...found, unasked: amount(some.map(({ unasked }) => unasked)) };
  });
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);

export function size(bytes: number): string {
  const [unit, name] = bytes < 1e5 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${(bytes / unit).toFixed(1)} ${name}`;
}

/** A key on the timeline. */
export interface Aged {
  readonly key: PageKey;
  readonly principal: string;
  /** Days. */
  readonly age: number;
  /** Days until it is to be replaced, or, where it soaks, may be deleted; below zero: overdue. */
  readonly due?: number;
  readonly mark: Mark;
  readonly text: string;
}

const DAY = 86_400_000;

/** What is due first comes first, then the oldest. */
export function agesOf({ at, policy, teams }: PageData): Aged[] {
  const now = Date.parse(at);
  const all = teams.flatMap(({ principals }) =>
    principals.flatMap(({ label, keys }) =>
      keys.map((key): Aged => {
        const age = Math.max(0, now - Date.parse(key.made)) / DAY;
        const { mark, text } = stateOfKey(key);
        const soaks = key.soaks === undefined ? undefined : (Date.parse(key.soaks) - now) / DAY;
        const due = key.stage === 'current' ? policy.maxAge / DAY - age : soaks;
        if (due === undefined) return { key, principal: label, age, mark, text };
        return { key, principal: label, age, due, mark: worst([mark, due < 0 && soaks === undefined ? 'warning' : 'good']), text };
      }),
    ),
  );
  return all.sort((a, b) => (a.due ?? Infinity) - (b.due ?? Infinity) || b.age - a.age);
}

/** How many keys are of which age, in as many equal parts. */
export function histogram(ages: readonly Aged[], longest: number, parts: number): number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const { age } of ages) counts[Math.min(parts - 1, Math.floor((age / longest) * parts))]! += 1;
  return counts;
}

/** A row of the table of apps. */
export interface Row {
  readonly team: string;
  readonly app: string;
  readonly mode: string;
  readonly key: string;
  readonly mark: Mark;
  readonly state: string;
  /** All of it, in lower case, for the filter. */
  readonly text: string;
}

/** Those that need attention come first. */
export function rowsOf({ teams }: PageData): Row[] {
  const rows = teams.flatMap(({ name, apps, principals }) => {
    const stages = new Map(principals.flatMap(({ keys }) => keys.map((key) => [key.id, stateOfKey(key).text] as const)));
    return apps.map((app): Row => {
      const { mark, text: state } = stateOf(app);
      const key = app.key === undefined ? '–' : `${app.key} (${stages.get(app.key) ?? 'unknown to AWS'})`;
      const text = [name, app.name, app.mode, key, state].join(' ').toLowerCase();
      return { team: name, app: app.name, mode: app.mode, key, mark, state, text };
    });
  });
  return rows.sort((a, b) => RANK.indexOf(a.mark) - RANK.indexOf(b.mark));
}

/** Rows in which every word is found. */
export function filtered(rows: readonly Row[], typed: string): readonly Row[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.length === 0 ? rows : rows.filter(({ text }) => words.every((word) => text.includes(word)));
}

/** Findings that say the same to do about several things. */
export interface Group {
  readonly severity: Exclude<Mark, 'good'>;
  readonly name: string;
  /** What mends it, around the command, where there is one that can be pasted. */
  readonly fix: readonly [before: string, command: string, after: string];
  readonly about: ReadonlyArray<{ readonly subject: string; readonly message: string }>;
}

/** By name, the worst first; in each those that are mended by the same. */
export function groupsOf(findings: PageData['findings']): ReadonlyArray<readonly [Group, ...Group[]]> {
  const groups = new Map<string, Group & { about: Array<Group['about'][number]> }>();
  for (const { severity, name, fix, subject, message } of findings) {
    const id = [severity, name, fix].join('\n');
    const group = groups.get(id) ?? { severity, name, fix: partsOf(fix), about: [] };
    group.about.push({ subject, message });
    groups.set(id, group);
  }
  const byName = new Map<string, [Group, ...Group[]]>();
  for (const group of groups.values()) {
    const id = `${group.severity} ${group.name}`;
    const known = byName.get(id);
    if (known === undefined) byName.set(id, [group]);
    else known.push(group);
  }
  return [...byName.values()];
}

function partsOf(fix: string): Group['fix'] {
  const found = /\b(?:halcyon-kit|heroku|aws) (?:(?! with )[^,;()])+/.exec(fix);
  if (found === null) return [fix, '', ''];
  const command = found[0].trim();
  return [fix.slice(0, found.index), command, fix.slice(found.index + command.length)];
}
