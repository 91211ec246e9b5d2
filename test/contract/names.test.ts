import { describe, expect, test } from 'vitest';
import { ACCESSES, iamPath, keyIdOfVersion, parseUserName, secretVersionId, userName, type PrincipalId } from '../../lib/contract/index.js';

describe('the principal of an IAM user', () => {
  test.each(
    ACCESSES.flatMap((access): PrincipalId[] => [
      { team: 'payments', access },
      { team: 'payments', access, app: 'my-upload' },
      { team: 'payments', access, reach: '0a1b2c' },
      { team: 'payments', access, app: 'my-upload', reach: '0a1b2c', generation: 12 },
    ]),
  )('is read as it was written: %j', (id) =>
    expect(parseUserName({ path: iamPath(id.access, 'payments'), name: userName(id) })).toEqual(id),
  );

  test.each([
    ['another team’s path', '/halcyon/upload/search/', 'halcyon.team.payments.upload'],
    ['another access than its path', '/halcyon/upload/payments/', 'halcyon.team.payments.read-only'],
    ['another team than its path', '/halcyon/upload/payments/', 'halcyon.team.search.upload'],
    ['a reach that is none', '/halcyon/upload/payments/', 'halcyon.team.payments.upload.xyz'],
    ['a generation that is none', '/halcyon/upload/payments/', 'halcyon.team.payments.upload.0a1b2c-x'],
    ['no app', '/halcyon/upload/payments/', 'halcyon.app..upload'],
    ['a name of someone else’s', '/halcyon/upload/payments/', 'somebody'],
    ['a path of someone else’s', '/', 'halcyon.team.payments.upload'],
  ])('none: %s', (_what, path, name) => expect(parseUserName({ path, name })).toBeUndefined());
});

test.each(['AKIAIOSFODNN7EXAMPLE', 'AKIA12345678'])('a version id tells the key: %s', (keyId) => {
  expect(secretVersionId(keyId).length).toBeGreaterThanOrEqual(32);
  expect(keyIdOfVersion(secretVersionId(keyId))).toBe(keyId);
});
