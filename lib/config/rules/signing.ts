import { isAwsHost, V2_REGIONS } from '../regions.js';
import { requireAwsRegion } from './buckets.js';
import { placesOf, type Rule } from './draft.js';

export const signingFits: Rule = (draft, report) => {
  const signing = draft.signing ?? {};
  if (signing.region !== undefined && (signing.version === 2 || (signing.buildpack ?? 'hosted') !== 'hosted'))
    report(['signing', 'region'], 'goes with a hosted buildpack only', { at: 'key', hint: 'remove it' });
  else if (signing.region !== undefined) requireAwsRegion(['signing', 'region'], signing.region, report);
  if (signing.version !== 2) {
    if (signing.acknowledgeV2 !== undefined)
      report(['signing', 'acknowledgeV2'], 'goes with version 2 only', { at: 'key', hint: 'remove it, or say "version: 2"' });
    return;
  }
  if (signing.buildpack !== undefined)
    report(['signing', 'buildpack'], 'goes with version 4 only: version 2 is what Halcyon does by itself', {
      at: 'key',
      hint: 'remove it, or say "version: 4"',
    });
  if (signing.acknowledgeV2 !== true)
    report(['signing', 'version'], 'must be 4 unless the buckets are known to accept version 2: buckets made since June 2020 may not', {
      hint: 'add "acknowledgeV2: true" if they do, else use version 4',
    });
  for (const { path, bucket } of placesOf(draft)) {
    const { endpoint, region } = bucket;
    const foreign = endpoint !== undefined && !isAwsHost(endpoint);
    if (region !== undefined && !foreign && !V2_REGIONS.includes(region))
      report([...path, 'region'], `${region} does not accept signature version 2`, {
        hint: `use signing version 4, or one of ${V2_REGIONS.join(', ')}`,
      });
    if (bucket.kmsKeyArn !== undefined)
      report([...path, 'kmsKeyArn'], 'needs signature version 4: S3 refuses version 2 for objects under a KMS key', {
        at: 'key',
        hint: 'use signing version 4, or leave the key out',
      });
  }
};
