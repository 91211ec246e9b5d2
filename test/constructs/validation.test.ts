import { App, Stack } from 'aws-cdk-lib/core';
import { expect, test } from 'vitest';
import { acknowledgeRule } from '../../lib/constructs/validation.js';

test('a finding that cannot be acknowledged leaves stack traces as they were', () => {
  const { stackTraceLimit } = Error;
  expect(() => acknowledgeRule(new Stack(new App(), 'stack'), undefined as never)).toThrow();
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});
