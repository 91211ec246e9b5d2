import type { Path } from '../document.js';
import { didYouMean } from '../nearest.js';
import { bucketOf, nameOf, placesOf, teamsOf, type Rule } from './draft.js';

export const sharedBucketsExist: Rule = (draft, report) => {
  const ids = Object.keys(draft.buckets ?? {});
  for (const [name, team] of teamsOf(draft)) {
    const shared = bucketOf(team)?.shared;
    if (shared === undefined || ids.includes(shared)) continue;
    report(['teams', name, 'bucket', 'shared'], `is not under "buckets": ${JSON.stringify(shared)}`, {
      hint: didYouMean(shared, ids) ?? (ids.length > 0 ? `there are ${ids.join(', ')}` : 'add "buckets" with it'),
    });
  }
};

/** Bucket names are global: two of ours with one name cannot both be made, and what one stack makes is not "existing". */
export const bucketNamesDiffer: Rule = (draft, report) => {
  const made = new Map<string, Path>();
  for (const place of placesOf(draft)) {
    const name = nameOf(place);
    if (name === undefined || place.kind === 'existing') continue;
    const first = made.get(name);
    if (first === undefined) made.set(name, place.path);
    else
      report(place.bucket.name === undefined ? place.path : [...place.path, 'name'], `is the same bucket, ${name}, as ${first.join('.')}`, {
        at: place.bucket.name === undefined ? 'key' : 'value',
        hint: 'give one of them another "name"',
      });
  }
  for (const { path, bucket, kind } of placesOf(draft)) {
    const maker = bucket.existing === undefined ? undefined : made.get(bucket.existing);
    if (kind !== 'existing' || maker === undefined) continue;
    report([...path, 'existing'], `is made here, by ${maker.join('.')}`, {
      hint: maker[0] === 'buckets' ? `use "shared: ${maker[1]}"` : 'move it to "buckets" to share it',
    });
  }
};

/** Teams in one bucket are kept apart by their prefixes, so none may be inside another. */
export const prefixesIsolate: Rule = (draft, report) => {
  const byBucket = new Map<string, { readonly taken: Map<string, Taken>; readonly above: Map<string, Taken> }>();
  for (const [name, team] of teamsOf(draft)) {
    const { shared, existing, prefix = '' } = bucketOf(team) ?? {};
    const id = shared !== undefined ? `shared ${shared}` : existing !== undefined ? `existing ${existing}` : undefined;
    if (id === undefined) continue;
    const { taken, above } = byBucket.get(id) ?? { taken: new Map<string, Taken>(), above: new Map<string, Taken>() };
    byBucket.set(id, { taken, above });
    const outer = ['', ...[...prefix.matchAll(/\/|$/g)].map(({ index }) => prefix.slice(0, index))];
    const clash = outer.map((one) => taken.get(one)).find((one) => one !== undefined) ?? above.get(prefix);
    if (!taken.has(prefix)) taken.set(prefix, { team: name, prefix });
    for (const one of outer) if (!above.has(one)) above.set(one, { team: name, prefix });
    if (clash === undefined) continue;
    const of = (p: string) => (p === '' ? 'the whole bucket' : `prefix ${p}`);
    report(
      ['teams', name, 'bucket', ...(prefix === '' ? [] : ['prefix'])],
      `overlaps with team ${clash.team}: ${of(prefix)} and ${of(clash.prefix)} of one bucket`,
      {
        at: prefix === '' ? 'key' : 'value',
        hint: prefix === '' ? `add "prefix: ${name}"` : 'give each team a prefix of its own, none inside another',
      },
    );
  }
};

interface Taken {
  readonly team: string;
  readonly prefix: string;
}
