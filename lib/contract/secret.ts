import { KitError } from '../errors.js';
import { registerSecret } from '../io/redaction.js';

/** An access key of AWS, in the SDK's words. */
export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Secrets Manager's staging labels, in the order a key passes through them. */
export const STAGES = { pending: 'AWSPENDING', current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const;

/**
 * The key in a secret's string, whose fields are named as the config vars they become. Registers the secret key for redaction.
 * @throws KitError `secret-malformed` when it is no such string.
 */
export function parseSecretValue(text: string, name: string): KeyPair {
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    // Reported below, without the text: it may hold a secret.
  }
  const accessKeyId = value?.HALCYON_AWS_ACCESS_KEY_ID;
  const secretAccessKey = value?.HALCYON_AWS_SECRET_ACCESS_KEY;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || accessKeyId === '' || secretAccessKey === '') {
    throw new KitError(
      'secret-malformed',
      `secret ${name} does not hold HALCYON_AWS_ACCESS_KEY_ID and HALCYON_AWS_SECRET_ACCESS_KEY; restore its previous version`,
    );
  }
  registerSecret(secretAccessKey);
  return { accessKeyId, secretAccessKey };
}

/** The string to store for a key. */
export const formatSecretValue = ({ accessKeyId, secretAccessKey }: KeyPair): string =>
  JSON.stringify({ HALCYON_AWS_ACCESS_KEY_ID: accessKeyId, HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey });
