import { defaultBucketName } from '../../contract/index.js';
import type { Path } from '../document.js';
import { AWS_REGION_PATTERN, KMS_KEY_PATTERN } from '../names.js';
import { didYouMean } from '../nearest.js';
import { isAwsHost, KNOWN_REGIONS } from '../regions.js';
import { bucketOf, nameOf, placesOf, teamsOf, type DraftBucket, type Rule } from './draft.js';

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

/** A store that is not AWS may call its regions what it likes. */
const isForeign = ({ existing, endpoint }: DraftBucket): boolean =>
  existing !== undefined && endpoint !== undefined && !isAwsHost(endpoint);

export const awsRegions: Rule = (draft, report) => {
  for (const { path, bucket } of placesOf(draft)) {
    if (bucket.region === undefined || isForeign(bucket) || AWS_REGION_PATTERN.test(bucket.region)) continue;
    report([...path, 'region'], `must be an AWS region such as eu-west-1, got ${JSON.stringify(bucket.region)}`, {
      hint: didYouMean(bucket.region, KNOWN_REGIONS),
    });
  }
};

/** S3 answers the wrong endpoint with a redirect, on which upstream gives up. */
export const regionalEndpoints: Rule = (draft, report) => {
  for (const { path, bucket } of placesOf(draft)) {
    const { endpoint, region } = bucket;
    if (endpoint === undefined || region === undefined || !isAwsHost(endpoint)) continue;
    const named = /(?:^|\.)s3[.-](?:dualstack\.|fips\.)?([a-z]{2,4}(?:-[a-z]+)+-\d+)\./.exec(endpoint)?.[1] ?? 'us-east-1';
    if (named !== region) {
      report(
        [...path, 'endpoint'],
        `is in region ${named}, but the bucket is in ${region}: S3 would answer every request with a redirect`,
        {
          hint: 'remove it: the regional endpoint is the default',
        },
      );
    }
  }
};

export const publicReadAcknowledged: Rule = (draft, report) => {
  for (const { path, bucket } of placesOf(draft)) {
    if (bucket.acl === 'public-read' && bucket.allowPublicRead !== true) {
      report([...path, 'acl'], 'public-read lets anyone read every prebuilt package, and needs Block Public Access of ACLs switched off', {
        hint: 'add "allowPublicRead: true" if that is meant, else use bucket-owner-full-control',
      });
    }
    if (bucket.allowPublicRead === true && bucket.acl !== 'public-read') {
      report([...path, 'allowPublicRead'], 'goes with acl public-read only', { at: 'key', hint: 'remove it' });
    }
  }
};

export const kmsKeyInRegion: Rule = (draft, report) => {
  for (const { path, bucket } of placesOf(draft)) {
    const region = KMS_KEY_PATTERN.exec(bucket.kmsKeyArn ?? '')?.[1];
    if (region !== undefined && bucket.region !== undefined && region !== bucket.region)
      report([...path, 'kmsKeyArn'], `is in region ${region}, but the bucket is in ${bucket.region}: S3 uses keys of its own region only`);
  }
};

export const noncurrentNeedsVersioning: Rule = (draft, report) => {
  for (const { path, bucket } of placesOf(draft)) {
    if (bucket.retention?.noncurrentDays !== undefined && bucket.versioning === undefined)
      report([...path, 'retention', 'noncurrentDays'], 'means nothing without versioning', {
        at: 'key',
        hint: 'add "versioning: true" to the bucket, "versioning: false" where it was on before, or remove it',
      });
  }
};

/** Bucket names are global: two of ours with one name cannot both be made, and what one stack makes is not "existing". */
export const bucketNamesDiffer: Rule = (draft, report) => {
  const made = new Map<string, Path>();
  for (const place of placesOf(draft)) {
    const name = nameOf(place, defaultBucketName);
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
  for (const [team, { bucket: raw }] of teamsOf(draft)) {
    const bucket = raw as DraftBucket | undefined;
    const id =
      bucket?.shared !== undefined ? `shared ${bucket.shared}` : bucket?.existing !== undefined ? `existing ${bucket.existing}` : undefined;
    if (id === undefined) continue;
    const prefix = bucket?.prefix ?? '';
    const { taken, above } = byBucket.get(id) ?? { taken: new Map<string, Taken>(), above: new Map<string, Taken>() };
    byBucket.set(id, { taken, above });
    const outer = ['', ...[...prefix.matchAll(/\/|$/g)].map(({ index }) => prefix.slice(0, index))];
    const clash = outer.map((one) => taken.get(one)).find((one) => one !== undefined) ?? above.get(prefix);
    if (!taken.has(prefix)) taken.set(prefix, { team, prefix });
    for (const one of outer) if (!above.has(one)) above.set(one, { team, prefix });
    if (clash === undefined) continue;
    const of = (p: string) => (p === '' ? 'the whole bucket' : `prefix ${p}`);
    report(
      ['teams', team, 'bucket', ...(prefix === '' ? [] : ['prefix'])],
      `overlaps with team ${clash.team}: ${of(prefix)} and ${of(clash.prefix)} of one bucket`,
      {
        at: prefix === '' ? 'key' : 'value',
        hint: prefix === '' ? `add "prefix: ${team}"` : 'give each team a prefix of its own, none inside another',
      },
    );
  }
};

interface Taken {
  readonly team: string;
  readonly prefix: string;
}
