import { KitError } from '../errors.js';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of `90d`, `24h`, `30m`, `0s`. */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim());
  if (match === null)
    throw new KitError('duration-invalid', `${option} takes a number with a unit (s, m, h, d, w) like 24h, got "${text}"`);
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? NaN);
}
