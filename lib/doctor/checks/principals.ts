import { userPolicy } from '../../constructs/policies.js';
import type { TeamBucket } from '../../config/model.js';
import { partitionOf } from '../../config/regions.js';
import { QUARANTINE_POLICY, USER_POLICY } from '../../contract/index.js';
import { quarantineOf } from '../../engine/plan/principal.plan.js';
import type { Check, Finding, Observation, PrincipalFacts, TeamFacts } from '../model.js';
import { policyDrift } from '../policies.js';
import { broken, CACHE_MISS, info, NO_PRIVATE_STORAGE, UPLOAD_FAILS, warning } from './finding.js';

type PrincipalCheck = (principal: PrincipalFacts, facts: TeamFacts, observation: Observation) => Finding[];
const ofPrincipals =
  (check: PrincipalCheck): Check =>
  (observation) =>
    observation.teams.flatMap((facts) => facts.principals.flatMap((principal) => check(principal, facts, observation)));

const subject = ({ label }: PrincipalFacts): string => `principal ${label}`;

/** Stack, user, secret and key, as far as they are there. Where one is missing, what depends on it is not named as well. */
export const stackThere: Check = ({ teams }) =>
  teams.flatMap(({ stack, team }) => {
    if (stack === undefined) return [];
    const where = `stack ${stack.name}`;
    const fix = `run halcyon-kit up ${team.name}`;
    if (!stack.exists)
      return [broken('stack-missing', where, { message: 'the stack has not been deployed', looksLike: NO_PRIVATE_STORAGE, fix })];
    if (/FAILED|ROLLBACK/.test(stack.status ?? '') && stack.status !== 'IMPORT_ROLLBACK_COMPLETE') {
      return [warning('stack-unfinished', where, { message: `its last deployment did not succeed: ${stack.status}`, fix })];
    }
    return [];
  });

export const keyThere = ofPrincipals((principal, { stack, team }) => {
  if (!principal.declared || stack?.exists === false) return [];
  const { user, secret, current, keys } = principal;
  const fix = `run halcyon-kit up ${team.name}`;
  if (principal.quarantined)
    return quarantineOf(principal).map(({ text }) =>
      broken('user-quarantined', subject(principal), {
        message: text,
        looksLike: CACHE_MISS,
        fix: `run halcyon-kit rotate ${team.name} --emergency with the key that leaked, then halcyon-kit up ${team.name}; leave the policy attached until AWS's case is settled`,
      }),
    );
  if (!principal.exists)
    return [broken('user-missing', subject(principal), { message: `IAM user ${user} does not exist`, looksLike: CACHE_MISS, fix })];
  if (secret === 'missing')
    return [
      broken('secret-missing', subject(principal), {
        message: 'its secret does not exist, so its key cannot be renewed',
        looksLike: NO_PRIVATE_STORAGE,
        fix,
      }),
    ];
  if (secret === 'empty' || (secret === 'present' && current === undefined))
    return [
      broken('key-missing', subject(principal), {
        message: 'it has no current key',
        looksLike: NO_PRIVATE_STORAGE,
        fix: `run halcyon-kit sync ${team.name}`,
      }),
    ];
  if (current !== undefined && !keys.some((key) => key.id === current))
    return [
      broken('key-unknown', subject(principal), {
        message: `IAM does not know its current key ${current}: it was deleted`,
        looksLike: CACHE_MISS,
        fix,
      }),
    ];
  if (keys.some((key) => key.id === current && key.status === 'Inactive'))
    return [
      broken('key-inactive', subject(principal), {
        message: `its current key ${current} is inactive`,
        looksLike: CACHE_MISS,
        fix: `if that was not meant, reactivate it (aws iam update-access-key --user-name ${user} --access-key-id ${current} --status Active); else run halcyon-kit rotate ${team.name}`,
      }),
    ];
  return [];
});

/** More keys, or principals, than there should be at rest. */
export const leftovers = ofPrincipals((principal, { team }) => {
  const { keys, current, pending } = principal;
  if (!principal.declared) {
    return keys.length === 0
      ? []
      : [
          info('principal-left', subject(principal), {
            message: 'no app needs it any more, and it still has keys',
            fix: `run halcyon-kit up ${team.name}, which retires them when no build uses them`,
          }),
        ];
  }
  const findings: Finding[] = [];
  const strangers = keys.filter((key) => !key.stored);
  if (principal.secret === 'present' && strangers.length > 0) {
    findings.push(
      warning('unknown-key', subject(principal), {
        message: `it has a key that the kit did not make: ${strangers.map((key) => `${key.id} (${key.status.toLowerCase()}, made ${key.createdAt})`).join(', ')}`,
        looksLike: 'nothing, but no new key can be made while there are two',
        fix: `find out who uses it; then halcyon-kit rotate ${team.name} --delete-unknown-key ${strangers[0]!.id}`,
      }),
    );
  }
  if (pending !== undefined && pending !== current) {
    findings.push(
      info('rotation-unfinished', subject(principal), {
        message: `key ${pending} is stored but not in use yet`,
        fix: `run halcyon-kit rotate ${team.name} --finish`,
      }),
    );
  }
  return findings;
});

/** The user's own policies, against the template. */
export const userPolicyDrift = ofPrincipals((principal, { team }) => {
  if (!principal.exists || !principal.declared || principal.policies === undefined || team.bucket === undefined) return [];
  const { [USER_POLICY]: own, ...others } = principal.policies;
  const { missing, extra } = policyDrift(own ?? null, expectedPolicy(principal, team.bucket));
  const findings: Finding[] = [];
  const fix = `run halcyon-kit up ${team.name}; where that finds nothing to do, undo the change by hand`;
  if (own === undefined || missing.length > 0) {
    findings.push(
      broken('user-policy-drift', subject(principal), {
        message: own === undefined ? `its policy "${USER_POLICY}" is gone` : `its policy lacks, or has changed, ${missing.join('; ')}`,
        looksLike: principal.id.access === 'read-only' ? CACHE_MISS : UPLOAD_FAILS,
        fix,
      }),
    );
  }
  const more = [
    ...extra.map((name) => `statement ${name}`),
    ...Object.keys(others).map((name) => `policy ${name}`),
    ...(principal.attached ?? []).filter((name) => !name.startsWith(`policy ${QUARANTINE_POLICY}`)),
  ];
  if (more.length > 0) {
    findings.push(
      warning('user-policy-extra', subject(principal), {
        message: `it has more rights than the template gives it, or other ones: ${more.join(', ')}`,
        fix: 'remove what is not meant',
      }),
    );
  }
  return findings;
});

const expectedPolicy = ({ id }: PrincipalFacts, { spec, prefix }: TeamBucket) =>
  userPolicy({
    partition: partitionOf(spec.region),
    bucketName: spec.name,
    bucketAccount: spec.account,
    prefix,
    access: id.access,
    acl: spec.acl,
    region: spec.region,
  });

/** Users without a boundary: only an administrator may make them. */
export const boundary: Check = ({ config, teams }) =>
  config.permissionsBoundary !== undefined || teams.every(({ principals }) => principals.length === 0)
    ? []
    : [
        info('no-permissions-boundary', 'the file', {
          message: 'the IAM users have no permissions boundary, so whoever runs the kit needs to be an administrator',
          fix: 'to run it with the narrow policy of "halcyon-kit policy operator", set "permissionsBoundary" in the file (docs/operator-policy.md)',
        }),
      ];

/** What the operator could not see. */
export const principalUnread: Check = ({ teams }) =>
  teams.flatMap((facts) => {
    const fix = 'get the permission named, and run the doctor again';
    const finding = (where: string) => (what: string) =>
      warning('not-checked', where, { message: `could not read ${what}`, looksLike: 'unknown', fix });
    return [
      ...facts.unread.map(finding(`team ${facts.team.name}`)),
      ...facts.principals.flatMap((principal) => principal.unread.map(finding(subject(principal)))),
    ];
  });
