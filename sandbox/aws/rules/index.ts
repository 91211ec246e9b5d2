import type { Rule } from '../front/rule.js';
import { clockSkew } from './clock-skew.js';
import { expectedOwner } from './expected-owner.js';
import { lastUsed } from './last-used.js';
import { newKeyDelay } from './new-key-delay.js';
import { otherPartition } from './other-partition.js';
import { policyConditions } from './policy-conditions.js';
import { privateAcl } from './private-acl.js';
import { rootKey } from './root-key.js';
import { secretVersions } from './secret-versions.js';
import { signedHeaders } from './signed-headers.js';
import { sigv2Refused } from './sigv2-refused.js';
import { twoKeys } from './two-keys.js';
import { wrongEndpoint } from './wrong-endpoint.js';

/** What the front adds to MiniStack, outermost first: in the order in which AWS decides. */
export const RULES: readonly Rule[] = [
  lastUsed,
  otherPartition,
  wrongEndpoint,
  sigv2Refused,
  newKeyDelay,
  signedHeaders,
  rootKey,
  clockSkew,
  expectedOwner,
  policyConditions,
  privateAcl,
  twoKeys,
  secretVersions,
];
