import pMap from 'p-map';
import { holdersOf } from '../config/derive.js';
import type { Team } from '../config/model.js';
import { parseStage } from '../contract/index.js';
import { isKitError } from '../errors.js';
import type { Heroku, HerokuApp } from './heroku.js';

/** Why an app cannot be worked on. */
export interface PreflightProblem {
  readonly team: string;
  readonly app: string;
  readonly code: 'app-not-found' | 'heroku-forbidden' | 'app-fir' | 'app-cnb' | 'app-other-team';
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
}

export interface Preflight {
  readonly problems: readonly PreflightProblem[];
  /** The apps that were found, by name. */
  readonly apps: ReadonlyMap<string, HerokuApp>;
}

/**
 * Whether every app of `teams` is there, may be used, takes classic buildpacks and belongs to the configured Heroku team: all of
 * them at once, before anything is changed. A page of a list tells of a thousand apps; those it does not tell of are asked for one by one.
 * @throws KitError for what concerns all apps: `heroku-unauthorized`, `heroku-rate-limited`, `heroku-unavailable`.
 */
export async function preflight(
  heroku: Pick<Heroku, 'app' | 'apps'>,
  teams: readonly Team[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Preflight> {
  const apps = new Map<string, HerokuApp>();
  const wanted = teams.flatMap((team) => holdersOf(team).map(({ name }) => ({ team, name })));
  const listed = await listOf(
    heroku,
    teams.flatMap((team) => team.apps.map(({ name }) => name)),
  );
  const check = async ({ team, name }: (typeof wanted)[number]): Promise<PreflightProblem[]> => {
    const problem = (code: PreflightProblem['code'], message: string) => [{ team: team.name, app: name, code, message }];
    try {
      const app = listed.get(name) ?? (await heroku.app(name));
      apps.set(name, app);
      const unfit = unfitness(app);
      if (unfit !== undefined) return problem(unfit.code, `app ${name} is ${unfit.why}; ${unfit.fix}`);
      if (team.heroku.team !== undefined && parseStage(name) === undefined && app.team !== team.heroku.team) {
        const owner = app.team === undefined ? 'belongs to a person' : `belongs to Heroku team ${app.team}`;
        return problem(
          'app-other-team',
          `app ${name} ${owner}, not to ${team.heroku.team}; transfer it, or mend heroku.team of ${team.name}`,
        );
      }
      return [];
    } catch (error) {
      if (isKitError(error, 'app-not-found')) return problem('app-not-found', error.message);
      if (isKitError(error, 'heroku-forbidden')) {
        return problem('heroku-forbidden', `this Heroku account may not use app ${name}; ask its owner for deploy and operate permissions`);
      }
      throw error;
    }
  };
  return { problems: (await pMap(wanted, check, { concurrency: 5, signal: options.signal })).flat(), apps };
}

/** Why an app takes no classic buildpacks; undefined where it does. */
export function unfitness({ generation, stack }: Pick<HerokuApp, 'generation' | 'stack'>) {
  const none = 'which takes no classic buildpacks';
  if (generation !== 'cedar') return { code: 'app-fir', why: `of the ${generation} generation, ${none}`, fix: 'use a Cedar app' } as const;
  if (stack === 'cnb')
    return { code: 'app-cnb', why: `on the stack cnb, ${none}`, fix: 'use a heroku-NN stack (heroku stack:set)' } as const;
  return undefined;
}

/** As many of the apps as a list tells of with fewer requests than asking for each: an account may have far more than the file. */
async function listOf(heroku: Pick<Heroku, 'apps'>, names: readonly string[]): Promise<ReadonlyMap<string, HerokuApp>> {
  const [from, ...rest] = [...names].sort();
  const pages = Math.floor(names.length / 3);
  const apps = from === undefined || pages === 0 ? [] : await heroku.apps({ from, to: rest.at(-1), pages });
  return new Map(apps.map((app) => [app.name, app]));
}
