import { isMissing, type Missing } from '../aws/errors.js';
import { isKitError } from '../errors.js';
import type { Read } from '../engine/run/looking.js';

/** Reads of which any may be refused: what fails is noted, and the doctor goes on without it. */
export class Reader {
  readonly unread: string[] = [];
  constructor(readonly signal?: AbortSignal) {}

  readonly read: Read = async (what, work) => {
    this.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.signal?.throwIfAborted();
      const { name, message } = error as Error;
      this.unread.push(`${what}: ${isKitError(error) || name === 'Error' ? message : `${name}: ${message}`}`);
      return undefined;
    }
  };

  /** @param none - what may not be there: then the result is null. */
  readIfAny<T>(what: string, none: Missing, work: () => Promise<T>): Promise<T | null | undefined> {
    return this.read<T | null>(what, () =>
      work().catch((error: unknown) => {
        if (isMissing(error, none)) return null;
        throw error;
      }),
    );
  }
}
