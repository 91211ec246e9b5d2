/**
 * AWS regions the sandbox knows by name, and what S3 does in them.
 * Source: "AWS signature version 2 turned off" and "Regions, endpoints" of the S3 user guide; for GovCloud the S3 endpoints of the AWS SDKs.
 */
interface RegionFacts {
  /** Launched before 2014: Signature Version 2 is accepted there at all. */
  readonly sigv2?: true;
  /** Launched after 20 March 2019: the global endpoint does not route to it. */
  readonly late?: true;
}

const FACTS: Readonly<Record<string, RegionFacts>> = {
  'us-east-1': { sigv2: true },
  'us-east-2': {},
  'us-west-1': { sigv2: true },
  'us-west-2': { sigv2: true },
  'ca-central-1': {},
  'ca-west-1': { late: true },
  'sa-east-1': { sigv2: true },
  'eu-west-1': { sigv2: true },
  'eu-west-2': {},
  'eu-west-3': {},
  'eu-north-1': {},
  'eu-central-1': {},
  'eu-central-2': { late: true },
  'eu-south-1': { late: true },
  'eu-south-2': { late: true },
  'ap-south-1': {},
  'ap-south-2': { late: true },
  'ap-east-1': { late: true },
  'ap-northeast-1': { sigv2: true },
  'ap-northeast-2': {},
  'ap-northeast-3': {},
  'ap-southeast-1': { sigv2: true },
  'ap-southeast-2': { sigv2: true },
  'ap-southeast-3': { late: true },
  'ap-southeast-4': { late: true },
  'me-south-1': { late: true },
  'me-central-1': { late: true },
  'il-central-1': { late: true },
  'af-south-1': { late: true },
  // Other partitions, to which the global endpoint never leads.
  'cn-north-1': { late: true },
  'cn-northwest-1': { late: true },
  'us-gov-west-1': { sigv2: true, late: true },
  'us-gov-east-1': { sigv2: true, late: true },
  'eusc-de-east-1': { late: true },
};

export const REGIONS: readonly string[] = Object.keys(FACTS);

/** Whether S3 in `region` ever accepts Signature Version 2. */
export const regionTakesSigv2 = (region: string): boolean => FACTS[region]?.sigv2 === true;

/** Whether the global endpoint knows nothing of `region`; so for regions too new to be in the table. */
export const isLateRegion = (region: string): boolean => FACTS[region] === undefined || FACTS[region].late === true;
