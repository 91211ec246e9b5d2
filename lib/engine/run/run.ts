import type { Team } from '../../config/model.js';
import type { KeyPair, PrincipalId } from '../../contract/index.js';
import type { KitError } from '../../errors.js';
import type { IoHost, Step as Line } from '../../io/io-host.js';
import type { Event, Policy } from '../model.js';
import type { LeaseOwner } from '../../lease-owner.js';
import type { Fence } from './lease.client.js';
import type { ObserveContext } from './looking.js';

/** Proves a key by a real build: called during a rotation when the first app has the new one, before any other gets it. */
export type Smoke = (team: Team, principal: PrincipalId, app: string, key: KeyPair) => Promise<void>;

/** What a run works with, from its start to its end. */
export interface RunContext extends ObserveContext {
  readonly policy: Policy;
  readonly io: IoHost;
  /** What the effects of `ports` pass. */
  readonly fence: Fence;
  readonly signal?: AbortSignal;
  readonly smoke?: Smoke;
  /** Hears what was done, as it is done. */
  readonly onEvent?: (event: Event) => void;
  /** The team's stack was deployed a moment ago: users that IAM does not list yet are looked for again, for up to a minute. */
  readonly deployed?: boolean;
  /** Who takes the leases. */
  readonly owner: LeaseOwner;
  /** Whether the owner of a lease is known to be dead; default: asks the operating system. */
  readonly isGone?: (other: LeaseOwner) => boolean;
}

/** What a run remembers. It ends with it: a later run loses nothing by not knowing it, but effort spent twice. */
export class RunMemory {
  /** Keys verified, and keys a smoke deploy succeeded with. */
  readonly verified = new Set<string>();
  readonly smoked = new Set<string>();
  /** How often an app was written or tried to be, and why it was given up. */
  readonly appWrites = new Map<string, number>();
  readonly failedApps = new Map<string, Pick<KitError, 'code' | 'message'>>();
  /** Apps that took what they were sent, by when, and were not asked since. */
  readonly taken = new Map<string, string>();
  /** Of keys that are not current yet, by user: a line for the whole of a key's making. */
  readonly making = new Map<string, Line>();
  /** Something has been changed. */
  began = false;
  readonly evidence: Event[] = [];
}

/** Comes before all that takes long or has an effect. @throws the signal's reason, or KitError `lease-lost`. */
export async function beforeEffect({ signal, fence }: Pick<RunContext, 'signal' | 'fence'>): Promise<void> {
  signal?.throwIfAborted();
  await fence.check();
}

export function record({ clock, onEvent }: Pick<RunContext, 'clock' | 'onEvent'>, { evidence }: RunMemory, event: Omit<Event, 'at'>): void {
  const dated = { at: new Date(clock.now()).toISOString(), ...event };
  evidence.push(dated);
  onEvent?.(dated);
}
