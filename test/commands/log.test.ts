import { expect, test } from 'vitest';
import { rowsOf } from '../../lib/commands/log.js';

const at = '2026-11-29T08:30:17.000Z';
const entry = { version: 1 as const, began: at, who: 'ada@desk', file: 'digest', status: 'done', summary: 'done', events: [] };

test.each([
  [{ intent: 'ensure' }, 'up'],
  [{ intent: 'ensure', command: 'sync' }, 'sync'],
  [{ intent: 'down', command: 'up --prune' }, 'up --prune'],
  [{ intent: 'down' }, 'down'],
  [{ intent: 'rotate' }, 'rotate'],
  [{ intent: 'finish' }, 'rotate --finish'],
  [{ intent: 'emergency' }, 'rotate --emergency'],
])('what was run is named as a person runs it: %j', (what, shown) => {
  expect(rowsOf('payments', { ...entry, ...what })).toEqual([['2026-11-29T08:30:17', 'payments', 'ada@desk', shown, 'done', 'digest']]);
});

test('and so are its steps', () => {
  const events = [{ at, step: 'record-holders' as const, principal: 'payments/upload', text: 'why' }];
  expect(rowsOf('payments', { ...entry, intent: 'ensure', events }, true)[1]).toContain('note who gets it');
  const apps = ['a', 'b', 'c', 'd', 'e'].map((app) => ({ app, release: 3 }));
  const writes = [{ at, step: 'write-apps' as const, text: 'set on 5 apps', apps }];
  expect(rowsOf('payments', { ...entry, intent: 'ensure', events: writes }, true)[1]).toContain('set on 5 apps: a, b, c and 2 more');
});
