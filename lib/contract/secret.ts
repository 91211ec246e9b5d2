import { KitError } from '../errors.js';
import { registerSecret } from '../io/redaction.js';

/** Value of a principal's secret in Secrets Manager: named as the config vars it becomes. */
export interface SecretValue {
  readonly HALCYON_AWS_ACCESS_KEY_ID: string;
  readonly HALCYON_AWS_SECRET_ACCESS_KEY: string;
}

/** Secrets Manager's staging labels, in the order a key passes through them. */
export const STAGES = { pending: 'AWSPENDING', current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const;

/**
 * Parse a secret's string, and register the secret key for redaction.
 * @throws KitError `secret-malformed` when it is not the shape above.
 */
export function parseSecretValue(text: string, name: string): SecretValue {
  let value: Partial<SecretValue> | null = null;
  try {
    value = JSON.parse(text) as Partial<SecretValue> | null;
  } catch {
    // Reported below, without the text: it may hold a secret.
  }
  const id = value?.HALCYON_AWS_ACCESS_KEY_ID;
  const secret = value?.HALCYON_AWS_SECRET_ACCESS_KEY;
  if (typeof id !== 'string' || typeof secret !== 'string' || id === '' || secret === '') {
    throw new KitError(
      'secret-malformed',
      `secret ${name} does not hold HALCYON_AWS_ACCESS_KEY_ID and HALCYON_AWS_SECRET_ACCESS_KEY; restore its previous version`,
    );
  }
  registerSecret(secret);
  return { HALCYON_AWS_ACCESS_KEY_ID: id, HALCYON_AWS_SECRET_ACCESS_KEY: secret };
}

/** The string to store for a key. */
export const formatSecretValue = (keyId: string, secretKey: string): string =>
  JSON.stringify({ HALCYON_AWS_ACCESS_KEY_ID: keyId, HALCYON_AWS_SECRET_ACCESS_KEY: secretKey } satisfies SecretValue);
