import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { KitError } from '../../errors.js';
import { inWords, type Clock } from '../clock.js';
import { isTransient, type LeaseStore } from '../ports/ports.js';

/** Content of a lease. */
export interface Holder {
  readonly id: string;
  /** `user@host`. */
  readonly who: string;
  readonly pid: number;
  /** Tells one running system, and one space of process ids in it, from another; '' where that cannot be told. */
  readonly machine: string;
  readonly since: string;
  /** Life without renewal, ms. */
  readonly ttl: number;
}

/** Held while a team's keys are worked on. */
export interface Lease {
  readonly id: string;
  /** Call before every effect. @throws KitError `lease-lost`. */
  check(): Promise<void>;
  /** Give it back; never throws. */
  release(): Promise<void>;
}

/** Where a team has no bucket, there is nothing to keep apart. */
export const noLease = (id: string = randomUUID()): Lease => ({ id, check: async () => {}, release: async () => {} });

export function thisProcess(ttl: number, now: number): Holder {
  let user = 'unknown';
  try {
    user = userInfo().username;
  } catch {
    // No entry for this uid, as in some containers.
  }
  return {
    id: randomUUID(),
    who: `${user}@${hostname()}`,
    pid: process.pid,
    machine: machineId(),
    since: new Date(now).toISOString(),
    ttl,
  };
}

/**
 * Take the lease, from whoever let it expire or was killed on this machine.
 * @throws KitError `lease-held`, saying who has it, since when, and when it will be free.
 */
export async function takeLease(
  store: LeaseStore,
  holder: Holder,
  clock: Clock,
  options: { isGone?: (other: Holder) => boolean } = {},
): Promise<Lease> {
  const body = JSON.stringify(holder);
  const isGone = options.isGone ?? ((other: Holder) => isDead(other, holder));
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const askedAt = clock.now();
    // An answer may be lost; the look that follows tells whose it is.
    const created = await store.create(body).catch(unlessTransient);
    if (created !== undefined) return held(store, holder, body, created, clock, askedAt);
    const found = await store.read();
    if (found === undefined) continue;
    const other = parseHolder(found.body);
    // The answer to our own creation was lost, and its repetition found it there.
    if (other?.id === holder.id) return held(store, holder, body, found.etag, clock, askedAt);
    const ttl = other?.ttl ?? holder.ttl;
    if (found.ageMs <= ttl && !(other !== undefined && isGone(other))) throw heldError(store, other, ttl - found.ageMs, clock.now());
    const taken = await store.replace(body, found.etag);
    if (taken !== undefined) return held(store, holder, body, taken, clock, askedAt);
  }
  throw new KitError('lease-held', `the lease ${store.place} changes hands too fast; run again in a minute`);
}

function unlessTransient(error: unknown): undefined {
  if (!isTransient(error)) throw error;
}

function held(store: LeaseStore, holder: Holder, body: string, first: string, clock: Clock, askedAt: number): Lease {
  let etag = first;
  let renewedAt = askedAt;
  let lost = false;
  let released = false;
  let renewing: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const at = clock.now();
    const next = await store.replace(body, etag);
    if (next === undefined) {
      // Either someone took it, or the answer to a renewal of ours was lost.
      const found = await store.read();
      if (found === undefined || parseHolder(found.body)?.id !== holder.id) lost = true;
      else etag = found.etag;
      if (lost) return;
    } else etag = next;
    renewedAt = at;
  };
  const renewOnce = (): Promise<void> => (renewing ??= renew().finally(() => (renewing = undefined)));
  // A renewal that fails is tried again; `check` tells when it is too late.
  const stop = clock.every(holder.ttl / 4, () => void (released || lost || renewOnce().catch(() => undefined)));
  return {
    id: holder.id,
    async check() {
      if (!lost && clock.now() - renewedAt > holder.ttl / 3) await renewOnce();
      // With a quarter of its life left, an effect begun now could still be under way when another takes over.
      if (lost || clock.now() - renewedAt > holder.ttl * 0.75) {
        throw new KitError('lease-lost', `the lease ${store.place} was lost to someone else, or could not be renewed; run again`);
      }
    },
    async release() {
      if (released) return;
      released = true;
      stop();
      await renewing?.catch(() => undefined);
      // Not ours to remove any more, perhaps.
      if (lost || clock.now() - renewedAt > holder.ttl * 0.75) return;
      await store.remove(etag).catch(() => undefined);
    },
  };
}

function heldError(store: LeaseStore, other: Holder | undefined, left: number, now: number): KitError {
  const who = other === undefined ? 'someone' : `${other.who} (process ${other.pid})`;
  const since = other === undefined ? '' : ` since ${other.since}, ${inWords(now - Date.parse(other.since))} ago`;
  return new KitError(
    'lease-held',
    `${who} is working on this team${since}; the lease ${store.place} is renewed while they do, and is free ${inWords(left)} after they stop; run again then`,
    { details: { holder: other?.who, since: other?.since, freeInMs: left } },
  );
}

function parseHolder(body: string): Holder | undefined {
  try {
    const value = JSON.parse(body) as Partial<Holder> | null;
    return typeof value?.id === 'string' && typeof value.ttl === 'number' && typeof value.since === 'string'
      ? (value as Holder)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A process of this very system that no longer runs. */
function isDead(other: Holder, self: Holder): boolean {
  if (other.machine === '' || other.machine !== self.machine) return false;
  try {
    process.kill(other.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Host, boot, and process-id namespace: containers of one host share the first two. */
function machineId(): string {
  try {
    const boot =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })
        : `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}${readlinkSync('/proc/self/ns/pid')}`;
    return createHash('sha256').update(`${hostname()}\n${boot}`).digest('hex').slice(0, 16);
  } catch {
    return '';
  }
}
