/**
 * Regions that accept Signature Version 2: those launched before 2014, and GovCloud.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html and the S3 endpoints of the AWS SDKs.
 */
export const V2_REGIONS: readonly string[] = [
  ...['us-east-1', 'us-west-1', 'us-west-2', 'eu-west-1', 'ap-northeast-1', 'ap-southeast-1', 'ap-southeast-2', 'sa-east-1'],
  ...['us-gov-west-1', 'us-gov-east-1'],
];

/** To guess from at a mistake; a region that is not here is not refused. */
export const KNOWN_REGIONS: readonly string[] = [
  ...V2_REGIONS,
  ...['us-east-2', 'ca-central-1', 'ca-west-1', 'mx-central-1', 'af-south-1', 'il-central-1', 'me-central-1', 'me-south-1'],
  ...['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-2', 'eu-west-3'],
  ...['ap-east-1', 'ap-east-2', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
  ...['ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'cn-north-1', 'cn-northwest-1'],
];

const PARTITIONS: Readonly<Record<string, string>> = { 'cn-': 'aws-cn', 'us-gov-': 'aws-us-gov', 'eusc-': 'aws-eusc' };

/** AWS partition of a region. */
export const partitionOf = (region: string): string =>
  Object.entries(PARTITIONS).find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
