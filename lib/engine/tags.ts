import { KEY_TAGS } from '../contract/index.js';
import type { Intention, KeyState } from './model.js';

/** Reading and writing of the tags in which the engine's memory is kept, on the IAM users themselves. */

export const inactiveTag = (keyId: string): string => `${KEY_TAGS.inactiveSince}:${keyId}`;
export const refusedTag = (keyId: string): string => `${KEY_TAGS.refused}:${keyId}`;

/** Allowed in tag values are letters, digits, spaces and `_.:/=+-@`; at most 256 characters. */
export function formatIntention(intention: Intention): string {
  const by = intention.by.replace(/[^\w.:/=+@-]/g, '-').slice(0, 80);
  return `${intention.at} by ${by} before ${intention.before.join(' ')}`.trimEnd();
}

export function parseIntention(value: string | undefined): Intention | undefined {
  const match = /^(\S+) by (\S+) before ?(.*)$/.exec(value ?? '');
  if (match === null || Number.isNaN(Date.parse(match[1] ?? ''))) return undefined;
  return { at: match[1] ?? '', by: match[2] ?? '', before: (match[3] ?? '').split(' ').filter((id) => id !== '') };
}

/** Tags of ours about keys that the user no longer has. */
export function staleTags(tags: Readonly<Record<string, string>>, keyIds: readonly string[]): string[] {
  const about = (name: string) => [KEY_TAGS.inactiveSince, KEY_TAGS.refused].find((prefix) => name.startsWith(`${prefix}:`));
  return Object.keys(tags).filter((name) => {
    const prefix = about(name);
    return prefix !== undefined && !keyIds.includes(name.slice(prefix.length + 1));
  });
}

export function keyMemory(tags: Readonly<Record<string, string>>, keyId: string): Pick<KeyState, 'inactiveSince' | 'refused'> {
  const since = tags[inactiveTag(keyId)];
  const refused = tags[refusedTag(keyId)]?.split(' ')[0];
  return {
    ...(since !== undefined && !Number.isNaN(Date.parse(since)) ? { inactiveSince: since } : {}),
    ...(refused === 'undone' || refused === 'revoked' ? { refused } : {}),
  };
}
