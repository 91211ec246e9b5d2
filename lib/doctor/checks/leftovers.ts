import { info, ofPrincipals, warning } from './finding.js';

/** More keys, or principals, than there should be at rest. */
export const leftovers = ofPrincipals(function* ({ declared, secret, keys, current, pending }, { team }) {
  if (!declared) {
    if (keys.length > 0)
      yield info('principal-left', {
        message: 'no app needs it any more, and it still has keys',
        fix: `run halcyon-kit up ${team.name}, which retires them when no build uses them`,
      });
    return;
  }
  const strangers = keys.filter((key) => !key.stored);
  if (secret === 'present' && strangers.length > 0)
    yield warning('unknown-key', {
      message: `it has a key that the kit did not make: ${strangers.map((key) => `${key.id} (${key.status.toLowerCase()}, made ${key.createdAt})`).join(', ')}`,
      looksLike: 'nothing, but no new key can be made while there are two',
      fix: `find out who uses it; then halcyon-kit rotate ${team.name} --delete-unknown-key ${strangers[0]!.id}`,
    });
  if (pending !== undefined && pending !== current)
    yield info('rotation-unfinished', {
      message: `key ${pending} is stored but not in use yet`,
      fix: `run halcyon-kit rotate ${team.name} --finish`,
    });
});
