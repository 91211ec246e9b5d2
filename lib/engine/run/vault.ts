import { createHash } from 'node:crypto';
import type { KeyPair } from '../../contract/index.js';
import { registerSecret } from '../../io/redaction.js';

/** Secret keys by access key id: in memory only, registered for redaction on arrival, and never part of an observation. */
export class Vault {
  readonly #secrets = new Map<string, string>();

  put(keyId: string, secret: string): void {
    registerSecret(secret);
    this.#secrets.set(keyId, secret);
  }
  pairOf(keyId: string | null | undefined): KeyPair | undefined {
    const secretAccessKey = this.#secrets.get(keyId ?? '');
    return keyId && secretAccessKey !== undefined ? { accessKeyId: keyId, secretAccessKey } : undefined;
  }
  fingerprintOf(keyId: string): string | undefined {
    const secret = this.#secrets.get(keyId);
    return secret === undefined ? undefined : fingerprint(secret);
  }
  toJSON(): string {
    return '[vault]';
  }
}

/** What may be shown of a secret: 12 hex digits of its SHA-256. A secret key has 240 random bits, so this tells nothing of it. */
export const fingerprint = (secret: string): string => `sha256:${createHash('sha256').update(secret).digest('hex').slice(0, 12)}`;
