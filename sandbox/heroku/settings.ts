/** Switches of the local Heroku; change them at any time, in process or by `PATCH /_sandbox/settings`. Times in milliseconds. */
export interface Settings {
  /** Every release stays `pending`, and the old config vars are answered, for this long. */
  delayedReleaseMs: number;
  /** A build's status stays `pending` for this long after its output stream has ended. */
  pendingAfterEofMs: number;
  /** Items on a page of a list at most; Heroku's own maximum is 1,000. */
  maxPage: number;
  /** Break each output stream after so many bytes of each answer; 0: never. */
  cutStreamsAfterBytes: number;
  /** Pause between the NULs that keep an idle output stream open. */
  keepAliveMs: number;
  /** What a PATCH does that changes no value. Undocumented by Heroku, so the costlier answer is the default: a release and a restart. */
  noopPatch: 'release' | 'ignore';
  buildTimeoutMs: number;
  /** How long a web process may take to listen on its port. */
  bootTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  killGraceMs: number;
  /** Requests an hour for an account, refilled evenly. */
  rateLimit: number;
  /** Slugs older than this and more than 20 releases back are gone. */
  slugRetentionMs: number;
}

export const defaultSettings = (): Settings => ({
  delayedReleaseMs: 0,
  pendingAfterEofMs: 0,
  maxPage: 1000,
  cutStreamsAfterBytes: 0,
  keepAliveMs: 10_000,
  noopPatch: 'release',
  buildTimeoutMs: 15 * 60_000,
  bootTimeoutMs: 60_000,
  killGraceMs: 5_000,
  rateLimit: 4500,
  slugRetentionMs: 30 * 24 * 3600_000,
});
