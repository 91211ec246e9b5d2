import { Token, Validations, type Acknowledgment } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';
import { ACCESSES, ACLS, userName, type Access, type Acl, type PrincipalId } from '../contract/index.js';
import { explainAccount, explainBucket, explainKmsKey, explainPrefix, type Explain } from '../config/names.js';
import { KitError } from '../errors.js';
import { MAX_USER_POLICY, policySize, type PolicyDocumentJson } from './policies.js';

/** Each rule skips tokens: their values are known only to CloudFormation. All throw KitError `invalid-prop`. */

/** Findings of cdk-nag that stand, and why: without the stack trace that the CDK takes each time, and that nobody reads. */
export function acknowledgeRule(construct: IConstruct, ...rules: Acknowledgment[]): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    Validations.of(construct).acknowledge(...rules);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const refuse = (prop: string, must: string, got: unknown): never => {
  throw new KitError('invalid-prop', `\`${prop}\` must be ${must}, got: ${typeof got === 'string' ? `"${got}"` : String(got)}`);
};
const unknown = (value: unknown): boolean => value === undefined || Token.isUnresolved(value);

const explained = (prop: string, explain: Explain, value: string | undefined): void => {
  const fault = value === undefined || unknown(value) ? undefined : explain(value);
  if (fault !== undefined) throw new KitError('invalid-prop', `\`${prop}\` ${fault}`);
};

export const validateBucketName = (name: string | undefined): void => explained('bucketName', explainBucket, name);
export const validatePrefix = (prefix: string | undefined): void => explained('prefix', explainPrefix, prefix);
export const validateKmsKeyArn = (arn: string | undefined): void => explained('kmsKeyArn', explainKmsKey, arn);
export const validateAccount = (prop: string, account: string | undefined): void => explained(prop, explainAccount, account);

export function validateAccess(access: Access): void {
  if (!unknown(access) && !ACCESSES.includes(access)) refuse('access', `one of ${ACCESSES.join(', ')}`, access);
}

export function validateAcl(acl: Acl | undefined, allowPublicRead: boolean): void {
  if (acl === undefined || unknown(acl)) return;
  if (!ACLS.includes(acl)) refuse('acl', `one of ${ACLS.join(', ')}`, acl);
  if (acl === 'public-read' && !allowPublicRead) {
    throw new KitError('invalid-prop', '`acl` "public-read" lets anyone read every upload; set `allowPublicRead: true` if that is meant');
  }
}

export function validateDays(prop: string, days: number | undefined): void {
  if (days !== undefined && !unknown(days) && !(Number.isInteger(days) && days >= 1))
    refuse(prop, 'a whole number of days, at least 1', days);
}

/** IAM: 64 characters of `[\w+=,.@-]`, and a path of 512. */
export function validatePrincipal(id: PrincipalId): void {
  if (unknown(id.team) || Token.isUnresolved(id.app)) return;
  if (!/^[\w+=,.@-]+$/.test(id.team)) refuse('team', 'letters, digits and "+=,.@_-"', id.team);
  if (id.app !== undefined && !/^[\w+=,.@-]+$/.test(id.app)) refuse('app', 'letters, digits and "+=,.@_-"', id.app);
  const name = userName(id);
  if (name.length > 64)
    refuse(id.app === undefined ? 'team' : 'app', `shorter: its IAM user name is ${name.length} characters, and IAM allows 64`, name);
}

export function validateUserPolicy(name: string, policy: PolicyDocumentJson): void {
  const size = policySize(policy);
  if (size > MAX_USER_POLICY && !unknown(JSON.stringify(policy))) {
    throw new KitError(
      'policy-too-long',
      `the policy of ${name} is ${size} characters, and IAM allows ${MAX_USER_POLICY} inline a user; use a shorter bucket name or prefix`,
    );
  }
}
