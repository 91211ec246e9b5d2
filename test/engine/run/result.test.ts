import { expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/index.js';
import type { Plan } from '../../../lib/engine/model.js';
import { restOf } from '../../../lib/engine/run/result.js';
import { RunMemory } from '../../../lib/engine/run/run.js';
import { configText } from '../support/wire.js';
import { runContext } from '../support/run-context.js';
import { World } from '../support/world/world.js';

const world = new World();
const context = runContext(world, parseConfig(configText('team', { one: 'mode: upload' })));
const soaking = (keyId: string): Plan => {
  const until = new Date(world.now + 3_600_000).toISOString();
  return {
    steps: [],
    blocked: [],
    notices: [],
    left: [],
    waiting: [{ kind: 'soak', keyId, principal: 'team/upload', text: 'soaks', until }],
  };
};
const emergency = { kind: 'emergency', keyId: 'LEAKED' } as const;

test('an emergency is over with its key, whatever else is soaking', () => {
  expect(restOf(context, new RunMemory(), emergency, soaking('OTHER'), world.now)).toMatchObject({ status: 'done' });
  expect(restOf(context, new RunMemory(), emergency, soaking('LEAKED'), world.now)).toMatchObject({ status: 'waiting' });
  expect(restOf(context, new RunMemory(), { kind: 'finish' }, soaking('OTHER'), world.now)).toMatchObject({ status: 'waiting' });
});

test('what only a person can end is not waited for', () => {
  const holds = { kind: 'holds', app: 'gone', keyId: 'OLD', principal: 'team/upload', text: 'gone holds OLD' } as const;
  const plan = (more: { stays?: true }): Plan => ({ steps: [], blocked: [], notices: [], left: [], waiting: [{ ...holds, ...more }] });
  const later = world.now + 600_000;
  expect(restOf(context, new RunMemory(), { kind: 'finish' }, plan({}), later)).toBeUndefined();
  expect(restOf(context, new RunMemory(), { kind: 'finish' }, plan({ stays: true }), later)).toMatchObject({ status: 'waiting' });
});

test('what could not be seen is not nothing to do', () => {
  const plan: Plan = { steps: [], blocked: [], notices: [], waiting: [], left: [{ app: 'one', text: 'app one cannot be read' }] };
  expect(restOf(context, new RunMemory(), { kind: 'ensure' }, plan, world.now)).toMatchObject({
    summary: 'nothing to do, but for 1 app',
    left: plan.left,
  });
});
