import { KitError } from '../../errors.js';
import type { PrincipalId } from '../../contract/index.js';
import type { Run } from './apply.client.js';
import { isTransient } from '../ports/ports.js';
import { inWords } from '../clock.js';

/**
 * Wait until a key works everywhere: so many rounds in a row without a single failure, since AWS's servers learn of a key one by one.
 * @throws KitError `key-not-accepted` when that takes too long, `access-too-wide` at once.
 */
export async function verifyKey(
  run: Run,
  principal: { id: PrincipalId; label: string },
  keyId: string,
  say: (detail: string) => void,
): Promise<void> {
  const secretAccessKey = run.vault.secretOf(keyId) as string;
  const { verifications, verifyTimeout } = run.policy;
  const began = run.clock.now();
  let inARow = 0;
  let pause = 250;
  while (inARow < verifications) {
    run.signal?.throwIfAborted();
    await run.lease.check();
    const problem = await run.ports.verifier.check(principal.id, { accessKeyId: keyId, secretAccessKey }).catch((error: unknown) => {
      if (isTransient(error)) return (error as Error).message;
      throw error;
    });
    if (problem === undefined) {
      inARow += 1;
      pause = 250;
      say(`${inARow} of ${verifications} in a row`);
      if (inARow < verifications) await run.clock.sleep(pause, run.signal);
      continue;
    }
    inARow = 0;
    const waited = run.clock.now() - began;
    if (waited > verifyTimeout) {
      throw new KitError(
        'key-not-accepted',
        `key ${keyId} of ${principal.label} still does not work after ${inWords(waited)}: ${problem}; no app has it; see its user's policies and the bucket's, and run again`,
      );
    }
    say(`${problem}; waiting ${inWords(waited)} so far`);
    await run.clock.sleep(pause, run.signal);
    pause = Math.min(pause * 1.6, 5000);
  }
  run.verified.add(keyId);
}
