import { ACLS, KIT_OBJECT_PREFIX, keyPrefix, type Access, type Acl } from '../contract/index.js';
import type { Proof } from './report.js';

/** Something tried on a dyno with the app's own config vars, key included. */
export interface Attempt {
  readonly proof: string;
  /** One of Halcyon's four requests; or what it does around an upload and a deletion, heeding its switches: then there may be no request. */
  readonly operation: 'get' | 'list' | 'put' | 'delete' | 'archive' | 'clean';
  /** Whole key, or whole prefix for `list`. */
  readonly key: string;
  /** The ACL that an upload should carry. */
  readonly acl?: Acl;
  /** The ACL is the one that the app's HALCYON_S3_ACL says, whatever that is. */
  readonly aclOfApp?: boolean;
  readonly expected: Answer;
}

/** `absent` is 404, which S3 tells only to who may list; `refused` is 403, or 400 where the bucket takes no ACLs. */
type Answer = 'allowed' | 'denied' | 'absent' | 'refused' | 'no request';

/** An attempt and how it ended, as Halcyon words it; undefined: it was never made. */
export interface Tried {
  readonly attempt: Attempt;
  readonly outcome?: string;
}

/** What a key may reach, and the keys that may be tried. */
export interface Scope {
  readonly access: Access;
  /** The principal's prefix, without slashes at its ends. */
  readonly prefix?: string;
  readonly acl: Acl;
  /** Name of this run; keys of its own contain it. */
  readonly run: string;
  /** Prefixes of others in the same bucket. */
  readonly others: readonly string[];
}

/** Keys of this run: under its own prefix, and (of no use to anybody's build) under the kit's own, which no prefix contains. */
const ownKey = (scope: Pick<Scope, 'prefix' | 'run'>, name: string): string => `${keyPrefix(scope.prefix)}${scope.run}/${name}`;
const foreignKey = (scope: Pick<Scope, 'run'>, name: string): string => `${SMOKE_OBJECT_PREFIX}${scope.run}/${name}`;
export const SMOKE_OBJECT_PREFIX = `${KIT_OBJECT_PREFIX}smoke/`;

/** Objects that must be there, as the deployer's, for the attempts to mean anything. */
export function plantedKeys(scope: Scope): string[] {
  return [ownKey(scope, 'present'), ownKey(scope, 'kept'), foreignKey(scope, 'present')];
}

/** What the key of `access` may do and may not, as requests. Pure. Deletions come last, so that what they would spoil was tried before. */
export function attempts(scope: Scope): Attempt[] {
  const { access, acl, prefix } = scope;
  const readOnly = access === 'read-only';
  const mayDelete = access === 'upload';
  const own = (name: string) => ownKey(scope, name);
  const foreign = (name: string) => foreignKey(scope, name);
  const ofApp = { acl, aclOfApp: true };
  const otherAcl = ACLS.find((candidate) => candidate !== acl && candidate !== 'public-read') ?? 'private';
  const list: Attempt[] = [];
  const attempt = (
    proof: string,
    operation: Attempt['operation'],
    key: string,
    expected: Answer,
    carried: Pick<Attempt, 'acl' | 'aclOfApp'> = {},
  ) => void list.push({ proof, operation, key, expected, ...carried });

  attempt('download from its own prefix', 'get', own('present'), 'allowed');
  attempt('a missing archive is a miss', 'get', own('missing'), 'absent');
  attempt('list its own prefix', 'list', own(''), 'allowed');
  attempt(`upload with ACL ${acl}`, 'put', own('uploaded'), readOnly ? 'denied' : 'allowed', ofApp);
  attempt(`upload with ACL ${otherAcl}`, 'put', own('other-acl'), 'refused', { acl: otherAcl });
  attempt('Halcyon archives what it built', 'archive', own('archived'), readOnly ? 'no request' : 'allowed', ofApp);
  if (prefix) {
    attempt('download beside its prefix', 'get', foreign('present'), 'denied');
    attempt('list beside its prefix', 'list', foreign(''), 'denied');
  }
  // The kit's own objects are nobody's to write, also where a key has the whole bucket.
  const beside = prefix ? 'beside its prefix' : "the kit's own objects";
  attempt(`upload ${prefix ? '' : 'over '}${beside}`, 'put', foreign('uploaded'), 'denied', { acl });
  attempt(`delete ${beside}`, 'delete', foreign('present'), 'denied');
  for (const other of scope.others) {
    const theirs = (name: string) => ownKey({ prefix: other, run: scope.run }, name);
    attempt(`download from ${other}/`, 'get', theirs('present'), 'denied');
    attempt(`list ${other}/`, 'list', theirs(''), 'denied');
    attempt(`upload to ${other}/`, 'put', theirs('uploaded'), 'denied', { acl });
  }
  attempt('Halcyon deletes older archives', 'clean', own('archived'), mayDelete ? 'allowed' : 'no request');
  attempt('delete from its own prefix', 'delete', own('kept'), mayDelete ? 'allowed' : 'denied');
  return list;
}

/** What an attempt proves that ended in `outcome` (as Halcyon words it; undefined: it was never made). */
export function attemptProof({ proof, expected }: Attempt, outcome: string | undefined): Proof {
  const observed = outcome === undefined ? 'not tried: the dyno ended before' : answerOf(outcome);
  const ok = expected === 'refused' ? observed === 'denied' || outcome?.startsWith('400') === true : observed === expected;
  const heeded = outcome !== undefined && (expected === 'no request' || observed === 'no request');
  const plain = { proof, expected: expected === 'refused' ? 'denied' : expected, observed, ok };
  return heeded ? { ...plain, about: 'config-vars' } : plain;
}

function answerOf(outcome: string): string {
  if (outcome === 'done' || outcome.startsWith('204')) return 'allowed';
  if (outcome.startsWith('403')) return 'denied';
  if (outcome.startsWith('404')) return 'absent';
  return outcome === '' ? 'no answer' : outcome;
}

/** Every key prefix under which this run may have left something, also where a key could do what it should not. */
export const runPrefixes = (scope: Scope): string[] => [
  ownKey(scope, ''),
  foreignKey(scope, ''),
  ...scope.others.map((prefix) => ownKey({ prefix, run: scope.run }, '')),
];
