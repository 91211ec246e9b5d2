import { App, Stack, type Environment } from 'aws-cdk-lib/core';

/** A stack on its own. Templates are checked against CloudFormation's schemas where whole apps are tested: it costs seconds each time. */
export function testStack(env?: Environment): Stack {
  const context = { '@aws-cdk/core:enablePartitionLiterals': true };
  return new Stack(new App({ builtinCloudFormationValidation: false, context }), 'stack', { env });
}
