import { expect, test } from 'vitest';
import { failure, isAmbiguous } from '../../lib/aws/errors.js';

test.each<[object, boolean, string]>([
  [{ name: 'Error', code: 'ECONNRESET', message: 'reset' }, true, 'aws-unavailable'],
  [{ name: 'TimeoutError', message: 'slow' }, true, 'aws-unavailable'],
  [{ name: 'SomethingFailed', message: 'x', $metadata: { httpStatusCode: 503 } }, true, 'aws-unavailable'],
  [{ name: 'NoSuchEntityException', message: 'gone', $metadata: { httpStatusCode: 404 } }, false, 'state-changed'],
  [{ name: 'AccessDenied', message: 'no', $metadata: { httpStatusCode: 403 } }, false, 'aws-denied'],
])('an AWS error %j', (error, ambiguous, code) => {
  expect(isAmbiguous(error)).toBe(ambiguous);
  expect(failure(error, 'do it').code).toBe(code);
});
