import { Stack } from 'aws-cdk-lib/core';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { App } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { buildApp } from '../../lib/stacks/app.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

const OPEN = EXAMPLE.replace('region: eu-west-1,', 'region: eu-west-1, acl: public-read, allowPublicRead: true,');
const ENCRYPTED = EXAMPLE.replace(
  'region: us-east-1 }',
  'region: us-east-1, kmsKeyArn: "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555" }',
);

const findings = (app: App): string[] =>
  new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
    );

test.each([
  ['the example', EXAMPLE],
  ['a public bucket', OPEN],
  ['an encrypted bucket', ENCRYPTED],
])('AwsSolutions finds nothing in %s that is not acknowledged', (_what, text) => {
  expect(findings(buildApp(exampleConfig(text)))).toEqual([]);
});

test('AwsSolutions is really asked: a bucket without our care is found', () => {
  const app = buildApp(exampleConfig());
  new Bucket(new Stack(app, 'stray'), 'Bucket');
  expect(findings(app)).toEqual(['AwsSolutions-S1 stray/Bucket/Resource', 'AwsSolutions-S10 stray/Bucket/Resource']);
});
