import { expect, test } from 'vitest';
import { formatSecretValue, parseSecretValue } from '../../lib/contract/index.js';
import { redact } from '../../lib/io/redaction.js';

test('a key read from its secret is registered for redaction', () => {
  const key = { accessKeyId: 'AKIAEXAMPLE000000001', secretAccessKey: 'canary-read-from-a-secret' };
  expect(parseSecretValue(formatSecretValue(key), 'halcyon/team/upload')).toEqual(key);
  expect(redact(`with ${key.secretAccessKey}`)).toBe('with [redacted]');
});

test.each(['', 'null', '{}', '{"HALCYON_AWS_ACCESS_KEY_ID":"canary-of-half-a-key"}'])(
  '%j is no key, and what it is is not told',
  (text) => {
    expect(() => parseSecretValue(text, 'halcyon/team/upload')).toThrow(/^secret halcyon\/team\/upload does not hold [A-Z_]+ and [A-Z_]+;/);
  },
);
