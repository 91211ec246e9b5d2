import { expect, test } from 'vitest';
import { renderOutcome } from '../../../lib/cli/render.js';
import { waitsOf } from '../../../lib/engine/plan/waiting.plan.js';

const soak = (keyId: string, until = '14:05') => ({
  ...{ kind: 'soak' as const, keyId, principal: `team/${keyId}`, text: `${keyId}: inactive until ${until} UTC` },
});

test('what is said alike of several keys is said once, with all of them', () => {
  expect(waitsOf([soak('ONE'), soak('TWO'), soak('ONE'), soak('THREE', '15:00')])).toEqual([
    'ONE, TWO: inactive until 14:05 UTC',
    'THREE: inactive until 15:00 UTC',
  ]);
});

test('what a team waits for is told once at its end', () => {
  const waiting = [soak('ONE'), soak('TWO')];
  const outcome = { team: 'team', status: 'waiting' as const, summary: waitsOf(waiting).join('; '), evidence: [] };
  expect(renderOutcome({ ...outcome, waiting, blocked: [], notices: [], left: [] }).split('\n')).toEqual([
    'team: not through',
    '  waiting: ONE, TWO: inactive until 14:05 UTC',
  ]);
});
