import type { KeyPair, PrincipalId } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import { inWords } from '../clock.js';
import type { Policy } from '../model.js';
import { isTransient, type Ports } from '../ports/ports.js';
import type { RunContext } from './run.js';

export interface VerifyContext extends Pick<RunContext, 'clock' | 'signal'>, Pick<Ports, 'verifier'> {
  readonly policy: Pick<Policy, 'verifications' | 'verifyTimeout'>;
  /** Comes before every round; stops it by throwing. */
  readonly before: () => Promise<void>;
  /** How far it is. */
  readonly say: (detail: string) => void;
}

/**
 * Wait until a key works everywhere: so many rounds in a row without a single failure, since AWS's servers learn of a key one by one.
 * @throws KitError `key-not-accepted` when that takes too long, `access-too-wide` at once.
 */
export async function verifyKey(
  context: VerifyContext,
  principal: { readonly id: PrincipalId; readonly label: string; readonly current?: string; readonly pending?: string },
  key: KeyPair,
): Promise<void> {
  const { verifier, clock, signal, say } = context;
  const { verifications, verifyTimeout } = context.policy;
  const began = clock.now();
  let inARow = 0;
  let pause = 250;
  while (inARow < verifications) {
    await context.before();
    const problem = await verifier.check(principal.id, key).catch((error: unknown) => {
      if (isTransient(error)) return (error as Error).message;
      throw error;
    });
    if (problem === undefined) {
      inARow += 1;
      pause = 250;
      say(`${inARow} of ${verifications} in a row`);
      if (inARow < verifications) await clock.sleep(pause, signal);
      continue;
    }
    inARow = 0;
    const waited = clock.now() - began;
    if (waited > verifyTimeout) {
      const given = principal.current === key.accessKeyId && principal.pending !== key.accessKeyId;
      const who = given ? 'it is the current one, so apps may have it' : 'no app has it';
      throw new KitError(
        'key-not-accepted',
        `key ${key.accessKeyId} of ${principal.label} still does not work after ${inWords(waited)}: ${problem}; ${who}; see its user's policies and the bucket's, and run again`,
      );
    }
    say(`${problem}; waiting ${inWords(waited)} so far`);
    await clock.sleep(pause, signal);
    pause = Math.min(pause * 1.6, 5000);
  }
}
