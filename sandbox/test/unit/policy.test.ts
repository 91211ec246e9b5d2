import { describe, expect, test } from 'vitest';
import { denies, like, parsePolicy, type RequestContext } from '../../aws/front/policy.js';

const context: RequestContext = {
  action: 's3:PutObject',
  resource: 'arn:aws:s3:::b/team/key',
  principal: 'arn:aws:iam::111122223333:user/halcyon/read-only/payments/x',
  keys: {
    's3:signatureversion': 'AWS',
    's3:tlsversion': '1.2',
    'aws:principalarn': 'arn:aws:iam::111122223333:user/halcyon/read-only/payments/x',
    'aws:securetransport': 'true',
  },
};
const denied = (statement: object, changes: Partial<RequestContext> = {}): boolean => {
  const base = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] };
  return parsePolicy(JSON.stringify({ Statement: { ...base, ...statement } })).some((parsed) => denies(parsed, { ...context, ...changes }));
};

describe('who, what, where', () => {
  test.each([
    [{}, true],
    [{ Effect: 'Allow' }, false],
    [{ Principal: { AWS: '*' } }, true],
    [{ Principal: { AWS: context.principal } }, true],
    [{ Principal: { AWS: ['arn:aws:iam::111122223333:root'] } }, true],
    [{ Principal: { AWS: '111122223333' } }, true],
    [{ Principal: { AWS: '444455556666' } }, false],
    [{ Principal: { Service: 's3.amazonaws.com' } }, false],
    [{ Principal: undefined, NotPrincipal: '*' }, false],
    [{ Action: 'S3:putobject' }, true],
    [{ Action: ['s3:GetObject', 's3:Put*'] }, true],
    [{ Action: 's3:GetObject' }, false],
    [{ Action: undefined, NotAction: 's3:GetObject' }, true],
    [{ Action: undefined, NotAction: 's3:Put*' }, false],
    [{ Resource: 'arn:aws:s3:::b' }, false],
    [{ Resource: 'arn:aws:s3:::b/team/???' }, true],
    [{ Resource: 'arn:aws:s3:::b/TEAM/*' }, false],
    [{ Resource: undefined, NotResource: 'arn:aws:s3:::b/other/*' }, true],
  ])('%j: %s', (statement, expected) => expect(denied(statement)).toBe(expected));

  test('everybody is anonymous too, nobody else is', () => {
    expect(denied({}, { principal: undefined })).toBe(true);
    expect(denied({ Principal: { AWS: '111122223333' } }, { principal: undefined })).toBe(false);
  });
});

describe('conditions', () => {
  test.each([
    [{ StringEquals: { 's3:signatureversion': 'AWS' } }, true],
    [{ StringEquals: { 's3:SignatureVersion': ['AWS4-HMAC-SHA256', 'AWS'] } }, true],
    [{ StringNotEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } }, true],
    [{ StringNotEquals: { 's3:signatureversion': ['AWS4-HMAC-SHA256', 'AWS'] } }, false],
    [{ StringLike: { 's3:signatureversion': 'AWS*' } }, true],
    [{ NumericLessThan: { 's3:TlsVersion': 1.2 } }, false],
    [{ NumericLessThan: { 's3:TlsVersion': '1.3' } }, true],
    [{ NumericLessThanEquals: { 's3:TlsVersion': '1.2' } }, true],
    [{ NumericGreaterThan: { 's3:TlsVersion': '1.1' } }, true],
    [{ StringEquals: { 's3:signatureversion': 'AWS' }, ArnLike: { 'aws:PrincipalArn': 'arn:*:iam::*:user/halcyon/read-only/*' } }, true],
    [
      { StringEquals: { 's3:signatureversion': 'AWS' }, ArnNotLike: { 'aws:PrincipalArn': 'arn:*:iam::*:user/halcyon/read-only/*' } },
      false,
    ],
    [{ Bool: { 'aws:SecureTransport': 'true' } }, true],
    [{ StringEquals: { 'aws:missing': 'x' } }, false],
    [{ StringEqualsIfExists: { 'aws:missing': 'x' } }, true],
    [{ StringNotEquals: { 'aws:missing': 'x' } }, true],
    [{ Null: { 'aws:missing': 'true' } }, true],
    [{ Null: { 's3:signatureversion': 'true' } }, false],
    [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, false],
  ])('%j: %s', (Condition, expected) => expect(denied({ Condition })).toBe(expected));
});

test('patterns are IAM’s, not regular expressions', () => {
  expect(like('a.c', 'abc')).toBe(false);
  expect(like('a?c', 'abc')).toBe(true);
  expect(like('a*', 'a\nb')).toBe(true);
  expect(like('[a]', 'a')).toBe(false);
});

test('what is no policy denies nothing', () => {
  expect(parsePolicy('{')).toEqual([]);
  expect(parsePolicy('{}')).toEqual([]);
});
