import { expect, test } from 'vitest';
import { effortOf, renderOverwritten } from '../../lib/cli/render.js';
import { desiredConfigVars, type HeldConfigVars } from '../../lib/contract/index.js';
import type { Plan, TeamObservation } from '../../lib/engine/model.js';

const in_ = (region: string) => ({ account: '111122223333', bucketName: 'b', region, acl: 'private' as const });
const move = (objects: number, bytes: number, to = 'eu-west-1') => ({ from: in_('eu-west-1'), to: in_(to), objects, bytes });

test.each([
  [move(3, 1_500_000), '3 objects, 1.5 MB, about 1 min and less than $0.01'],
  [move(12_000, 60e9), '12000 objects, 60.0 GB, about 4 min and $0.06'],
  [move(12_000, 60e9, 'us-east-1'), '12000 objects, 60.0 GB, about 20 min and $1.26'],
])('what copying packages takes is said beforehand', (of, said) => {
  expect(effortOf(of)).toBe(said);
});

test('values that are overwritten are said once, with their apps; new ones and secrets are not', () => {
  const wanted = desiredConfigVars({ mode: 'upload', bucket: 'b', endpoint: 's3.eu-west-1.amazonaws.com', acl: 'private' });
  const app = (name: string, vars: HeldConfigVars) => ({ name, canary: false, state: 'present' as const, wanted, vars });
  const hand = { HALCYON_AWS_SECRET_ACCESS_KEY: 'sha256:aaaaaaaaaaaa', HALCYON_S3_ENDPOINT: 's3.amazonaws.com', HALCYON_NO_UPLOAD: 'a\nb' };
  const observation = { team: 't', apps: [app('one', hand), app('two', hand), app('new', {})] } as unknown as TeamObservation;
  const changes = ['HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_ENDPOINT', 'HALCYON_NO_UPLOAD', 'HALCYON_S3_ACL'].map((name) => ({ name }));
  const steps = [
    {
      kind: 'write-apps' as const,
      reason: '',
      wave: 'all',
      apps: ['one', 'two', 'new'].map((name) => ({ app: name, keyId: 'K', changes })),
    },
  ];
  const rows = renderOverwritten([{ observation, plan: { steps } as unknown as Plan }])
    .split('\n')
    .slice(2);
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ['HALCYON_S3_ENDPOINT', 's3.amazonaws.com', 's3.eu-west-1.amazonaws.com', 'one, two'],
    ['HALCYON_NO_UPLOAD', 'a b', '(unset)', 'one, two'],
  ]);
  expect(renderOverwritten([{ observation, plan: { steps: [] } as unknown as Plan }])).toBe('');
});
