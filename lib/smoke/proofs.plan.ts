import { ACLS, KIT_OBJECT_PREFIX, keyPrefix, type Access, type Acl } from '../contract/index.js';
import type { Proof } from './report.js';
import type { BuildLog } from './log.js';

/** One of the four requests Halcyon makes, tried on a dyno with the app's own key. */
export interface Attempt {
  readonly proof: string;
  readonly operation: 'get' | 'list' | 'put' | 'delete';
  /** Whole key, or whole prefix for `list`. */
  readonly key: string;
  /** ACL of a `put`. */
  readonly acl?: Acl;
  readonly expected: Answer;
}

/** `absent` is 404, which S3 tells only to who may list; `refused` is 403, or 400 where the bucket takes no ACLs. */
export type Answer = 'allowed' | 'denied' | 'absent' | 'refused';

export interface Ground {
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
export const ownKey = (ground: Pick<Ground, 'prefix' | 'run'>, name: string): string => `${keyPrefix(ground.prefix)}${ground.run}/${name}`;
export const foreignKey = (ground: Pick<Ground, 'run'>, name: string): string => `${SMOKE_OBJECT_PREFIX}${ground.run}/${name}`;
export const SMOKE_OBJECT_PREFIX = `${KIT_OBJECT_PREFIX}smoke/`;

/** Objects that must be there, as the deployer's, for the attempts to mean anything. */
export function plantedKeys(ground: Ground): string[] {
  return [ownKey(ground, 'present'), ownKey(ground, 'kept'), foreignKey(ground, 'present')];
}

/** What the key of `access` may do and may not, as requests. Pure. Deletes come last, so that what they would spoil was tried before. */
export function attempts(ground: Ground): Attempt[] {
  const { access, acl, prefix } = ground;
  const mayWrite = access === 'read-only' ? 'denied' : 'allowed';
  const own = (name: string) => ownKey(ground, name);
  const otherAcl = ACLS.find((candidate) => candidate !== acl && candidate !== 'public-read') ?? 'private';
  const list: Attempt[] = [
    { proof: 'download from its own prefix', operation: 'get', key: own('present'), expected: 'allowed' },
    { proof: 'a missing archive is a miss', operation: 'get', key: own('missing'), expected: 'absent' },
    { proof: 'list its own prefix', operation: 'list', key: own(''), expected: 'allowed' },
    { proof: `upload with ACL ${acl}`, operation: 'put', key: own('uploaded'), acl, expected: mayWrite },
    { proof: `upload with ACL ${otherAcl}`, operation: 'put', key: own('other-acl'), acl: otherAcl, expected: 'refused' },
  ];
  if (prefix) {
    list.push(
      { proof: 'download beside its prefix', operation: 'get', key: foreignKey(ground, 'present'), expected: 'denied' },
      { proof: 'list beside its prefix', operation: 'list', key: foreignKey(ground, ''), expected: 'denied' },
    );
  }
  // The kit's own objects are nobody's to write, also where a key has the whole bucket.
  const beside = prefix ? 'beside its prefix' : "the kit's own objects";
  list.push(
    { proof: `upload ${prefix ? '' : 'over '}${beside}`, operation: 'put', key: foreignKey(ground, 'uploaded'), acl, expected: 'denied' },
    { proof: `delete ${beside}`, operation: 'delete', key: foreignKey(ground, 'present'), expected: 'denied' },
  );
  for (const other of ground.others) {
    const theirs = (name: string) => ownKey({ prefix: other, run: ground.run }, name);
    list.push(
      { proof: `download from ${other}/`, operation: 'get', key: theirs('present'), expected: 'denied' },
      { proof: `list ${other}/`, operation: 'list', key: theirs(''), expected: 'denied' },
      { proof: `upload to ${other}/`, operation: 'put', key: theirs('uploaded'), acl, expected: 'denied' },
    );
  }
  list.push({
    proof: 'delete from its own prefix',
    operation: 'delete',
    key: own('kept'),
    expected: access === 'upload' ? 'allowed' : 'denied',
  });
  return list;
}

/** What an attempt's outcome (as Halcyon words it) proves. */
export function judgeAttempt(attempt: Attempt, outcome: string | undefined): Proof {
  const observed = outcome === undefined ? 'not tried: the dyno ended before' : answerOf(outcome);
  const ok = attempt.expected === 'refused' ? observed === 'denied' || outcome?.startsWith('400') === true : observed === attempt.expected;
  return { proof: attempt.proof, expected: attempt.expected === 'refused' ? 'denied' : attempt.expected, observed, ok };
}

function answerOf(outcome: string): string {
  if (outcome === 'done' || outcome.startsWith('204')) return 'allowed';
  if (outcome.startsWith('403')) return 'denied';
  if (outcome.startsWith('404')) return 'absent';
  return outcome === '' ? 'no answer' : outcome;
}

/** What a build of the planted source proves in a mode with private storage. */
export function buildProofs(log: BuildLog, expected: { storage: string; hash: string; archive: string; label: string }): Proof[] {
  const found = log.install;
  return [
    proof('build finds the storage', expected.storage, log.storage ?? 'nothing said of it'),
    proof('build computes the source hash foreseen', expected.hash.slice(0, 7), log.sourceHash ?? 'none'),
    proof('build takes the archive from the bucket', `${expected.archive} done`, found ? `${found.url} ${found.outcome}` : 'no download'),
    proof('app is deployed', expected.label, log.deployed ?? (log.buildpackOnly ? 'buildpack only' : 'no')),
  ];
}

/** What a build proves in mode `public`: that nothing private is found. */
export function publicProofs(log: BuildLog): Proof[] {
  const touched = log.requests.filter(({ url }) => url.startsWith('s3://'));
  return [
    proof('build finds no private storage', 'public', log.storage ?? 'nothing said of it'),
    proof('build makes no request to a private bucket', 'none', touched.length === 0 ? 'none' : `${touched.length}: ${touched[0]?.url}`),
  ];
}

export const proof = (title: string, expected: string, observed: string): Proof => ({
  proof: title,
  expected,
  observed,
  ok: expected === observed,
});

/** Every key prefix under which this run may have left something, also where a key could do what it should not. */
export const runPrefixes = (ground: Ground): string[] => [
  ownKey(ground, ''),
  foreignKey(ground, ''),
  ...ground.others.map((prefix) => ownKey({ prefix, run: ground.run }, '')),
];
