import type { KeyPair } from '../contract/index.js';
import { registerSecret } from '../io/redaction.js';
import { unexpectedAnswer } from '../network/answers.js';
import type { Aws } from './aws.js';
import { failure } from './errors.js';

/** Credentials that end by themselves. */
export interface SessionCredentials extends KeyPair {
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface SessionOptions {
  /** As CloudTrail names the session. */
  readonly name: string;
  /** JSON: what the session may do, as far as whoever asks, or the role, may do it. */
  readonly policy: string;
  readonly seconds: number;
  /** ARN of a role to act as. Default: as an IAM user, by GetFederationToken. */
  readonly role?: string;
}

/** By STS; registered for redaction. */
export async function sessionCredentials(aws: Aws, { name, policy, seconds, role }: SessionOptions): Promise<SessionCredentials> {
  const { AssumeRoleCommand, GetFederationTokenCommand } = await import('@aws-sdk/client-sts');
  const sts = await aws.sts();
  const call = role === undefined ? 'GetFederationToken' : 'AssumeRole';
  const asked = { Policy: policy, DurationSeconds: seconds };
  try {
    const { Credentials: made } = await (role === undefined
      ? sts.send(new GetFederationTokenCommand({ ...asked, Name: name }))
      : sts.send(new AssumeRoleCommand({ ...asked, RoleArn: role, RoleSessionName: name })));
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: expiration } = made ?? {};
    for (const secret of [secretAccessKey, sessionToken]) registerSecret(secret);
    if (!accessKeyId || !secretAccessKey || !sessionToken || !expiration)
      throw unexpectedAnswer({ service: 'AWS', request: `STS ${call}` }, 'it has no credentials');
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  } catch (error) {
    throw failure(error, `get short-lived credentials${role === undefined ? '' : ` as ${role}`} (sts:${call})`);
  }
}
