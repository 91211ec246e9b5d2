import { isMissing, type Missing } from '../aws/errors.js';
import { isKitError } from '../errors.js';

/** Runs reads of which any may be refused: what fails is noted, and the doctor goes on without it. */
export class Reader {
  readonly unread: string[] = [];
  constructor(readonly signal?: AbortSignal) {}

  /** @param absent - what may not be there: then the result is null. */
  async read<T>(what: string, work: () => Promise<T>, absent?: Missing): Promise<T | null | undefined> {
    this.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      this.signal?.throwIfAborted();
      const { name, message } = error as Error;
      if (absent !== undefined && isMissing(error, absent)) return null;
      this.unread.push(`${what}: ${isKitError(error) || name === 'Error' ? message : `${name}: ${message}`}`);
      return undefined;
    }
  }
}
