import type { Check, Finding, Observation } from '../model.js';
import { appStack, appThere } from './apps.js';
import { aclFits, publicAccess } from './bucket-access.js';
import { objects } from './bucket-objects.js';
import { bucketThere } from './bucket-place.js';
import { bucketSettings } from './bucket-settings.js';
import { buildpackHome, buildpackServed } from './buildpack-served.js';
import { buildpacks } from './buildpacks.js';
import { configVars } from './config-vars.js';
import { inFlight } from './in-flight.js';
import { keyHeld } from './key-held.js';
import { leftovers } from './leftovers.js';
import { boundary, bucketPolicyDrift, userPolicyDrift } from './policies.js';
import { keyThere, stackThere } from './principals.js';
import { clock, requests } from './requests.js';
import { smokeApps } from './smoke-apps.js';
import { switches } from './switches.js';
import { appUnread, bucketUnread, principalUnread } from './unread.js';

/** In the order in which things depend on each other. @internal */
export const CHECKS: readonly Check[] = [
  bucketThere,
  aclFits,
  publicAccess,
  bucketPolicyDrift,
  bucketSettings,
  objects,
  bucketUnread,
  stackThere,
  keyThere,
  leftovers,
  userPolicyDrift,
  boundary,
  principalUnread,
  requests,
  clock,
  appThere,
  appStack,
  configVars,
  keyHeld,
  switches,
  buildpacks,
  buildpackServed,
  buildpackHome,
  inFlight,
  appUnread,
  smokeApps,
];

const RANK = { broken: 0, warning: 1, info: 2 } as const;

/** Every finding, the worst first; one a name and subject. Pure. */
export function runChecks(observation: Observation): Finding[] {
  const byWhat = new Map<string, Finding>();
  for (const finding of CHECKS.flatMap((check) => check(observation))) {
    // Of several of one name about one thing only those are kept that say something different.
    const repeated = ['broken', 'warning'].includes(finding.severity) && !MANY.has(finding.name);
    const key = `${finding.name}\n${finding.subject}${repeated ? '' : `\n${finding.message}`}`;
    if (!byWhat.has(key)) byWhat.set(key, finding);
  }
  return [...byWhat.values()].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** Names that one subject may have several findings of. */
const MANY: ReadonlySet<string> = new Set([
  'listing-cut',
  'archive-near-limit',
  'not-checked',
  'sigv4-buildpack-left',
  'buildpack-home-left',
]);
