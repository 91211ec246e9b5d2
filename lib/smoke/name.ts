import { randomInt } from 'node:crypto';

/** Names of smoke deploys: of their apps, of their packages, and in the keys of their objects. */

const NAME = /^halcyon-smoke-[a-z]{8}$/;
/** Older ones were left behind: a smoke deploy takes minutes, a build at most 15. */
const LEFTOVER_MS = 2 * 3_600_000;

/** Letters only: it is also the name of a Cabal package, whose parts may not be digits. 22 characters of Heroku's 30. */
export const smokeName = (): string => `halcyon-smoke-${Array.from({ length: 8 }, () => String.fromCharCode(97 + randomInt(26))).join('')}`;

export const isSmokeName = (name: string): boolean => NAME.test(name);

export const isLeftover = (name: string, made: Date, now: Date = new Date()): boolean =>
  isSmokeName(name) && now.getTime() - made.getTime() > LEFTOVER_MS;

/** Name of the run that a storage key belongs to. */
export const runOfKey = (key: string): string | undefined => /halcyon-smoke-[a-z]{8}(?![a-z])/.exec(key)?.[0];
