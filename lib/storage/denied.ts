import type { Operation } from './halcyon-requests.js';
import type { RefusalContext, Verdict } from './refusal.js';

/** S3 answers the same for a key that is unknown, inactive, or too new. */
export function unknownKey({ keyId = 'the key', keyStatus, team = 'TEAM' }: RefusalContext): Verdict {
  switch (keyStatus) {
    case 'Active':
      return {
        kind: 'key-not-yet-known',
        message: `key ${keyId} is active in IAM, but S3 does not know it yet`,
        fix: 'wait some seconds: a new key takes a while to be known everywhere',
        transient: true,
      };
    case 'Inactive':
      return {
        kind: 'key-inactive',
        message: `key ${keyId} is inactive`,
        fix: `run halcyon-kit sync ${team} to give apps the current key; to bring this one back, halcyon-kit rotate ${team} --undo`,
      };
    default:
      return {
        kind: 'key-unknown',
        message: `AWS does not know key ${keyId}`,
        fix: `run halcyon-kit up ${team}, which makes a key and gives it to the apps`,
      };
  }
}

/** Which policy denies what, as far as S3's sentence tells. */
export function denied(operation: Operation, message: string, { signing, team = 'TEAM' }: RefusalContext): Verdict {
  const action = /not authorized to perform: (\S+)/.exec(message)?.[1]?.replace(/[",]/g, '') ?? ACTIONS[operation];
  const source =
    /explicit deny in an? ([a-z -]+policy|[a-z -]+)/i.exec(message)?.[1] ?? /because no ([a-z -]+policy) allows/i.exec(message)?.[1];
  const explicit = /explicit deny/i.test(message);
  const why = source === undefined ? '' : explicit ? ` (an explicit deny in a ${source.trim()})` : ` (no ${source.trim()} allows it)`;
  const bucketPolicy = explicit && /resource-based|bucket/.test(source ?? '');
  return {
    kind: 'policy-denies',
    message: `policy denies ${action}${why}`,
    fix: bucketPolicy
      ? `look at the bucket policy${signing === 2 ? ', which may deny Signature Version 2' : ''}; halcyon-kit up ${team} puts back the one of the kit`
      : `run halcyon-kit up ${team}, which puts back the policies of the kit${operation === 'upload' ? '; an upload must also carry the ACL that the policy asks for' : ''}`,
  };
}

const ACTIONS: Record<Operation, string> = {
  download: 's3:GetObject',
  list: 's3:ListBucket',
  upload: 's3:PutObject',
  delete: 's3:DeleteObject',
};
