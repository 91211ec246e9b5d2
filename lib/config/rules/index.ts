import * as buckets from './buckets.js';
import type { Rule } from './draft.js';
import * as limits from './limits.js';
import * as names from './names.js';
import * as signing from './signing.js';
import * as teams from './teams.js';

export { salvage, type Bad } from './draft.js';

/** What must be true of more than one value at a time. */
export const RULES: readonly Rule[] = [
  names.keyNames,
  names.oneTeamAnApp,
  teams.something,
  teams.bucketForPrivateApps,
  teams.meaningfulApps,
  teams.oneCanaryATeam,
  buckets.sharedBucketsExist,
  buckets.awsRegions,
  buckets.regionalEndpoints,
  buckets.publicReadAcknowledged,
  buckets.kmsKeyInRegion,
  buckets.noncurrentNeedsVersioning,
  buckets.tagsAllowed,
  buckets.bucketNamesDiffer,
  buckets.prefixesIsolate,
  signing.signingFits,
  limits.stackResources,
  limits.usersAnAccount,
];
