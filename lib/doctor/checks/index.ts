import type { Check, Finding, Observation } from '../model.js';
import { appStack, appThere, appUnread, buildpacks, builtApp, configVars, inFlight, keyHeld, switches } from './apps.js';
import { aclFits, bucketPolicyDrift, bucketSettings, bucketThere, bucketUnread, expiry, objects, publicAccess } from './buckets.js';
import { buildpackHome, buildpackServed } from './buildpack.js';
import { leaked } from './keys.js';
import { leftBehind, smokeApps } from './left.js';
import { boundary, keyThere, leftovers, principalUnread, stackThere, userPolicyDrift } from './principals.js';
import { clock, requests } from './requests.js';

/** In the order in which things depend on each other. @internal */
export const CHECKS: readonly Check[] = [
  bucketThere,
  aclFits,
  publicAccess,
  bucketPolicyDrift,
  bucketSettings,
  objects,
  expiry,
  bucketUnread,
  stackThere,
  keyThere,
  leftovers,
  leaked,
  userPolicyDrift,
  boundary,
  principalUnread,
  requests,
  clock,
  appThere,
  appStack,
  builtApp,
  configVars,
  keyHeld,
  switches,
  buildpacks,
  buildpackServed,
  buildpackHome,
  inFlight,
  appUnread,
  smokeApps,
  leftBehind,
];

const RANK = { broken: 0, warning: 1, info: 2 } as const;

/** Those that need no more than what every command looks at. */
export const GLANCE: readonly Check[] = [stackThere, keyThere, leftovers, leaked, configVars, keyHeld, leftBehind];

/** Every finding, the worst first; one a name and subject. Pure. */
export function runChecks(observation: Observation, checks: readonly Check[] = CHECKS): Finding[] {
  const byWhat = new Map<string, Finding>();
  for (const finding of checks.flatMap((check) => check(observation))) {
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
  'key-leaked',
]);
