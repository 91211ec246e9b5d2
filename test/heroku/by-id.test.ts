import { expect, test } from 'vitest';
import { KitError } from '../../lib/errors.js';
import { byId } from '../../lib/heroku/by-id.js';
import type { Heroku } from '../../lib/heroku/heroku.js';

const asked: string[] = [];
const heroku = {
  configVars: async (app: string) => {
    asked.push(app);
    if (app === 'id-2') throw new KitError('app-not-found', 'Heroku has no app "id-2"');
    return {};
  },
  stacks: async () => [],
} as unknown as Heroku;
const followed = byId(
  heroku,
  new Map([
    ['one', { id: 'id-1' }],
    ['two', { id: 'id-2' }],
  ]),
);

test('apps that were found are asked for by id, others by name', async () => {
  await followed.configVars('one');
  await followed.configVars('elsewhere');
  expect(asked).toEqual(['id-1', 'elsewhere']);
  expect(await followed.stacks()).toEqual([]);
});

test('errors call them by their names', async () => {
  await expect(followed.configVars('two')).rejects.toMatchObject({ code: 'app-not-found', message: 'Heroku has no app "two"' });
});
