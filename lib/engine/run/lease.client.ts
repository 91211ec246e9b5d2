import { KitError } from '../../errors.js';
import { inWords, type Clock } from '../clock.js';
import { isTransient, type ObjectStore } from '../ports/ports.js';
import { isDead, parseOwner, type LeaseOwner } from '../../lease-owner.js';

/** Held while a team's keys are worked on. */
export interface Lease {
  /** Returns only while the lease is certainly ours for as long as an attempt takes; renews it first where little is left. @throws KitError `lease-lost`. */
  check(): Promise<void>;
  /** Give it back; never throws. */
  release(): Promise<void>;
}

/** Stands before every attempt of every effect: nothing passes but under every lease that was taken. */
export class Fence {
  /** By their places; undefined where there is no bucket to hold one. */
  readonly #leases = new Map<string, Lease | undefined>();
  readonly check = async (): Promise<void> => {
    for (const lease of this.#leases.values()) await lease?.check();
  };

  has(place: string): boolean {
    return this.#leases.has(place);
  }
  add(place: string, lease: Lease | undefined): void {
    this.#leases.set(place, lease);
  }
  /** Give them all back, the last taken first. */
  async release(): Promise<void> {
    for (const lease of [...this.#leases.values()].reverse()) await lease?.release();
  }
}

/**
 * Take the lease, from whoever let it expire or was killed on this machine.
 * @throws KitError `lease-held`, saying who has it, since when, and when it will be free.
 */
export async function takeLease(
  store: ObjectStore,
  owner: LeaseOwner,
  clock: Clock,
  options: { isGone?: (other: LeaseOwner) => boolean } = {},
): Promise<Lease> {
  const body = JSON.stringify(owner);
  const isGone = options.isGone ?? ((other: LeaseOwner) => isDead(other, owner));
  const asked = clock.stopwatch();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    // An answer may be lost; the look that follows tells whose it is.
    const created = await store.create(body).catch(unlessTransient);
    if (created !== undefined) return held(store, owner, body, created, clock, asked);
    const found = await store.read();
    if (found === undefined) continue;
    const other = parseOwner(found.body);
    // The answer to our own creation was lost, and its repetition found it there.
    if (other?.id === owner.id) return held(store, owner, body, found.etag, clock, asked);
    const left = leftOf(found, other, owner, isGone);
    if (left > 0) throw heldError(store, other, left, clock.now());
    const taken = await store.replace(body, found.etag);
    if (taken !== undefined) return held(store, owner, body, taken, clock, asked);
  }
  throw new KitError('lease-held', `the lease ${store.place} changes hands too fast; run again in a minute`);
}

/** How long it is still another's, ms. */
function leftOf(
  { ageMs }: { ageMs: number },
  other: LeaseOwner | undefined,
  self: LeaseOwner,
  isGone: (other: LeaseOwner) => boolean,
): number {
  return other !== undefined && isGone(other) ? 0 : Math.max((other?.ttl ?? self.ttl) - ageMs, 0);
}

/** Remove a lease that nobody alive holds. */
export async function removeIfDead(store: ObjectStore, self: LeaseOwner): Promise<void> {
  const found = await store.read();
  if (found !== undefined && leftOf(found, parseOwner(found.body), self, (other) => isDead(other, self)) <= 0)
    await store.remove(found.etag);
}

function unlessTransient(error: unknown): undefined {
  if (!isTransient(error)) throw error;
}

function held(store: ObjectStore, owner: LeaseOwner, body: string, first: string, clock: Clock, asked: () => number): Lease {
  let etag = first;
  /** Time since the last renewal that succeeded was sent: by the store's clock the lease is no older. */
  let age = asked;
  let lost = false;
  let released = false;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const sent = clock.stopwatch();
    let next = await store.replace(body, etag);
    if (next === undefined) {
      // Either someone took it, or the answer to a renewal of ours was lost.
      const found = await store.read();
      if (found !== undefined && parseOwner(found.body)?.id === owner.id) next = await store.replace(body, found.etag);
    }
    if (next === undefined) lost = true;
    else [etag, age] = [next, sent];
  };
  const renewOnce = (): Promise<void> => (renewing ??= renew().finally(() => (renewing = undefined)));
  // A renewal that fails is tried again; `check` tells when it is too late.
  const stop = clock.every(owner.ttl / 4, () => void (released || lost || renewOnce().catch(() => undefined)));
  return {
    async check() {
      // Twice, where the first had begun before this process was suspended.
      for (let attempt = 0; attempt < 2 && !lost && age() > owner.ttl / 3; attempt += 1) await renewOnce();
      // With less left, an effect begun now could still be under way when another takes over.
      if (lost || age() > owner.ttl / 2) {
        throw new KitError('lease-lost', `the lease ${store.place} was lost to someone else, or could not be renewed; run again`);
      }
    },
    async release() {
      if (released) return;
      released = true;
      stop();
      await renewing?.catch(() => undefined);
      // Not ours to remove any more, perhaps.
      if (lost || age() > owner.ttl / 2) return;
      await store.remove(etag).catch(() => undefined);
    },
  };
}

function heldError(store: ObjectStore, other: LeaseOwner | undefined, left: number, now: number): KitError {
  const who = other === undefined ? 'someone' : `${other.who} (process ${other.pid})`;
  const since = other === undefined ? '' : ` since ${other.since}, ${inWords(now - Date.parse(other.since))} ago`;
  return new KitError(
    'lease-held',
    `${who} is working on this team${since}; the lease ${store.place} is renewed while they do, and is free ${inWords(left)} after they stop; run again then`,
    { details: { owner: other?.who, since: other?.since, freeInMs: left } },
  );
}
