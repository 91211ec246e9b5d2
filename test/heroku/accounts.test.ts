import { expect, test } from 'vitest';
import type { Team } from '../../lib/config/model.js';
import { parseConfig } from '../../lib/config/index.js';
import { KitError } from '../../lib/errors.js';
import { openAccounts } from '../../lib/heroku/accounts.js';
import type { Heroku, HerokuApp } from '../../lib/heroku/heroku.js';
import { redact } from '../../lib/io/redaction.js';

const file = (second: string): readonly Team[] =>
  parseConfig(`teams:
  payments: { apps: { pay-web: { mode: public } } }
  search: { heroku: ${second}, apps: { search-web: { mode: public } } }
  archive: { heroku: { tokenFrom: TOKEN_ARCHIVE }, apps: { archive-web: { mode: public } } }
`).teams;
const teams = file('{ tokenFrom: TOKEN_SEARCH }');
const env = { HEROKU_API_KEY: 'canary-of-payments', TOKEN_SEARCH: ' canary-of-search\n', TOKEN_ARCHIVE: 'canary-of-search' };

/** Which accounts see which apps; what was asked of whom. */
const sees: Record<string, readonly string[]> = {
  'canary-of-payments': ['pay-web', 'search-web', 'stray-of-payments'],
  'canary-of-search': ['search-web', 'archive-web', 'stray-of-search'],
};
async function open(of: readonly Team[] = teams) {
  const asked: string[] = [];
  const made: Array<string | undefined> = [];
  const accounts = await openAccounts(of, env, (token, from) => {
    made.push(from);
    const say = (what: string) => void asked.push(`${token.replace('canary-of-', '')}: ${what}`);
    const app = (name: string) => ({ name, id: `id-${name}` }) as HerokuApp;
    const seen = sees[token] ?? [];
    const look = (name: string) => {
      if (!seen.some((one) => one === name || `id-${one}` === name)) throw new KitError('app-not-found', `no ${name} for ${token}`);
    };
    return {
      app: async (name: string) => (say(`app ${name}`), look(name), app(name)),
      configVars: async (name: string) => (say(`vars ${name}`), look(name), {}),
      apps: async () => (say('apps'), seen.map(app)),
      appsById: async (ids: readonly string[]) => (say(`ids ${ids.join(' ')}`), seen.map(app).filter(({ id }) => ids.includes(id))),
      createApp: async ({ name }: { name: string }) => (say(`create ${name}`), app(name)),
      remaining: () => 100,
    } as unknown as Heroku;
  });
  return { accounts, asked, made };
}

test('each app is asked with the token of its team; one token is one client, under whatever names', async () => {
  const { accounts, asked, made } = await open();
  const heroku = accounts();
  for (const app of ['pay-web', 'search-web', 'archive-web']) await heroku.configVars(app);
  expect(asked).toEqual(['payments: vars pay-web', 'search: vars search-web', 'search: vars archive-web']);
  expect(made).toEqual([undefined, 'TOKEN_SEARCH']);
  expect(heroku.remaining()).toBe(200);
});

test('a list shows an app of the file as its own account does, and any other once', async () => {
  const { accounts, asked } = await open();
  const heroku = accounts();
  expect((await heroku.apps()).map(({ name }) => name)).toEqual([
    'pay-web',
    'stray-of-payments',
    'search-web',
    'archive-web',
    'stray-of-search',
  ]);
  // By now it is known whose they are, by id too.
  asked.length = 0;
  expect(await heroku.appsById(['id-search-web', 'id-pay-web'])).toHaveLength(2);
  await heroku.configVars('id-search-web');
  expect(asked).toEqual(['payments: ids id-pay-web', 'search: ids id-search-web', 'search: vars id-search-web']);
});

test('an app that the own account may not use is not worked on with another', async () => {
  const heroku = (
    await open([
      { ...teams[1]!, apps: teams[0]!.apps },
      { ...teams[0]!, apps: [] },
    ])
  ).accounts();
  expect((await heroku.apps()).map(({ name }) => name)).not.toContain('pay-web');
  await expect(heroku.configVars('pay-web')).rejects.toMatchObject({ code: 'app-not-found' });
});

test('an app that no team has is asked for where the team is, unless a list showed it elsewhere; new ones are made there', async () => {
  const { accounts, asked } = await open();
  const heroku = accounts(teams[1]);
  await heroku.createApp({ name: 'smoke' });
  await heroku.configVars('id-stray-of-search');
  await heroku.appsById(['id-stray-of-payments']);
  await heroku.configVars('id-stray-of-payments');
  await expect(heroku.app('gone')).rejects.toThrow('no gone for canary-of-search');
  expect(asked).toEqual([
    'search: create smoke',
    'search: vars id-stray-of-search',
    'payments: ids id-stray-of-payments',
    'search: ids id-stray-of-payments',
    'payments: vars id-stray-of-payments',
    'search: app gone',
  ]);
});

test('what is not set is told at once, with its team; no token is shown', async () => {
  const some = { TOKEN_ARCHIVE: 'canary-alone' };
  const refused = openAccounts(teams, some, () => expect.unreachable());
  await expect(refused).rejects.toMatchObject({
    code: 'heroku-credentials-missing',
    message: expect.stringMatching(/^not set: TOKEN_SEARCH \(heroku\.tokenFrom of team search\); set it to a token/) as string,
  });
  expect(redact('canary-alone')).toBe('[redacted]');
  // Where every team names one, nobody needs HEROKU_API_KEY.
  await openAccounts(teams.slice(2), some, () => ({}) as Heroku);
});

test('the file never holds a token, and what was written in its place is not shown', () => {
  for (const token of ['HRKU-canary0-1234', '01234567-89ab-cdef-0123-456789abcdef', 'canary'])
    expect(() => file(`{ tokenFrom: ${token} }`)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(token) as string }) as Error,
    );
  expect(() => file('{ tokenFrom: canary }')).toThrow('what it holds is never written here');
});
