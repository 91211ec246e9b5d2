import { KitError } from '../errors.js';
import type { Heroku, HerokuApp } from './heroku.js';

/** What is asked of no app in particular; in all else the app comes first. */
export const OF_NO_APP: ReadonlySet<PropertyKey> = new Set([
  'createApp',
  'apps',
  'appsById',
  'stacks',
  'pipelineApps',
  'remaining',
  'now',
  'followStream',
] satisfies Array<keyof Heroku>);

/**
 * The same, which asks for `apps`, by the names they were found under, by their ids: an app that is renamed meanwhile is still that one.
 * Errors go on calling them by their names.
 */
export function byId(heroku: Heroku, apps: ReadonlyMap<string, Pick<HerokuApp, 'id'>>): Heroku {
  return new Proxy(heroku, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (OF_NO_APP.has(name) || typeof value !== 'function') return value;
      return async (app: string, ...rest: unknown[]): Promise<unknown> => {
        const id = apps.get(app)?.id;
        try {
          return await (value as (...all: unknown[]) => Promise<unknown>).call(target, id ?? app, ...rest);
        } catch (error) {
          if (id === undefined || !(error instanceof KitError)) throw error;
          throw new KitError(error.code, error.message.replaceAll(id, app), { cause: error.cause, details: error.details });
        }
      };
    },
  });
}
