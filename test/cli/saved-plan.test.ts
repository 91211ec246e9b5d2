import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPlan, requireSame, savePlan } from '../../lib/cli/saved-plan.js';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'halcyon-plan-'));
  file = join(dir, 'next.plan');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const PLAN = { teams: ['payments'], prune: false, forget: [], file: 'f', changes: ['team payments: one', 'team payments: two'] };

test('is for its owner’s eyes alone, also in place of one that was not, and leaves nothing beside it', async () => {
  writeFileSync(file, 'x', { mode: 0o644 });
  await savePlan(file, PLAN);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['next.plan']);
  expect(await readPlan(file, [file], { config: '' })).toMatchObject(PLAN);
  await expect(savePlan(join(dir, 'none', 'next.plan'), PLAN)).rejects.toMatchObject({ code: 'file-not-written' });
});

test('is given alone: it says whose it is', async () => {
  await savePlan(file, PLAN);
  for (const [names, options] of [
    [[file, 'payments'], {}],
    [[file], { all: true }],
    [[file], { prune: true }],
  ] as const)
    await expect(readPlan(file, names, { config: '', ...options })).rejects.toMatchObject({ code: 'options-conflict' });
});

test.each([
  ['is not there', () => rmSync(file), 'cannot be used as a plan: there is no such file; make one'],
  ['is something else', () => writeFileSync(file, '{}'), 'it is not one of plan --out'],
  [
    'was edited',
    () => writeFileSync(file, readFileSync(file, 'utf8').replace('payments: two', 'payments: three')),
    'was changed after it was written',
  ],
])('one that %s is not used', async (_what, spoil, why) => {
  await savePlan(file, PLAN);
  spoil();
  await expect(readPlan(file, [file], { config: '' })).rejects.toMatchObject({
    code: 'plan-unusable',
    message: expect.stringContaining(why),
  });
});

test('is refused with the difference, once the world or the file has moved', async () => {
  await savePlan(file, PLAN);
  const saved = await readPlan(file, [file], { config: '' });
  requireSame(saved, PLAN);
  const moved = { ...PLAN, changes: ['team payments: one', 'team payments: three'] };
  expect(() => requireSame(saved, moved)).toThrow(/the world moved .*\n {2}- team payments: two\n {2}\+ team payments: three$/);
  expect(() => requireSame(saved, { ...PLAN, changes: [...PLAN.changes].reverse() })).toThrow(/in another order/);
  expect(() => requireSame(saved, { ...PLAN, file: 'g' })).toThrow(/the file says something else/);
});
