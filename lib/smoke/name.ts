import { randomInt } from 'node:crypto';

/** Names of short-lived apps; of a smoke deploy also that of its package, and in the keys of its objects. */

const NAME = /^halcyon-(smoke|prebuild)-[a-z]{8}$/;
/** Older ones were left behind: a smoke deploy gives up within six hours, and Heroku lets a one-off dyno run for a day. */
const LEFTOVER_MS = { smoke: 6 * 3_600_000, prebuild: 26 * 3_600_000 };
/** Where such names are among apps by name. */
export const SHORT_LIVED = { from: 'halcyon-prebuild-', to: 'halcyon-smoke-zzzzzzzz' };

/** Letters only: it is also the name of a Cabal package, whose parts may not be digits. Of Heroku's 30 characters, 25 at most. */
export const shortLivedName = (kind: keyof typeof LEFTOVER_MS): string =>
  `halcyon-${kind}-${Array.from({ length: 8 }, () => String.fromCharCode(97 + randomInt(26))).join('')}`;

/** What an app of that name is for. */
export const purposeOf = (name: string): string => (NAME.exec(name)?.[1] === 'prebuild' ? 'prebuild' : 'smoke deploy');

export const isShortLived = (name: string): boolean => NAME.test(name);

export function isLeftover(name: string, made: Date, now: Date = new Date()): boolean {
  const kind = NAME.exec(name)?.[1] as keyof typeof LEFTOVER_MS | undefined;
  return kind !== undefined && now.getTime() - made.getTime() > LEFTOVER_MS[kind];
}

/** Name of the run that a storage key belongs to. */
export const runOfKey = (key: string): string | undefined => /halcyon-smoke-[a-z]{8}(?![a-z])/.exec(key)?.[0];
