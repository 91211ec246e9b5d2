import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smokeTeam } from '../../lib/smoke/smoke.js';
import { startGround, type SmokeGround } from './smoke-ground.js';

let ground: SmokeGround;
beforeAll(async () => {
  ground = await startGround();
});
afterAll(() => ground?.stop());

const failed = (reports: Awaited<ReturnType<typeof smokeTeam>>) =>
  reports.flatMap(({ mode, proofs }) => proofs.filter(({ ok }) => !ok).map((proof) => ({ mode, ...proof })));

describe('a team with a bucket of its own', () => {
  test('each mode is proven, and nothing is left behind', async () => {
    const reports = await smokeTeam(ground.context(), ground.team('payments'));
    expect(failed(reports)).toEqual([]);
    expect(reports.map(({ mode, access }) => access ?? mode)).toEqual(['upload', 'read-only', 'append-only', 'public']);
    expect(await ground.leftovers()).toEqual([]);
  });
});
