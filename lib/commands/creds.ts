import { createAws } from '../aws/aws.js';
import { checkAccount, identity } from '../aws/identity.js';
import { sessionCredentials } from '../aws/session.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { parseDuration } from '../cli/duration.js';
import { teamNamed } from '../config/derive.js';
import { loadConfig } from '../config/index.js';
import { userPolicyOf } from '../constructs/file-policies.js';
import { halcyonBucket, type Access } from '../contract/index.js';
import { KitError } from '../errors.js';
import { networkOf } from '../network/network.js';

export interface CredsOptions extends GlobalOptions {
  readonly mode: Access;
  readonly duration: string;
  readonly role?: string;
}

/** What STS gives, in seconds: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html */
const SHORTEST = 900;
const LONGEST = 129_600;

/** Short-lived credentials that may do what a mode of a team may, for a developer's machine. Makes and changes nothing. */
export async function creds(name: string, options: CredsOptions, host: CommandHost): Promise<CommandResult> {
  const config = await loadConfig(options.config);
  const { bucket } = teamNamed(config, name);
  if (bucket === undefined)
    throw new KitError('team-without-bucket', `team ${name} has no bucket, so there is nothing to get credentials for`);
  const seconds = parseDuration(options.duration, '--duration') / 1000;
  if (seconds < SHORTEST || seconds > LONGEST || !Number.isInteger(seconds))
    throw new KitError('duration-invalid', `--duration must be from 15m to 36h, got "${options.duration}"`);
  const { region, account, name: bucketName } = bucket.spec;
  const aws = createAws({ region, profile: options.profile, network: networkOf(host.env, (text) => host.io.warn(text)) });
  const who = await identity(aws);
  if (options.role === undefined && !/:(?:user\/.*|root)$/.test(who.arn))
    throw new KitError(
      'role-missing',
      `${who.arn} is no IAM user, and AWS gives short-lived credentials to users by themselves only; name a role that may use the bucket with --role ARN`,
    );
  if (options.role === undefined) checkAccount(who, [{ account, by: `team ${name}` }]);
  const policy = JSON.stringify(userPolicyOf(bucket, options.mode));
  const made = await sessionCredentials(aws, { name: `halcyon.${name}`, policy, seconds, role: options.role });
  host.io.info(
    `${options.mode} on s3://${halcyonBucket(bucketName, bucket.prefix)} until ${made.expiration.toISOString()}, as far as ${options.role ?? who.arn} may itself`,
  );
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, expiration } = made;
  const lines = {
    AWS_ACCESS_KEY_ID: AccessKeyId,
    AWS_SECRET_ACCESS_KEY: SecretAccessKey,
    AWS_SESSION_TOKEN: SessionToken,
    AWS_REGION: region,
  };
  return {
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
    data: { Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration: expiration.toISOString() },
    text: Object.entries(lines)
      .map(([variable, value]) => `export ${variable}=${value}`)
      .join('\n'),
    unredacted: true,
  };
}
