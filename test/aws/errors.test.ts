import { describe, expect, test } from 'vitest';
import { awsError } from '../../lib/aws/errors.js';
import { checkAccount } from '../../lib/aws/identity.js';
import { KitError } from '../../lib/errors.js';

const error = (name: string, message = 'text', more = {}) => Object.assign(new Error(message), { name, ...more });

describe('an error of AWS becomes one sentence that says what to do', () => {
  test.each([
    [
      error('CredentialsProviderError', 'Could not load credentials from any providers'),
      'aws-credentials-missing',
      /aws sso login.*--profile/,
    ],
    [error('ExpiredToken'), 'aws-credentials-expired', /sign in again/],
    [error('InvalidClientTokenId'), 'aws-credentials-refused', /AWS_PROFILE/],
    [error('SignatureDoesNotMatch'), 'aws-credentials-refused', /SignatureDoesNotMatch/],
    [error('AccessDenied', 'User: x is not authorized to perform: iam:CreateUser'), 'aws-denied', /^not allowed to do it: User: x/],
    [error('RequestTimeTooSkewed'), 'clock-skew', /clock/],
    [error('ThrottlingException'), 'aws-throttled', /slow down/],
    [error('Error', 'self signed certificate in certificate chain', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'aws-tls', /AWS_CA_BUNDLE/],
    [error('Error', 'getaddrinfo ENOTFOUND s3.xx-nowhere-1.amazonaws.com', { code: 'ENOTFOUND' }), 'aws-unreachable', /region/],
    [error('SomethingElse', 'odd'), 'aws-failed', /SomethingElse: odd/],
  ])('%s', (given, code, message) => {
    const made = awsError(given, 'do it');
    expect(made).toBeInstanceOf(KitError);
    expect(made.code).toBe(code);
    expect(made.message).toMatch(message);
    expect(made.cause).toBe(given);
  });

  test('one of ours passes unchanged', () => {
    const ours = new KitError('declined', 'y');
    expect(awsError(ours, 'do it')).toBe(ours);
  });
});

test('the wrong account is named together with the right one', () => {
  const who = { account: '999999999999', arn: 'arn:aws:iam::999999999999:user/ann' };
  expect(() => checkAccount(who, [{ account: '999999999999', by: 'team a' }])).not.toThrow();
  expect(() => checkAccount(who, [{ account: '111122223333', by: 'team payments' }])).toThrow(
    /for account 999999999999 .*team payments belongs to 111122223333.*--profile/,
  );
});
