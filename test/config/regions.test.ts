import { RegionInfo } from 'aws-cdk-lib/region-info';
import { describe, expect, test } from 'vitest';
import { parseConfig, s3Endpoint } from '../../lib/config/index.js';
import { domainOf, isAwsHost, KNOWN_REGIONS, partitionOf } from '../../lib/config/regions.js';

describe.each(['us-east-1', 'cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'])('%s', (region) => {
  test('is known, and placed as the CDK has it', () => {
    expect(KNOWN_REGIONS).toContain(region);
    const { partition, domainSuffix } = RegionInfo.get(region);
    expect([partitionOf(region), domainOf(region)]).toEqual([partition, domainSuffix]);
  });

  test('may be that of a bucket, with the regional endpoint by default or by name', () => {
    const bucket = (more = '') =>
      `teams: { payments: { bucket: { account: "111122223333", region: ${region}${more} }, apps: { payments-api: { mode: upload } } } }`;
    const host = `s3.${region}.${RegionInfo.get(region).domainSuffix}`;
    for (const text of [bucket(), bucket(`, endpoint: "${host}"`)]) {
      const config = parseConfig(text);
      expect(s3Endpoint(config, config.teams[0]!.bucket!.spec)).toBe(host);
    }
  });
});

test('another region’s endpoint is refused in every partition', () => {
  const text = `teams: { payments: { bucket: { account: "111122223333", region: eu-west-1, endpoint: s3.eusc-de-east-1.amazonaws.eu }, apps: { payments-api: { mode: upload } } } }`;
  expect(() => parseConfig(text)).toThrow('is in region eusc-de-east-1, but the bucket is in eu-west-1');
});

test.each([
  ['s3.eu-west-1.amazonaws.com', true],
  ['s3.cn-north-1.amazonaws.com.cn:443', true],
  ['s3.eusc-de-east-1.amazonaws.eu', true],
  ['amazonaws.com.example.com', false],
  ['s3.amazonaws.com.example.com', false],
  ['localhost:9000', false],
])('%s is AWS’s: %s', (host, is) => expect(isAwsHost(host)).toBe(is));
