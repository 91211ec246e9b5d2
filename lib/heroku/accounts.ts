import { holdersOf } from '../config/derive.js';
import type { Team } from '../config/model.js';
import { KitError } from '../errors.js';
import { registerSecret } from '../io/redaction.js';
import { herokuToken } from './auth.js';
import { OF_NO_APP } from './by-id.js';
import type { Heroku, HerokuApp } from './heroku.js';

/**
 * Heroku as teams see it whose apps are on several accounts: a client, and so a budget of requests, for each token, which is that of the
 * variable that a team names, or else of HEROKU_API_KEY or ~/.netrc.
 * @param make - a client of a token, and of the variable that it came from where a team named one.
 * @returns the accounts as one; `home` is the team whose account makes apps, and is asked for those that no team has.
 * @throws KitError `heroku-credentials-missing`, which tells all that are.
 */
export async function openAccounts(
  teams: readonly Team[],
  env: NodeJS.ProcessEnv,
  make: (token: string, from?: string) => Heroku,
): Promise<(home?: Team) => Heroku> {
  const tokenIn = (variable = ''): string | undefined => env[variable]?.trim() || undefined;
  for (const { heroku } of teams) registerSecret(tokenIn(heroku.tokenFrom));
  const missing = teams.filter(({ heroku: { tokenFrom } }) => tokenFrom !== undefined && tokenIn(tokenFrom) === undefined);
  if (missing.length > 0)
    throw new KitError(
      'heroku-credentials-missing',
      `not set: ${missing.map(({ name, heroku }) => `${heroku.tokenFrom} (heroku.tokenFrom of team ${name})`).join(', ')}; set it to a token of that Heroku account (\`heroku authorizations:create\` prints one), or take tokenFrom out`,
    );
  const clients = new Map<string, Heroku>();
  const open = async (from?: string): Promise<Heroku> => {
    const token = tokenIn(from) ?? (await herokuToken(env));
    const client = clients.get(token) ?? make(token, from);
    clients.set(token, client);
    return client;
  };
  /** Whose an app is, by name or id; those that lists show are added. */
  const of = new Map<string, Heroku>();
  const homes = new Map<string | undefined, Heroku>();
  for (const team of teams) {
    const account = await open(team.heroku.tokenFrom);
    homes.set(team.name, account);
    for (const { name } of holdersOf(team)) of.set(name, account);
  }
  const any = homes.values().next().value ?? (await open());
  return (home) => spanning([...clients.values()], of, homes.get(home?.name) ?? any);
}

/** An app of the file is asked with its team's token, even where another may see it; any other with the first that shows it. */
function spanning(clients: readonly Heroku[], of: Map<string, Heroku>, home: Heroku): Heroku {
  if (clients.length === 1) return home;
  const known = (heroku: Heroku, app: HerokuApp): boolean => {
    const whose = of.get(app.name) ?? of.get(app.id) ?? heroku;
    for (const one of [app.id, app.name]) of.set(one, whose);
    return whose === heroku;
  };
  const merged = async (ask: (heroku: Heroku) => Promise<HerokuApp[]>): Promise<HerokuApp[]> => {
    const lists = await Promise.all(clients.map(async (heroku) => ({ heroku, apps: await ask(heroku) })));
    return lists.flatMap(({ heroku, apps }) => apps.filter((app) => known(heroku, app)));
  };
  const whose = (app: string): Heroku => of.get(app) ?? home;
  const together: Partial<Heroku> = {
    app: async (name) => {
      const app = await whose(name).app(name);
      known(whose(name), app);
      return app;
    },
    apps: (options) => merged((heroku) => heroku.apps(options)),
    appsById: (ids) =>
      merged(async (heroku) => {
        const own = ids.filter((id) => (of.get(id) ?? heroku) === heroku);
        return own.length === 0 ? [] : heroku.appsById(own);
      }),
    remaining: () => clients.reduce((sum, heroku) => sum + heroku.remaining(), 0),
  };
  return new Proxy(home, {
    get(_, method: keyof Heroku) {
      if (together[method] !== undefined || OF_NO_APP.has(method) || typeof home[method] !== 'function')
        return together[method] ?? home[method];
      return (app: string, ...rest: unknown[]): unknown => (whose(app)[method] as (...all: unknown[]) => unknown)(app, ...rest);
    },
  });
}
