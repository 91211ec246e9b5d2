import pMap from 'p-map';
import type { Team } from '../config/model.js';
import { isKitError, KitError } from '../errors.js';
import type { Heroku, HerokuApp } from './heroku.js';

/** Why an app cannot be worked on. */
interface PreflightProblem {
  readonly team: string;
  readonly app: string;
  readonly code: 'app-not-found' | 'heroku-forbidden' | 'app-fir' | 'app-other-team';
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
 * them at once, one request an app, before anything is changed.
 * @throws KitError for what concerns all apps: `heroku-unauthorized`, `heroku-rate-limited`, `heroku-unavailable`.
 */
export async function preflight(
  heroku: Pick<Heroku, 'app'>,
  teams: readonly Team[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Preflight> {
  const apps = new Map<string, HerokuApp>();
  const wanted = teams.flatMap((team) => team.apps.map(({ name }) => ({ team, name })));
  const check = async ({ team, name }: (typeof wanted)[number]): Promise<PreflightProblem[]> => {
    const problem = (code: PreflightProblem['code'], message: string) => [{ team: team.name, app: name, code, message }];
    try {
      const app = await heroku.app(name);
      apps.set(name, app);
      if (app.generation !== 'cedar') {
        return problem('app-fir', `app ${name} is of the ${app.generation} generation, which takes no classic buildpacks; use a Cedar app`);
      }
      if (team.heroku.team !== undefined && app.team !== team.heroku.team) {
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

/**
 * {@link preflight}, or one error that names every problem.
 * @throws KitError with the problem's own code where there is one, `apps-unusable` where there are several (`details.problems`).
 */
export async function preflightApps(
  heroku: Pick<Heroku, 'app'>,
  teams: readonly Team[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReadonlyMap<string, HerokuApp>> {
  const { problems, apps } = await preflight(heroku, teams, options);
  if (problems.length === 0) return apps;
  const [first] = problems;
  throw new KitError(
    problems.length === 1 && first ? first.code : 'apps-unusable',
    problems.length === 1 && first
      ? first.message
      : `${problems.length} apps cannot be worked on:\n${problems.map((p) => `  ${p.message}`).join('\n')}`,
    { details: { problems } },
  );
}
