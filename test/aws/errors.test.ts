import { describe, expect, test } from 'vitest';
import { awsError, isMissing, type Missing } from '../../lib/aws/errors.js';
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

test.each<[string, Missing, Error, boolean]>([
  ['a stack, by its text', 'stack', error('ValidationError', 'Stack with id halcyon-a does not exist'), true],
  ['no stack by another text', 'stack', error('ValidationError', 'Stack [a] is in DELETE_IN_PROGRESS'), false],
  ['a text alone', 'stack', error('AccessDenied', 'the role does not exist'), false],
  ['a user', 'user or key', error('NoSuchEntityException'), true],
  ['a secret', 'secret', error('ResourceNotFoundException'), true],
  ['a secret on its way out', 'secret', error('InvalidRequestException', 'the secret was marked for deletion'), true],
  ['a secret in another state', 'secret', error('InvalidRequestException', 'no'), false],
  ['an object of a bucket that is missing', 'object', error('NoSuchBucket'), false],
])('missing: %s', (_, what, given, expected) => expect(isMissing(given, what)).toBe(expected));

test('the wrong account is named together with the right one', () => {
  const who = { account: '999999999999', arn: 'arn:aws:iam::999999999999:user/ann' };
  expect(() => checkAccount(who, [{ account: '999999999999', by: 'team a' }])).not.toThrow();
  expect(() => checkAccount(who, [{ account: '111122223333', by: 'team payments' }])).toThrow(
    /for account 999999999999 .*team payments belongs to 111122223333.*--profile/,
  );
});
