import { QUARANTINE_POLICY, USER_POLICY } from '../../contract/index.js';
import { quarantineOf } from '../../engine/plan/principal.plan.js';
import type { Check, Observation, PrincipalFacts, TeamFacts } from '../model.js';
import { userPolicyOf } from '../../constructs/file-policies.js';
import { policyDrift } from '../policies.js';
import { about, broken, CACHE_MISS, info, NO_PRIVATE_STORAGE, notChecked, UPLOAD_FAILS, warning, type Fault } from './finding.js';

/** A check of each principal by itself. */
export const ofPrincipals =
  (check: (principal: PrincipalFacts, facts: TeamFacts, observation: Observation) => Iterable<Fault>): Check =>
  (observation) =>
    observation.teams.flatMap((facts) =>
      facts.principals.flatMap((one) => about(`principal ${one.label}`, check(one, facts, observation))),
    );

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
  if (!principal.quarantined && (!principal.declared || stack?.exists === false)) return;
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

/** More keys, or principals, than there should be at rest. */
export const leftovers = ofPrincipals(function* ({ declared, secret, keys, current, pending }, { team }) {
  if (!declared) {
    // One that soaks is told as such.
    if (keys.some(({ status, inactiveSince }) => status === 'Active' || inactiveSince === undefined))
      yield info('principal-left', {
        message: 'no app of the file needs it any more, and it still has keys',
        fix: `run halcyon-kit up ${team.name}, which retires them when no app holds and no build uses them`,
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

/** The user's own policies, against the template. */
export const userPolicyDrift = ofPrincipals(function* (principal, { team }) {
  if (!principal.exists || !principal.declared || principal.policies === undefined || team.bucket === undefined) return;
  const { [USER_POLICY]: own, ...others } = principal.policies;
  const { missing, extra } = policyDrift(own ?? null, userPolicyOf(team.bucket, principal.id.access));
  if (own === undefined || missing.length > 0)
    yield broken('user-policy-drift', {
      message: own === undefined ? `its policy "${USER_POLICY}" is gone` : `its policy lacks, or has changed, ${missing.join('; ')}`,
      looksLike: principal.id.access === 'read-only' ? CACHE_MISS : UPLOAD_FAILS,
      fix: `run halcyon-kit up ${team.name}; where that finds nothing to do, undo the change by hand`,
    });
  const more = [
    ...extra.map((name) => `statement ${name}`),
    ...Object.keys(others).map((name) => `policy ${name}`),
    ...(principal.attached ?? []).filter((name) => !name.startsWith(`policy ${QUARANTINE_POLICY}`)),
  ];
  if (more.length > 0)
    yield warning('user-policy-extra', {
      message: `it has more rights than the template gives it, or other ones: ${more.join(', ')}`,
      fix: 'remove what is not meant',
    });
});

/** Users without a boundary: only an administrator may make them. */
export const boundary: Check = ({ config, teams }) =>
  config.permissionsBoundary !== undefined || teams.every(({ principals }) => principals.length === 0)
    ? []
    : about('the file', [
        info('no-permissions-boundary', {
          message: 'the IAM users have no permissions boundary, so whoever runs the kit needs to be an administrator',
          fix: 'to run it with the narrow policy of "halcyon-kit policy operator", set "permissionsBoundary" in the file (docs/operator-policy.md)',
        }),
      ]);

export const principalUnread: Check = ({ teams }) =>
  teams.flatMap(({ team, unread, principals }) => [
    ...about(`team ${team.name}`, notChecked(unread)),
    ...principals.flatMap((one) => about(`principal ${one.label}`, notChecked(one.unread))),
  ]);
