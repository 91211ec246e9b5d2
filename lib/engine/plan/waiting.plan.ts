import type { Intent, Waiting } from '../model.js';

/** What `intent` is for is done: every app has what it should, and older keys retire in their own time. An emergency is over with its key. */
export const isOver = (intent: Intent, waiting: readonly Waiting[]): boolean =>
  waiting.length === 0 || intent.kind === 'ensure' || (intent.kind === 'emergency' && waiting.every(({ keyId }) => keyId !== intent.keyId));

/** When the first of it may be over, ms; what only a person ends never is. */
export const soonestOf = (waiting: readonly Waiting[], now: number): number =>
  Math.min(
    ...waiting.map(({ until, kind, stays }) => (until !== undefined ? Date.parse(until) : stays || kind === 'unreadable' ? Infinity : now)),
  );

/** A sentence each; what is said alike of several keys is said once. */
export function waitsOf(waiting: readonly Waiting[]): string[] {
  const keys = new Map<string, string[]>();
  for (const { text, keyId } of waiting) {
    const said = text.replaceAll(keyId, '\0');
    keys.set(said, [...(keys.get(said) ?? []), keyId]);
  }
  return [...keys].map(([said, ids]) => said.replaceAll('\0', [...new Set(ids)].join(', ')));
}
