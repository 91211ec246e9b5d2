import { beforeEach, expect, test } from 'vitest';
import { Journal } from '../../lib/cli/journal.js';
import type { Session } from '../../lib/cli/session.js';
import { registerSecret } from '../../lib/io/redaction.js';
import { silentIo } from '../../lib/io/io-host.js';
import { exampleConfig } from '../support/config.js';

const puts: Array<{ Key: string; Body: string }> = [];
const said: string[] = [];
let refuse = false;
beforeEach(() => {
  [puts, said].forEach((list) => (list.length = 0));
  refuse = false;
});
const s3 = {
  async send({ input }: { input: (typeof puts)[number] }) {
    if (refuse) throw Object.assign(new Error('no'), { name: 'AccessDenied' });
    puts.push(input);
  },
};
const session = {
  ...{ fileDigest: 'digest', host: { io: { ...silentIo, debug: (text: string) => void said.push(text) } } },
  aws: () => ({ s3: async () => s3 }),
} as unknown as Session;
const team = exampleConfig().teams[0]!;
const event = (text: string) => ({ at: '2026-11-28T12:00:00.000Z', step: 'create-key' as const, text });
const entry = () => JSON.parse(puts.at(-1)?.Body ?? '') as Record<string, unknown>;

test('the first step is written at once, so that a run that is killed is named; the end has them all, in the same object', async () => {
  const journal = new Journal(session, team, { kind: 'ensure' }, 'sync');
  journal.add(event('one'));
  await expect.poll(() => puts.length, { timeout: 30_000 }).toBe(1);
  expect(entry()).toMatchObject({
    intent: 'ensure',
    command: 'sync',
    file: 'digest',
    who: expect.stringContaining('@'),
    status: 'begun',
    events: [{ text: 'one' }],
  });
  expect(entry()).not.toHaveProperty('ended');
  journal.add(event('two'));
  await journal.end({ status: 'done', summary: 'done' });
  expect(entry()).toMatchObject({ status: 'done', ended: expect.any(String), events: [{ text: 'one' }, { text: 'two' }] });
  expect(new Set(puts.map(({ Key }) => Key)).size).toBe(1);
  expect(puts[0]?.Key).toMatch(new RegExp(`^\\.halcyon-kit/journal/${team.name}/20\\d\\d-.*\\.json$`));
});

test('a run that had nothing to do, or found another at work, leaves nothing, one that failed does', async () => {
  await new Journal(session, team, { kind: 'ensure' }).end({ status: 'nothing-due', summary: '' });
  expect(puts).toEqual([]);
  const held = { status: 'failed', summary: 'ada works on it', error: { code: 'lease-held' as const, message: 'ada works on it' } };
  expect(await new Journal(session, team, { kind: 'ensure' }).end(held)).toBeUndefined();
  await new Journal(session, team, { kind: 'ensure' }).end({ status: 'failed', summary: 'why' });
  expect(entry()).toMatchObject({ status: 'failed', summary: 'why' });
});

test('what cannot be written stops nothing', async () => {
  refuse = true;
  const journal = new Journal(session, team, { kind: 'ensure' });
  journal.add(event('one'));
  await journal.end({ status: 'done', summary: 'done' });
  expect(said[0]).toContain(`the journal of ${team.name}`);
});

test('no secret gets into it, whatever a step says', async () => {
  registerSecret('canary-secret-of-the-journal');
  const journal = new Journal(session, team, { kind: 'ensure' });
  journal.add(event('it was canary-secret-of-the-journal'));
  await journal.end({ status: 'done', summary: 'canary-secret-of-the-journal' });
  expect(JSON.stringify(puts)).not.toContain('canary-secret');
});
