import { startLocalAws, type LocalAws, type LocalAwsOptions } from './aws/index.js';
import { startLocalHeroku, type LocalHeroku, type LocalHerokuOptions } from './heroku/index.js';

export { startLocalAws } from './aws/index.js';
export type { Fault, LocalAws, LocalAwsOptions, LogEntry, Settings } from './aws/index.js';
export { startLocalHeroku } from './heroku/index.js';

export interface SandboxOptions {
  readonly aws?: LocalAwsOptions;
  readonly heroku?: LocalHerokuOptions;
}

/** A local AWS and a local Heroku whose builds and dynos find that AWS. */
export interface Sandbox {
  readonly aws: LocalAws;
  readonly heroku: LocalHeroku;
  /** What aims any client at both: AWS's variables (the account's root key), HEROKU_HOST, HEROKU_API_KEY. */
  readonly env: Record<string, string>;
  stop(): Promise<void>;
}

/** Start both, each on loopback and free ports unless told otherwise. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const aws = await startLocalAws(options.aws);
  try {
    // Builds and dynos are to trust the local AWS, and never to see the operator's key.
    const heroku = await startLocalHeroku({ ...options.heroku, caFile: aws.caFile });
    return {
      aws,
      heroku,
      env: { ...aws.env, ...heroku.env },
      stop: async () => {
        await heroku.stop();
        await aws.stop();
      },
    };
  } catch (error) {
    await aws.stop();
    throw error;
  }
}
