import { defaultBucketName, STAGES_WITH_VARS } from '../../contract/index.js';
import type { Path } from '../document.js';
import type { BucketShape, FileShape } from '../schema.js';

type DeepPartial<T> = T extends string | number | boolean ? T : { [K in keyof T]?: DeepPartial<T[K]> };

/** The file less what is wrong with its shape: a rule looks at what is there, and says nothing of what is not. */
export type Draft = DeepPartial<FileShape>;
export type DraftTeam = NonNullable<NonNullable<Draft['teams']>[string]>;
export type DraftApp = NonNullable<NonNullable<DraftTeam['apps']>[string]>;

/** Every setting that any kind of bucket has. */
export type DraftBucket = DeepPartial<BucketShape>;

export type Report = (path: Path, message: string, options?: { hint?: string; at?: 'key' | 'value' }) => void;
export type Rule = (draft: Draft, report: Report) => void;

/** Where the shape is wrong. */
export interface Bad {
  readonly path: Path;
  /** A mapping of settings should be there: the rules see one of which nothing is known, rather than none. */
  readonly emptied?: boolean;
}

/** `data`, a mapping, less what is `bad`. */
export function salvage(data: object, bad: readonly Bad[]): Draft {
  // YAML aliases make one object stand in several places, of which only one may be wrong.
  const copy = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
  for (const { path, emptied } of bad) {
    let container: unknown = copy;
    for (const step of path.slice(0, -1)) container = (container as Record<string, unknown> | undefined)?.[step];
    if (typeof container !== 'object' || container === null) continue;
    if (emptied === true) (container as Record<string, unknown>)[path.at(-1)!] = {};
    else delete (container as Record<string, unknown>)[path.at(-1)!];
  }
  return copy as Draft;
}

export const teamsOf = (draft: Draft): Array<[string, DraftTeam]> =>
  Object.entries(draft.teams ?? {}).filter((entry): entry is [string, DraftTeam] => entry[1] !== undefined);

export const appsOf = (team: DraftTeam): Array<[string, DraftApp]> =>
  Object.entries(team.apps ?? {}).filter((entry): entry is [string, DraftApp] => entry[1] !== undefined);

/** Apps, and stages of pipelines, which hold keys as apps do: each by its path in the team. */
export const holdersOf = (team: DraftTeam): Array<{ path: string[]; app: DraftApp }> => [
  ...appsOf(team).map(([name, app]) => ({ path: ['apps', name], app })),
  ...Object.entries(team.pipelines ?? {}).flatMap(([name, pipeline]) =>
    STAGES_WITH_VARS.flatMap((stage) =>
      pipeline?.[stage] === undefined ? [] : [{ path: ['pipelines', name, stage], app: pipeline[stage] }],
    ),
  ),
];

export const bucketOf = (team: DraftTeam): DraftBucket | undefined => team.bucket as DraftBucket | undefined;

/** Shared buckets, and the teams' own and existing ones: whatever says where it is. */
export function placesOf(draft: Draft): Array<{ path: Path; bucket: DraftBucket; owner: string; kind: 'shared' | 'own' | 'existing' }> {
  const shared = Object.entries(draft.buckets ?? {}).map(([id, bucket]) => ({
    path: ['buckets', id],
    bucket: (bucket ?? {}) as DraftBucket,
    owner: id,
    kind: 'shared' as const,
  }));
  const teams = teamsOf(draft).flatMap(([name, team]) => {
    const bucket = bucketOf(team);
    if (bucket === undefined || bucket.shared !== undefined) return [];
    const kind = bucket.existing === undefined ? ('own' as const) : ('existing' as const);
    return [{ path: ['teams', name, 'bucket'], bucket, owner: team.was ?? name, kind }];
  });
  return [...shared, ...teams];
}

/** Bucket name, where enough is known to tell. */
export const nameOf = ({ bucket, owner }: { bucket: DraftBucket; owner: string }): string | undefined =>
  bucket.existing ??
  bucket.name ??
  (bucket.account !== undefined && bucket.region !== undefined ? defaultBucketName(owner, bucket.account, bucket.region) : undefined);

/** A rule about each team by itself, which reports by paths within it. */
export const ofTeams =
  (rule: (team: DraftTeam, report: Report, name: string) => void): Rule =>
  (draft, report) => {
    for (const [name, team] of teamsOf(draft)) rule(team, within(['teams', name], report), name);
  };

/** The same of each bucket that has a place of its own. */
export const ofPlaces =
  (rule: (bucket: DraftBucket, report: Report) => void): Rule =>
  (draft, report) => {
    for (const { path, bucket } of placesOf(draft)) rule(bucket, within(path, report));
  };

const within =
  (at: Path, report: Report): Report =>
  (path, ...rest) =>
    report([...at, ...path], ...rest);
