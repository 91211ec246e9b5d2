import { awsRegions, kmsKeyInRegion, noncurrentNeedsVersioning, publicReadAcknowledged, regionalEndpoints } from './buckets.js';
import type { Rule } from './draft.js';
import { stackResources, templateSize, usersAnAccount } from './limits.js';
import { keyNames, oneTeamAnApp } from './names.js';
import { bucketNamesDiffer, prefixesIsolate, sharedBucketsExist } from './sharing.js';
import { notifyFits } from './notify.js';
import { signingFits } from './signing.js';
import { tagsAllowed } from './tags.js';
import { bucketForPrivateApps, formerNames, meaningfulApps, oneCanaryATeam, something } from './teams.js';

export { salvage, type Bad } from './draft.js';

/** What must be true of more than one value at a time. */
export const RULES: readonly Rule[] = [
  keyNames,
  oneTeamAnApp,
  something,
  formerNames,
  bucketForPrivateApps,
  meaningfulApps,
  oneCanaryATeam,
  sharedBucketsExist,
  awsRegions,
  regionalEndpoints,
  publicReadAcknowledged,
  kmsKeyInRegion,
  noncurrentNeedsVersioning,
  tagsAllowed,
  bucketNamesDiffer,
  prefixesIsolate,
  signingFits,
  notifyFits,
  stackResources,
  templateSize,
  usersAnAccount,
];
