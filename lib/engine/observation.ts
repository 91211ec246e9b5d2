import type { DesiredConfigVars, HeldConfigVars, PrincipalId, Reach } from '../contract/index.js';

/** What AWS and Heroku hold of a team: plain data without secrets, and all that a plan is made from. Times are ISO 8601. */
export interface TeamObservation {
  readonly team: string;
  readonly at: string;
  /** When the look at the apps began. */
  readonly since: string;
  /** Every IAM user under `/halcyon/ACCESS/TEAM/`, and those the file wants that are not there yet. */
  readonly principals: readonly PrincipalState[];
  readonly apps: readonly AppState[];
  /** Who was ever given a key, by user: the record, as far as it is kept. */
  readonly recorded?: Readonly<Record<string, readonly Holder[]>>;
  /** Apps on the record that are none of the team's, as far as they exist. */
  readonly outside?: readonly OutsideApp[];
  /** Ids of those that exist no more. */
  readonly gone?: readonly string[];
  /** Packages that are in a storage of an earlier file and not yet in this one's. Absent where they are left (`packages: leave`). */
  readonly packages?: readonly PackageMove[];
}

/** An app that was given a key. */
export interface Holder {
  /** Heroku's, which a rename does not change. */
  readonly id: string;
  /** As it was called then. */
  readonly app: string;
}

/** An app that was given a key of the team, and that is none of its apps in this file. */
export interface OutsideApp extends AppState {
  readonly id: string;
  /** The team that it is in now, by this file. */
  readonly team?: string;
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
  /** Policies and groups by someone else's hand, where it has no keys: IAM deletes no user that has any. */
  readonly attached?: readonly string[];
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
  /** A key may have been made so short a time ago that IAM's lists need not show it yet. */
  readonly making?: Making;
}

/** Written down in S3 before CreateAccessKey: what IAM knows of a key, a reader that comes at once may not see. */
export interface Making {
  readonly at: string;
  /** Keys there were. */
  readonly before: readonly string[];
}

/** Recorded on the user before CreateAccessKey, so that a key whose answer was lost can be told from anyone else's. */
export interface Intention extends Making {
  readonly by: string;
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
  /** Heroku's; absent where it is not known. */
  readonly id?: string;
  /** IAM user whose key it should hold; undefined: none, in mode `public`. */
  readonly user?: string;
  /** It is, or was made with, what a stage of a pipeline has: `pipeline:NAME:review`. */
  readonly stage?: string;
  readonly canary: boolean;
  readonly access?: string;
  readonly state: 'present' | 'missing' | 'unreadable';
  /** Why it cannot be read; or, where it is present, why it is not to be written. */
  readonly problem?: string;
  /** It was not asked: Heroku says that it has not changed since it was confirmed. */
  readonly trusted?: true;
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
