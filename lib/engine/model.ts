import type { ConfigVarName } from '../contract/index.js';
import type { Holder, PackageMove } from './observation.js';

export * from './observation.js';

/** What is wanted of the engine. */
export type Intent =
  /** `prune`: apps that no team of the file has give their keys back. */
  | { readonly kind: 'ensure'; readonly prune?: boolean }
  /** `due`: only keys older than `maxAge`. */
  | { readonly kind: 'rotate'; readonly due: boolean }
  | { readonly kind: 'finish' }
  | { readonly kind: 'undo' }
  | { readonly kind: 'emergency'; readonly keyId: string }
  | { readonly kind: 'delete-unknown'; readonly keyId: string }
  /** `force`: builds in flight are not waited for. */
  | { readonly kind: 'down'; readonly force: boolean };

/** All durations in ms. */
export interface Policy {
  /** With `due`: keys older than this. Default 90 days. */
  readonly maxAge: number;
  /** How many apps hold the new key after each wave: counts, or `10%` of the team's. Default 1, 10%, 100%. */
  readonly waves: readonly string[];
  /** How long a retired key stays inactive before it is deleted. Default 24 hours. */
  readonly soak: number;
  /** A retired key must have been unused so long, where a use after all apps had moved is unexplained. Default 10 minutes. */
  readonly quiet: number;
  /** How long a run waits for builds in flight, or for a soak that ends soon. Default 20 minutes. */
  readonly patience: number;
  /** Pause between looks while waiting. Default 10 s. */
  readonly poll: number;
  /** Verifications in a row. Default 5. */
  readonly verifications: number;
  /** At most this long for them. Default 5 minutes. */
  readonly verifyTimeout: number;
  /** Life of the lease without renewal. Default 2 minutes. */
  readonly leaseTtl: number;
  /** Apps, and principals, at a time. Default 5. */
  readonly concurrency: number;
}

export const DEFAULT_POLICY: Policy = {
  maxAge: 90 * 86_400_000,
  waves: ['1', '10%', '100%'],
  soak: 86_400_000,
  quiet: 600_000,
  patience: 1_200_000,
  poll: 10_000,
  verifications: 5,
  verifyTimeout: 300_000,
  leaseTtl: 120_000,
  concurrency: 5,
};

/** What this process knows beyond what can be observed; gone with it, and nothing depends on it but effort spent twice. */
export interface Knowledge {
  /** Keys verified, and keys a smoke deploy succeeded with. */
  readonly verified: ReadonlySet<string>;
  readonly smoked: ReadonlySet<string>;
  /** Apps that could not be written. */
  readonly failedApps: ReadonlyMap<string, unknown>;
  readonly canSmoke: boolean;
  /** Something has been changed in this run. */
  readonly began: boolean;
  /** Keys to be replaced, by user: resolved from the intent at the first observation. */
  readonly replace: ReadonlyMap<string, string>;
}

export const NO_KNOWLEDGE: Knowledge = {
  verified: new Set(),
  smoked: new Set(),
  failedApps: new Map(),
  canSmoke: false,
  began: false,
  replace: new Map(),
};

interface OfPrincipal {
  /** In words: why. */
  readonly reason: string;
  readonly principal: string;
  readonly user: string;
}
/** `keyId` is absent where the key is yet to be made. */
export type Step =
  | (OfPrincipal & { readonly kind: 'create-key' })
  | (OfPrincipal & {
      readonly kind:
        | 'delete-orphan'
        | 'store-pending'
        | 'verify'
        | 'promote'
        | 'reactivate'
        | 'mark-undone'
        | 'mark-revoked'
        | 'start-soak'
        | 'delete-key'
        | 'delete-unknown';
      readonly keyId: string;
    })
  /** A leaked key is deactivated before all else, whoever holds it. */
  | (OfPrincipal & { readonly kind: 'deactivate'; readonly keyId: string; readonly cause?: 'leaked' })
  | (OfPrincipal & { readonly kind: 'tidy-tags' | 'delete-principal' })
  | (OfPrincipal & { readonly kind: 'record-holders'; readonly holders: readonly Holder[] })
  | ({ readonly kind: 'copy-packages'; readonly reason: string } & PackageMove)
  | { readonly kind: 'write-apps'; readonly reason: string; readonly wave: string; readonly apps: readonly AppWrite[] }
  | (OfPrincipal & { readonly kind: 'smoke'; readonly keyId: string; readonly app: string })
  /** Forecast only: what will be waited for between the steps around it; `later`: by this run no more, and what follows is another's. */
  | { readonly kind: 'wait'; readonly reason: string; readonly later?: true };

export interface AppWrite {
  readonly app: string;
  /** Key it will hold; null: none. */
  readonly keyId: string | null;
  readonly changes: readonly ConfigVarChange[];
}

/** A value, or null for unset; of a secret its fingerprint, and of one that is yet to be made the words for it. */
interface ConfigVarChange {
  readonly name: ConfigVarName;
  readonly from: string | null;
  readonly to: string | null;
}

export interface Waiting {
  /**
   * An app `holds` the key, or may: its newest release has not ended, a build or one-off dyno that began with the key is running, or it
   * cannot be read or written, or has not been asked yet what runs on it. Else something unknown has used the key, or it is inactive for a while first.
   */
  readonly kind: 'holds' | 'release-pending' | 'in-flight' | 'unreadable' | 'unobserved' | 'recent-use' | 'soak';
  readonly app?: string;
  readonly keyId: string;
  readonly principal: string;
  readonly text: string;
  readonly since?: string;
  /** When it will be over, where that is known. */
  readonly until?: string;
  /** Nothing ends it but a person. */
  readonly stays?: true;
  /** The app is of this team now, which takes it off the key. */
  readonly team?: string;
}

export interface Blocked {
  readonly code: string;
  readonly text: string;
}

/** An app that is left as it is, and why, with what to do. */
export interface LeftApp {
  readonly app: string;
  readonly text: string;
}

/** What will be done, in order; else what is waited for, or must be settled by a person first. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly waiting: readonly Waiting[];
  readonly blocked: readonly Blocked[];
  readonly notices: readonly string[];
  readonly left: readonly LeftApp[];
}

/** Something that was done. Never a secret. */
export interface Event {
  readonly at: string;
  readonly step: Step['kind'] | 'retry' | 'lease';
  readonly principal?: string;
  readonly keyId?: string;
  readonly fingerprint?: string;
  readonly apps?: ReadonlyArray<{
    readonly app: string;
    readonly release?: number;
    readonly confirmedAt?: string;
    readonly error?: string;
  }>;
  readonly text: string;
}

/** `done`, `nothing-due`: exit code 0; `waiting`, and `failed` for a lease that another has: 2; `blocked`, `failed`, and whatever leaves an app as it is: 1. */
export interface TeamResult extends Pick<Plan, 'waiting' | 'blocked' | 'notices' | 'left'> {
  readonly team: string;
  readonly status: 'done' | 'nothing-due' | 'waiting' | 'blocked' | 'failed';
  /** One sentence. */
  readonly summary: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly evidence: readonly Event[];
}
