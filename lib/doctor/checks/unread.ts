import type { Check } from '../model.js';
import { about, ofApps, warning, type Fault } from './finding.js';
import { ofBuckets } from './of-buckets.js';

/** What the operator could not see. */
export const notChecked = (unread: readonly string[], fix = 'get the permission named, and run the doctor again'): Fault[] =>
  unread.map((what) => warning('not-checked', { message: `could not read ${what}`, looksLike: 'unknown', fix }));

export const bucketUnread = ofBuckets(({ unread }) => notChecked(unread));

export const principalUnread: Check = ({ teams }) =>
  teams.flatMap(({ team, unread, principals }) => [
    ...about(`team ${team.name}`, notChecked(unread)),
    ...principals.flatMap((one) => about(`principal ${one.label}`, notChecked(one.unread))),
  ]);

export const appUnread = ofApps(({ unread }) => notChecked(unread, 'run the doctor again'));
