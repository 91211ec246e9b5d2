import { KitError } from '../errors.js';
import type { Aws } from './aws.js';
import { awsError, failure, isDenied, isMissing } from './errors.js';

export interface Identity {
  readonly account: string;
  readonly arn: string;
}

/** Who the operator is. */
export async function identity(aws: Aws): Promise<Identity> {
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  try {
    const answer = await (await aws.sts()).send(new GetCallerIdentityCommand({}));
    return { account: answer.Account ?? '', arn: answer.Arn ?? '' };
  } catch (error) {
    throw awsError(error, 'ask AWS who you are (sts:GetCallerIdentity)');
  }
}

/** Name of the IAM user whose key this is; undefined where AWS does not tell, which it does of this account's keys alone. */
export async function ownerOfKey(aws: Aws, keyId: string): Promise<string | undefined> {
  const { GetAccessKeyLastUsedCommand } = await import('@aws-sdk/client-iam');
  try {
    return (await (await aws.iam()).send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keyId }))).UserName;
  } catch (error) {
    // AWS does not tell a key of another account from one that is gone.
    if (isMissing(error, 'user or key') || isDenied(error)) return undefined;
    throw failure(error, `find the user of key ${keyId} (iam:GetAccessKeyLastUsed)`);
  }
}

/**
 * @param wanted - account id to what wants it (`team payments`).
 * @throws KitError `wrong-account` naming both accounts.
 */
export function checkAccount(who: Identity, wanted: ReadonlyArray<{ account: string; by: string }>): void {
  const other = wanted.filter(({ account }) => account !== who.account);
  if (other.length === 0) return;
  const list = other.map(({ account, by }) => `${by} belongs to ${account}`).join(', ');
  throw new KitError(
    'wrong-account',
    `these AWS credentials are for account ${who.account} (${who.arn}), but ${list}; choose another profile with --profile NAME, or correct the file`,
  );
}
