import { createHash } from 'node:crypto';

/** Of plain data: 132 bits in 22 characters. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('base64url')
    .slice(0, 22);
