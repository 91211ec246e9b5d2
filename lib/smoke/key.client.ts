import type { Aws } from '../aws/aws.js';
import { isMissing } from '../aws/errors.js';
import { parseSecretValue, principalLabel, secretName, STAGES, type KeyPair, type PrincipalId } from '../contract/index.js';
import { KitError } from '../errors.js';

/**
 * A principal's current key, from its secret.
 * @throws KitError `key-missing` | `secret-malformed`.
 */
export async function currentKey(aws: Aws, principal: PrincipalId): Promise<KeyPair> {
  const name = secretName(principal);
  const [client, { GetSecretValueCommand }] = await Promise.all([aws.secrets(), import('@aws-sdk/client-secrets-manager')]);
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: STAGES.current }));
    return parseSecretValue(answer.SecretString ?? '', name);
  } catch (cause) {
    if (cause instanceof KitError) throw cause;
    const missing = isMissing(cause, 'secret');
    throw new KitError(
      missing ? 'key-missing' : 'secret-unreadable',
      missing
        ? `${principalLabel(principal)} has no key yet; run \`halcyon-kit up ${principal.team}\``
        : `secret ${name} cannot be read (${cause instanceof Error ? cause.message : String(cause)}); you need secretsmanager:GetSecretValue on it`,
      { cause },
    );
  }
}
