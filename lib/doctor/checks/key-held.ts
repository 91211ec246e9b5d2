import { principalFor } from '../desired.js';
import type { AppFacts } from '../model.js';
import { broken, CACHE_MISS, ofApps, warning } from './finding.js';

/** The key an app holds, where it is not the current one. */
export const keyHeld = ofApps(function* (one, { principals, team }) {
  const held = one.vars.HALCYON_AWS_ACCESS_KEY_ID;
  const own = principalFor(one, principals);
  if (held === undefined || own?.current === undefined || held === own.current) return;
  const holder = principals.find(({ keys }) => keys.some((key) => key.id === held));
  const key = holder?.keys.find(({ id }) => id === held);
  const fix = `run halcyon-kit sync ${team.name}`;
  const state = key === undefined ? 'which AWS does not know' : 'which is inactive';
  const culprit = rolledBack(one);
  if (key?.status === 'Active')
    yield warning('key-not-current', {
      message: `it holds key ${held}${holder === own ? ', which is not the current one' : ` of ${holder?.label}`}; the current one is ${own.current}`,
      looksLike: 'nothing, until the old key is retired',
      fix,
    });
  else if (culprit !== undefined)
    yield broken('rolled-back-key', {
      message: `release v${culprit.version} (${culprit.description}) brought back key ${held}, ${state}`,
      looksLike: CACHE_MISS,
      fix: `${fix}, which gives it the current key`,
    });
  else
    yield broken(key === undefined ? 'key-unknown' : 'key-inactive', {
      message: `it holds key ${held}, ${state}`,
      looksLike: CACHE_MISS,
      fix,
    });
});

/** A rollback since the config vars were last set by name. */
function rolledBack({ releases = [] }: AppFacts) {
  const latest = releases.find(({ description }) => /^Rollback to v\d+/i.test(description) || /\bHALCYON_AWS_/.test(description));
  return latest !== undefined && /^Rollback/i.test(latest.description) ? latest : undefined;
}
