import { expect, test } from 'vitest';
import { fingerprint, Vault } from '../../../lib/engine/run/vault.js';
import { redact } from '../../../lib/io/redaction.js';

test('a vault never shows what it holds', () => {
  const vault = new Vault();
  vault.put('AKIA', 'a-very-secret-secret');
  expect(JSON.stringify({ vault, again: [vault] })).not.toContain('secret-secret');
  expect(redact('it is a-very-secret-secret')).toBe('it is [redacted]');
  expect(vault.pairOf('AKIA')).toEqual({ accessKeyId: 'AKIA', secretAccessKey: 'a-very-secret-secret' });
  expect([vault.pairOf('OTHER'), vault.pairOf(null), vault.pairOf(undefined)]).toEqual([undefined, undefined, undefined]);
  expect(vault.fingerprintOf('AKIA')).toBe(fingerprint('a-very-secret-secret'));
  expect(fingerprint('a-very-secret-secret')).toMatch(/^sha256:[0-9a-f]{12}$/);
});
