export interface KeyUse {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

/** Longest history kept of a key. */
const KEPT = 10_000;

/** When each key was used, remembered for as long as a lagging answer may ask for. */
export class KeyUses {
  readonly #uses = new Map<string, KeyUse[]>();

  note(accessKeyId: string, use: KeyUse): void {
    const uses = this.#uses.get(accessKeyId) ?? [];
    const newest = uses.at(-1);
    // AWS tells seconds; more would only fill memory under load.
    if (newest !== undefined && newest.service === use.service && Math.floor(newest.at / 1000) === Math.floor(use.at / 1000)) return;
    uses.push(use);
    if (uses.length > KEPT) uses.splice(0, KEPT / 2);
    this.#uses.set(accessKeyId, uses);
  }

  /** The last use not later than `until`. */
  last(accessKeyId: string, until: number): KeyUse | undefined {
    return this.#uses.get(accessKeyId)?.findLast((use) => use.at <= until);
  }
}
