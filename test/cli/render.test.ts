import { expect, test } from 'vitest';
import { effortOf, exitCodeOf } from '../../lib/cli/render.js';
import type { TeamResult } from '../../lib/engine/model.js';

const in_ = (region: string) => ({ account: '111122223333', bucketName: 'b', region, acl: 'private' as const });
const move = (objects: number, bytes: number, to = 'eu-west-1') => ({ from: in_('eu-west-1'), to: in_(to), objects, bytes });

test.each([
  [move(3, 1_500_000), '3 objects, 1.5 MB, about 1 min and less than $0.01'],
  [move(12_000, 60e9), '12000 objects, 60.0 GB, about 4 min and $0.06'],
  [move(12_000, 60e9, 'us-east-1'), '12000 objects, 60.0 GB, about 20 min and $1.26'],
])('what copying packages takes is said beforehand', (of, said) => {
  expect(effortOf(of)).toBe(said);
});

const outcome = (status: TeamResult['status'], code?: string): TeamResult => ({
  ...{ team: 'payments', status, summary: '', waiting: [], blocked: [], notices: [], left: [], evidence: [] },
  ...(code === undefined ? {} : { error: { code, message: '' } }),
});

test.each<[number, TeamResult[]]>([
  [0, [outcome('done'), outcome('nothing-due')]],
  [2, [outcome('done'), outcome('waiting')]],
  // Who runs again when the other has finished gets through; nobody needs to look.
  [2, [outcome('failed', 'lease-held'), outcome('done')]],
  [1, [outcome('failed', 'lease-held'), outcome('failed', 'apps-failed')]],
  [1, [outcome('waiting'), outcome('blocked')]],
  [1, [{ ...outcome('done'), left: [{ app: 'api', text: 'gone' }] }]],
])('what scripts are told is %i', (code, outcomes) => {
  expect(exitCodeOf(outcomes)).toBe(code);
});
