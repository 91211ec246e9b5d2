import { App } from 'aws-cdk-lib/core';
import { expect, test } from 'vitest';
import { RegionalStack } from '../../lib/stacks/regional-stack.js';

test.each([
  ['eu-west-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  [undefined, { Ref: 'AWS::Partition' }],
])('a stack of region %s is of partition %j', (region, partition) => {
  const stack = new RegionalStack(new App(), 'stack', { env: { region } });
  expect(stack.resolve(stack.partition)).toEqual(partition);
});
