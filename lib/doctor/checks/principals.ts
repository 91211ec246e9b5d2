import { quarantineOf } from '../../engine/plan/principal.plan.js';
import type { Check } from '../model.js';
import { about, broken, CACHE_MISS, NO_PRIVATE_STORAGE, ofPrincipals, warning } from './finding.js';

/** Stack, user, secret and key, as far as they are there. Where one is missing, what depends on it is not named as well. */
export const stackThere: Check = ({ teams }) =>
  teams.flatMap(({ stack, team }) => {
    if (stack === undefined) return [];
    const where = `stack ${stack.name}`;
    const fix = `run halcyon-kit up ${team.name}`;
    if (!stack.exists)
      return about(where, [broken('stack-missing', { message: 'the stack has not been deployed', looksLike: NO_PRIVATE_STORAGE, fix })]);
    const failed = /FAILED|ROLLBACK/.test(stack.status ?? '') && stack.status !== 'IMPORT_ROLLBACK_COMPLETE';
    const message = `its last deployment did not succeed: ${stack.status}`;
    return failed ? about(where, [warning('stack-unfinished', { message, fix })]) : [];
  });

export const keyThere = ofPrincipals(function* (principal, { stack, team }) {
  if (!principal.declared || stack?.exists === false) return;
  const { user, secret, current, keys } = principal;
  const fix = `run halcyon-kit up ${team.name}`;
  if (principal.quarantined) {
    for (const { text } of quarantineOf(principal))
      yield broken('user-quarantined', {
        message: text,
        looksLike: CACHE_MISS,
        fix: `run halcyon-kit rotate ${team.name} --emergency with the key that leaked, then halcyon-kit up ${team.name}; leave the policy attached until AWS's case is settled`,
      });
  } else if (!principal.exists) {
    yield broken('user-missing', { message: `IAM user ${user} does not exist`, looksLike: CACHE_MISS, fix });
  } else if (secret === 'missing') {
    const message = 'its secret does not exist, so its key cannot be renewed';
    yield broken('secret-missing', { message, looksLike: NO_PRIVATE_STORAGE, fix });
  } else if (secret === 'empty' || (secret === 'present' && current === undefined)) {
    const sync = `run halcyon-kit sync ${team.name}`;
    yield broken('key-missing', { message: 'it has no current key', looksLike: NO_PRIVATE_STORAGE, fix: sync });
  } else if (current !== undefined && !keys.some((key) => key.id === current)) {
    const message = `IAM does not know its current key ${current}: it was deleted`;
    yield broken('key-unknown', { message, looksLike: CACHE_MISS, fix });
  } else if (keys.some((key) => key.id === current && key.status === 'Inactive')) {
    yield broken('key-inactive', {
      message: `its current key ${current} is inactive`,
      looksLike: CACHE_MISS,
      fix: `if that was not meant, reactivate it (aws iam update-access-key --user-name ${user} --access-key-id ${current} --status Active); else run halcyon-kit rotate ${team.name}`,
    });
  }
});
