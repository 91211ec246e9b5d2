import type { Event } from '../engine/model.js';

/** What people read in place of the engine's names. */

const STEPS: Readonly<Record<string, string>> = {
  'copy-packages': 'copy packages',
  'create-key': 'make key',
  deactivate: 'deactivate key',
  'delete-key': 'delete key',
  'delete-orphan': 'delete key',
  'delete-principal': 'delete user',
  'delete-unknown': 'delete key',
  'mark-revoked': 'mark as leaked',
  'mark-undone': 'mark as undone',
  promote: 'make key current',
  reactivate: 'reactivate key',
  'record-holders': 'note who gets it',
  retry: 'try again',
  smoke: 'prove by a build',
  'start-soak': 'begin soak',
  'store-pending': 'store key',
  'tidy-tags': 'tidy tags',
  verify: 'try key',
  'write-apps': 'set config vars',
} satisfies Partial<Record<Event['step'], string>>;

export const stepInWords = (step: string): string => STEPS[step] ?? step;

const COMMANDS: Readonly<Record<string, string>> = {
  'delete-unknown': 'rotate --delete-unknown-key',
  emergency: 'rotate --emergency',
  ensure: 'up',
  finish: 'rotate --finish',
  undo: 'rotate --undo',
};

/** What was run, where nothing else is noted than what it was for. */
export const commandOf = ({ command, intent }: { readonly command?: string; readonly intent: string }): string =>
  command ?? COMMANDS[intent] ?? intent;
