import type { ConfigVarName, DesiredConfigVars, HeldConfigVars, PrincipalId, Reach } from '../contract/index.js';

/** What AWS and Heroku hold of a team: plain data without secrets, and all that a plan is made from. Times are ISO 8601. */
export interface TeamObservation {
  readonly team: string;
  readonly at: string;
  /** Every IAM user under `/halcyon/ACCESS/TEAM/`, and those the file wants that are not there yet. */
  readonly principals: readonly PrincipalState[];
  readonly apps: readonly AppState[];
  /** Packages that are in a storage of an earlier file and not yet in this one's. Absent where they are left (`packages: leave`). */
  readonly packages?: readonly PackageMove[];
}

export interface PackageMove {
  readonly from: Reach;
  readonly to: Reach;
  readonly objects: number;
  readonly bytes: number;
}

export interface PrincipalState {
  readonly id: PrincipalId;
  readonly label: string;
  readonly user: string;
  /** What it may reach, where its user says so. */
  readonly reach?: Omit<Reach, 'account'>;
  /** The file still wants it. */
  readonly declared: boolean;
  readonly exists: boolean;
  /** AWS has quarantined the user, as one of its keys was seen in public: none of its keys works, and none is made for it. */
  readonly quarantined?: true;
  /** The team's stack still holds it, and takes it away when it is deployed next. Absent where it is declared or does not exist. */
  readonly inStack?: boolean;
  /** `unknown`: it could not be read; never in what a plan is made from. */
  readonly secret: 'missing' | 'empty' | 'present' | 'unknown';
  readonly keys: readonly KeyState[];
  /** Key ids by staging label. A key that is both current and pending has not been verified yet. */
  readonly current?: string;
  readonly pending?: string;
  readonly previous?: string;
  /** Version id by key id, of every key that the secret still lists a version of. */
  readonly versions: Readonly<Record<string, string>>;
  /** Tags about keys that are gone. */
  readonly stale?: readonly string[];
  /** A key is being made, or was when something broke off. */
  readonly creating?: Intention;
}

/** Recorded on the user before CreateAccessKey, so that a key whose answer was lost can be told from anyone else's. */
export interface Intention {
  readonly at: string;
  readonly by: string;
  /** Keys there were. */
  readonly before: readonly string[];
}

export interface KeyState {
  readonly id: string;
  readonly status: 'Active' | 'Inactive';
  readonly createdAt: string;
  readonly lastUsedAt?: string;
  readonly lastUsedService?: string;
  /** Of its secret, where the secret is known: in Secrets Manager, or to this process. Otherwise nobody here made the key. */
  readonly fingerprint?: string;
  /** A version of the principal's secret holds it. */
  readonly stored: boolean;
  readonly inactiveSince?: string;
  /** `undone`: turned away by an undo. `revoked`: leaked; never comes back. */
  readonly refused?: 'undone' | 'revoked';
}

export interface AppState {
  readonly name: string;
  /** IAM user whose key it should hold; undefined: none, in mode `public`. */
  readonly user?: string;
  readonly canary: boolean;
  readonly access?: string;
  readonly state: 'present' | 'missing' | 'unreadable';
  /** Why it cannot be read; or, where it is present, why it is not to be written. */
  readonly problem?: string;
  /** Our config vars, the secret as its fingerprint; absent ones are left out. */
  readonly vars: HeldConfigVars;
  /** What the file wants, but for the key's two. */
  readonly wanted: DesiredConfigVars;
  /** What may still be using an older key. Looked at only where some key is to retire. */
  readonly activity?: Activity;
}

/** Builds and one-off dynos that are running, and since which release the app has its present key. */
export interface Activity {
  /** The newest release has not ended, so what the app holds may be about to change. */
  readonly releasePending: boolean;
  /** The latest release that may have changed the key: whatever started after `at`, or on this version, has the present one. */
  readonly keyRelease?: { readonly version: number; readonly at: string };
  readonly running: ReadonlyArray<{
    readonly kind: 'build' | 'dyno';
    readonly id: string;
    readonly startedAt: string;
    readonly release?: number;
  }>;
  /** When the last build that may have held the key before ended. */
  readonly lastEnded?: string;
}

/** What is wanted of the engine. */
export type Intent =
  | { readonly kind: 'ensure' }
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
  | ({ readonly kind: 'copy-packages'; readonly reason: string } & PackageMove)
  | { readonly kind: 'write-apps'; readonly reason: string; readonly wave: string; readonly apps: readonly AppWrite[] }
  | (OfPrincipal & { readonly kind: 'smoke'; readonly keyId: string; readonly app: string })
  /** Forecast only: what will be waited for between the steps around it. */
  | { readonly kind: 'wait'; readonly reason: string };

export interface AppWrite {
  readonly app: string;
  /** Key it will hold; null: none. */
  readonly keyId: string | null;
  readonly changes: readonly ConfigVarName[];
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

/** `done`, `nothing-due`: exit code 0; `waiting`: 2; `blocked`, `failed`, and whatever leaves an app as it is: 1. */
export interface TeamResult {
  readonly team: string;
  readonly status: 'done' | 'nothing-due' | 'waiting' | 'blocked' | 'failed';
  /** One sentence. */
  readonly summary: string;
  readonly waiting: readonly Waiting[];
  readonly blocked: readonly Blocked[];
  readonly notices: readonly string[];
  readonly left: readonly LeftApp[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly evidence: readonly Event[];
}
