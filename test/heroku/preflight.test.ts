import { expect, test } from 'vitest';
import type { Team } from '../../lib/config/model.js';
import { KitError } from '../../lib/errors.js';
import type { HerokuApp } from '../../lib/heroku/heroku.js';
import { preflight } from '../../lib/heroku/preflight.js';

const app = (name: string, more: Partial<HerokuApp> = {}): HerokuApp => ({
  id: name,
  name,
  generation: 'cedar',
  stack: 'heroku-24',
  createdAt: '2026-01-01T00:00:00Z',
  team: 'acme',
  ...more,
});
const team = (...names: string[]): Team => ({
  name: 'payments',
  heroku: { team: 'acme' },
  credentials: 'per-mode',
  publicStorage: 'never',
  tags: {},
  apps: names.map((name) => ({ name, mode: 'upload', clean: true, publicStorage: 'never', canary: false })),
});

test('names every app that cannot be worked on, one sentence each', async () => {
  const answers: Record<string, HerokuApp | KitError> = {
    good: app('good'),
    fir: app('fir', { generation: 'fir' }),
    native: app('native', { stack: 'cnb' }),
    theirs: app('theirs', { team: 'other' }),
    personal: app('personal', { team: undefined }),
    gone: new KitError('app-not-found', 'Heroku has no app "gone"'),
    locked: new KitError('heroku-forbidden', 'no'),
  };
  const heroku = {
    // One that an account may not use is in no list.
    apps: async () => [app('good'), app('fir', { generation: 'fir' })],
    app: async (name: string) => {
      asked.push(name);
      const answer = answers[name];
      if (answer instanceof KitError) throw answer;
      return answer as HerokuApp;
    },
  };
  const asked: string[] = [];
  const { problems, apps } = await preflight(heroku, [team(...Object.keys(answers))]);
  expect(asked).toEqual(['native', 'theirs', 'personal', 'gone', 'locked']);
  expect(problems.map(({ app, code }) => `${app} ${code}`)).toEqual([
    'fir app-fir',
    'native app-cnb',
    'theirs app-other-team',
    'personal app-other-team',
    'gone app-not-found',
    'locked heroku-forbidden',
  ]);
  expect(problems[2]?.message).toBe('app theirs belongs to Heroku team other, not to acme; transfer it, or mend heroku.team of payments');
  expect([...apps.keys()]).toEqual(['good', 'fir', 'native', 'theirs', 'personal']);
});

test('what concerns every app is thrown', async () => {
  const heroku = {
    apps: async () => [],
    app: async () => {
      throw new KitError('heroku-unauthorized', 'no');
    },
  };
  await expect(preflight(heroku, [team('a')])).rejects.toMatchObject({ code: 'heroku-unauthorized' });
});
