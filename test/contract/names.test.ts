import { expect, test } from 'vitest';
import { keyIdOfVersion, secretVersionId } from '../../lib/contract/index.js';

test.each(['AKIAIOSFODNN7EXAMPLE', 'AKIA12345678'])('a version id tells the key: %s', (keyId) => {
  expect(secretVersionId(keyId).length).toBeGreaterThanOrEqual(32);
  expect(keyIdOfVersion(secretVersionId(keyId))).toBe(keyId);
});
