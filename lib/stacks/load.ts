import { KitError } from '../errors.js';

/** What needs the CDK, which is the user's own. @throws KitError `synth-failed` where there is none. */
export const loadApp = () =>
  import('./app.js').catch((cause: NodeJS.ErrnoException) => {
    if (!/MODULE_NOT_FOUND/.test(cause.code ?? '')) throw cause;
    throw new KitError('synth-failed', 'stacks are made by the AWS CDK; install aws-cdk-lib and constructs beside halcyon-kit', { cause });
  });
