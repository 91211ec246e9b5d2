import type { Path } from '../document.js';
import { AWS_REGION_PATTERN, KMS_KEY_PATTERN } from '../names.js';
import { didYouMean } from '../nearest.js';
import { isAwsHost, KNOWN_REGIONS } from '../regions.js';
import { ofPlaces, type Report } from './draft.js';

export const awsRegions = ofPlaces(({ region, existing, endpoint }, report) => {
  // A store that is not AWS may call its regions what it likes.
  const foreign = existing !== undefined && endpoint !== undefined && !isAwsHost(endpoint);
  if (region !== undefined && !foreign) requireAwsRegion(['region'], region, report);
});

export function requireAwsRegion(path: Path, region: string, report: Report): void {
  const near = didYouMean(region, KNOWN_REGIONS);
  if (AWS_REGION_PATTERN.test(region)) {
    // New regions come, but their numbers in order.
    const [area = '', n = ''] = region.split(/-(?=\d+$)/);
    const known = KNOWN_REGIONS.filter((one) => one.startsWith(`${area}-`));
    if (Number(n) > known.length + 1) report(path, `AWS has no region ${region}`, { hint: near });
    return;
  }
  report(path, `must be an AWS region such as eu-west-1, got ${JSON.stringify(region)}`, { hint: near });
}

/** S3 answers the wrong endpoint with a redirect, on which upstream gives up. */
export const regionalEndpoints = ofPlaces(({ endpoint, region }, report) => {
  if (endpoint === undefined || region === undefined || !isAwsHost(endpoint)) return;
  const named = /(?:^|\.)s3[.-](?:dualstack\.|fips\.)?([a-z]{2,4}(?:-[a-z]+)+-\d+)\./.exec(endpoint)?.[1] ?? 'us-east-1';
  if (named !== region)
    report(['endpoint'], `is in region ${named}, but the bucket is in ${region}: S3 would answer every request with a redirect`, {
      hint: 'remove it: the regional endpoint is the default',
    });
});

export const publicReadAcknowledged = ofPlaces(({ acl, allowPublicRead }, report) => {
  if (acl === 'public-read' && allowPublicRead !== true)
    report(['acl'], 'public-read lets anyone read every prebuilt package, and needs Block Public Access of ACLs switched off', {
      hint: 'add "allowPublicRead: true" if that is meant, else use bucket-owner-full-control',
    });
  if (allowPublicRead === true && acl !== 'public-read')
    report(['allowPublicRead'], 'goes with acl public-read only', { at: 'key', hint: 'remove it' });
});

export const kmsKeyInRegion = ofPlaces((bucket, report) => {
  const region = KMS_KEY_PATTERN.exec(bucket.kmsKeyArn ?? '')?.[1];
  if (region !== undefined && bucket.region !== undefined && region !== bucket.region)
    report(['kmsKeyArn'], `is in region ${region}, but the bucket is in ${bucket.region}: S3 uses keys of its own region only`);
});

export const noncurrentNeedsVersioning = ofPlaces(({ retention, versioning }, report) => {
  if (retention?.noncurrentDays !== undefined && versioning === undefined)
    report(['retention', 'noncurrentDays'], 'means nothing without versioning', {
      at: 'key',
      hint: 'add "versioning: true" to the bucket, "versioning: false" where it was on before, or remove it',
    });
});
