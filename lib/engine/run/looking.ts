import type { KitConfig, Team } from '../../config/model.js';
import type { Confirmed } from '../../heroku/confirmed.js';
import type { Clock } from '../clock.js';
import type { Ports } from '../ports/ports.js';
import type { Recent } from './recent.js';
import type { Vault } from './vault.js';

/** Everything one look needs. `recent` lays our own latest effects over answers that do not show them yet. */
export interface ObserveContext {
  readonly config: KitConfig;
  readonly team: Team;
  readonly ports: Ports;
  readonly vault: Vault;
  readonly recent: Recent;
  readonly clock: Clock;
  readonly concurrency: number;
  /** Apps outside the team, by name or id, that are not asked what they hold. */
  readonly forget?: ReadonlySet<string>;
  /** Apps that are not to be written, and why. */
  readonly refused?: ReadonlyMap<string, string>;
  /** What apps were last seen to have. Without it every app is asked. */
  readonly confirmed?: Confirmed;
}

/** Reads what may be refused. The engine goes no further then; who can do without it notes that, and gets undefined. */
export type Read = <T>(what: string, work: () => Promise<T>) => Promise<T | undefined>;
export const strictly: Read = (_what, work) => work();
