import type { KeyPair } from '../../contract/index.js';
import type { Team } from '../../config/model.js';
import type { PrincipalId } from '../../contract/index.js';
import type { IoHost } from '../../io/io-host.js';
import type { Event, Policy } from '../model.js';
import { noLease, type Lease } from './lease.client.js';
import type { LeaseOwner } from './lease-owner.client.js';
import type { ObserveContext } from './observe.client.js';

/** Proves a key by a real build. */
export type Smoke = (team: Team, principal: PrincipalId, app: string, key: KeyPair) => Promise<void>;

/** What a run works with, from its start to its end. */
export interface RunContext extends ObserveContext {
  readonly policy: Policy;
  readonly io: IoHost;
  readonly signal?: AbortSignal;
  readonly smoke?: Smoke;
  /** The team's stack was deployed a moment ago. */
  readonly deployed?: boolean;
  /** Who takes the lease; default: this process. */
  readonly owner?: LeaseOwner;
  /** Whether the owner of a lease is known to be dead; default: asks the operating system. */
  readonly isGone?: (other: LeaseOwner) => boolean;
}

/** What a run remembers. It ends with it: a later run loses nothing by not knowing it, but effort spent twice. */
export class RunMemory {
  lease: Lease = noLease();
  /** Keys verified, and keys a smoke deploy succeeded with. */
  readonly verified = new Set<string>();
  readonly smoked = new Set<string>();
  /** How often writing an app was tried, and why it was given up. */
  readonly appAttempts = new Map<string, number>();
  readonly failedApps = new Map<string, string>();
  /** Something has been changed. */
  began = false;
  readonly evidence: Event[] = [];
}

/** Comes before every effect. @throws the signal's reason, or KitError `lease-lost`. */
export async function beforeEffect({ signal }: Pick<RunContext, 'signal'>, { lease }: RunMemory): Promise<void> {
  signal?.throwIfAborted();
  await lease.check();
}

export function record({ clock }: Pick<RunContext, 'clock'>, { evidence }: RunMemory, event: Omit<Event, 'at'>): void {
  evidence.push({ at: new Date(clock.now()).toISOString(), ...event });
}
