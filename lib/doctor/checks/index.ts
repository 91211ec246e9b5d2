import type { Check, Finding, Observation } from '../model.js';
import * as apps from './apps.js';
import * as buckets from './buckets.js';
import * as buildpacks from './buildpacks.js';
import * as configVars from './config-vars.js';
import * as principals from './principals.js';
import * as requests from './requests.js';
import * as smokeApps from './smoke-apps.js';

/** In the order in which things depend on each other. @internal */
export const CHECKS: readonly Check[] = [
  buckets.bucketThere,
  buckets.aclFits,
  buckets.publicAccess,
  buckets.bucketPolicyDrift,
  buckets.bucketSettings,
  buckets.objects,
  buckets.bucketUnread,
  principals.stackThere,
  principals.keyThere,
  principals.leftovers,
  principals.userPolicyDrift,
  principals.boundary,
  principals.principalUnread,
  requests.requests,
  requests.clock,
  apps.appThere,
  apps.appStack,
  configVars.configVars,
  configVars.keyHeld,
  configVars.switches,
  buildpacks.buildpacks,
  buildpacks.buildpackServed,
  buildpacks.buildpackHome,
  apps.inFlight,
  apps.appUnread,
  smokeApps.smokeApps,
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
