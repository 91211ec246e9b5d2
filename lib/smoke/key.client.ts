import type { Aws } from '../aws/aws.js';
import { isMissing } from '../aws/errors.js';
import { parseSecretValue, principalLabel, secretName, STAGES, type PrincipalId } from '../contract/index.js';
import { KitError } from '../errors.js';

export interface Key {
  readonly id: string;
  readonly secret: string;
}

/**
 * A principal's current key, from its secret.
 * @throws KitError `key-missing` | `secret-malformed`.
 */
export async function currentKey(aws: Aws, principal: PrincipalId): Promise<Key> {
  const name = secretName(principal);
  const [client, { GetSecretValueCommand }] = await Promise.all([aws.secrets(), import('@aws-sdk/client-secrets-manager')]);
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: STAGES.current }));
    const value = parseSecretValue(answer.SecretString ?? '', name);
    return { id: value.HALCYON_AWS_ACCESS_KEY_ID, secret: value.HALCYON_AWS_SECRET_ACCESS_KEY };
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
