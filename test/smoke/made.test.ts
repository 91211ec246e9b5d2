import { describe, expect, test } from 'vitest';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';
import { registerSecret } from '../../lib/io/redaction.js';
import { Made } from '../../lib/smoke/made.client.js';
import type { Objects } from '../../lib/smoke/objects.client.js';

const run = 'halcyon-smoke-abcdefgh';

/** What removes, and what it removed, in order; what is in `stuck` it cannot. */
function remover(stuck: string[] = []) {
  const removed: string[] = [];
  const warned: string[] = [];
  const remove = async (what: string) => {
    if (stuck.includes(what)) throw new Error('no, says canary-of-the-remover');
    removed.push(what);
  };
  const heroku = { deleteApp: remove } as unknown as Heroku;
  const objects = { remove, removeKey: remove } as unknown as Objects;
  const io = { ...silentIo, warn: (message: string) => void warned.push(message) };
  return {
    removed,
    warned,
    all: (made: Made) => made.remove(heroku, objects, io),
    appsOnly: (made: Made) => made.remove(heroku, undefined, io),
  };
}

test('nothing made, nothing removed', async () => {
  const { removed, all } = remover();
  expect(await all(new Made(run))).toEqual([]);
  expect(removed).toEqual([]);
});

test('the app goes first, which might still upload; then each object once', async () => {
  const made = new Made(run);
  made.key('archive');
  made.key('archive');
  made.prefixes(['mine/', 'noted/']);
  await made.app(run);
  const { removed, all } = remover();
  expect(await all(made)).toEqual([]);
  expect(removed[0]).toBe(run);
  expect(removed.slice(1).sort()).toEqual(['archive', 'mine/', 'noted/']);
});

test("of what builds uploaded, only the run's own package is noted", async () => {
  const made = new Made(run);
  const line = (action: 'Uploading' | 'Downloading', url: string) => ({ action, url, outcome: 'done' });
  made.uploads(
    [
      line('Uploading', `s3://bucket/p/halcyon-install-1234567-${run}-1.0.tar.gz`),
      line('Uploading', `s3://other/p/halcyon-install-1234567-${run}-1.0.tar.gz`),
      line('Uploading', 's3://bucket/p/halcyon-ghc-7.8.4.tar.gz'),
      line('Downloading', `s3://bucket/q/halcyon-install-1234567-${run}-1.0.tar.gz`),
    ],
    'bucket',
  );
  const { removed, all } = remover();
  await all(made);
  expect(removed).toEqual([`p/halcyon-install-1234567-${run}-1.0.tar.gz`]);
});

test('what cannot go is said, without secrets, and the rest goes', async () => {
  registerSecret('canary-of-the-remover');
  const made = new Made(run);
  await made.app(run);
  made.prefixes(['mine/']);
  made.key('archive');
  const { removed, warned, all } = remover([run, 'archive']);
  expect(await all(made)).toEqual([`app ${run}`, 'archive']);
  expect(removed).toEqual(['mine/']);
  expect(warned.join()).toContain('archive could not be removed');
  expect(warned.join()).not.toContain('canary');
});

test('the note of an archive that cannot go stays, for the next to find it', async () => {
  const made = new Made(run);
  made.prefixes(['mine/', `.halcyon-kit/smoke/${run}/`]);
  made.key('archive');
  const { removed, all } = remover(['archive']);
  expect(await all(made)).toEqual(['archive']);
  expect(removed).toEqual(['mine/']);
});

test('without a bucket there is only the app', async () => {
  const made = new Made(run);
  await made.app(run);
  made.key('archive');
  const { removed, appsOnly } = remover();
  await appsOnly(made);
  expect(removed).toEqual([run]);
});

describe('an app is written down for others', () => {
  const started = (stuck: string[] = []) => {
    const told: string[] = [];
    const tell =
      (what: string) =>
      async (name = '') =>
        void told.push(`${what} ${name}`.trim());
    const register = { note: tell('note'), rest: tell('rest'), forget: tell('forget') };
    return { told, made: new Made(run, register), ...remover(stuck) };
  };

  test('before it can be made, until it is gone', async () => {
    const { told, made, removed, all } = started();
    await made.app(run);
    expect(told).toEqual([`note ${run}`]);
    expect(await all(made)).toEqual([]);
    expect([told.slice(1), removed]).toEqual([['rest', `forget ${run}`], [run]]);
  });

  test('and longer where it cannot be removed, for the next to try, though it is not renewed', async () => {
    const { told, made, all } = started([run]);
    await made.app(run);
    expect(await all(made)).toEqual([`app ${run}`]);
    expect(told).toEqual([`note ${run}`, 'rest']);
  });

  test('where it cannot be, no app is made', async () => {
    const refuse = async () => Promise.reject(new Error('refused'));
    await expect(new Made(run, { note: refuse, rest: async () => {}, forget: async () => {} }).app(run)).rejects.toThrow('refused');
  });
});
