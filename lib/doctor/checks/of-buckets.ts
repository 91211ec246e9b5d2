import { s3Endpoint } from '../../config/derive.js';
import type { Refusal, Refused } from '../../storage/refusal.js';
import { classifyRefusal } from '../../storage/refusals.js';
import type { BucketFacts, Check, Observation } from '../model.js';
import { about, type Fault } from './finding.js';

/** A check of each bucket by itself. */
export const ofBuckets =
  (check: (bucket: BucketFacts, observation: Observation) => Iterable<Fault>): Check =>
  (observation) =>
    observation.buckets.flatMap((bucket) => about(`bucket ${bucket.name}`, check(bucket, observation)));

/** How the template is put back. */
export const again = ({ team, kind }: BucketFacts): string =>
  kind === 'existing' ? 'change the bucket by hand: it is not the kit’s' : `run halcyon-kit up ${team}`;

/** What S3 would say to `refused`, which is a refusal, as its settings show beforehand. */
export const foreseen = ({ name, spec, team }: BucketFacts, refused: Refused): Refusal =>
  classifyRefusal(refused, { bucket: name, endpoint: s3Endpoint({}, spec), region: spec.region, signing: 4, acl: spec.acl, team })!;
