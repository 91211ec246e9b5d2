import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../lib/engine/model.js';
import { verifyKey } from '../../../lib/engine/run/verify.client.js';

const key = { accessKeyId: 'AKIANEW', secretAccessKey: 'a-secret-of-forty-characters-or-so-long' };
const id = { team: 'payments', access: 'upload' } as const;

describe('of a key that does not come to work it is said who has it', () => {
  let now = 0;
  const context = {
    policy: { ...DEFAULT_POLICY, verifyTimeout: 1000 },
    verifier: { check: async () => 'list: 403' },
    clock: { now: () => now, sleep: async (ms: number) => void (now += ms), stopwatch: () => () => 0, every: () => () => {} },
    before: async () => {},
    say: () => {},
  };
  test.each([
    ['the current one', { current: key.accessKeyId }, 'it is the current one, so apps may have it'],
    ['the first one, not yet tried', { current: key.accessKeyId, pending: key.accessKeyId }, 'no app has it'],
    ['the next one', { current: 'AKIAOLD', pending: key.accessKeyId }, 'no app has it'],
  ])('%s', async (_, stages, who) => {
    await expect(verifyKey(context, { id, label: 'payments/upload', ...stages }, key)).rejects.toMatchObject({
      code: 'key-not-accepted',
      message: expect.stringContaining(`403; ${who};`),
    });
  });
});
