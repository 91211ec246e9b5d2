import { whoOf } from '../../smoke/register.client.js';
import type { Check } from '../model.js';
import { info, warning } from './finding.js';

/** Apps of smoke deploys that were killed, and of those under way. */
export const smokeApps: Check = ({ teams, strays = [] }) => [
  ...teams.flatMap(({ team, smokeApps: noted = [] }) =>
    noted.map((app) => {
      const by = `a smoke deploy of ${whoOf(app)}`;
      return app.running
        ? info('smoke-app-running', `app ${app.name}`, { message: `it is in use by ${by}`, fix: 'wait for it' })
        : warning('smoke-app-left', `app ${app.name}`, {
            message: `${by} was killed and left it behind; it may hold a live key of team ${team.name}`,
            fix: `run halcyon-kit sync ${team.name}, which removes it`,
          });
    }),
  ),
  ...strays
    .filter((name) => !teams.some(({ smokeApps: noted = [] }) => noted.some((app) => app.name === name)))
    .map((name) =>
      warning('smoke-app-left', `app ${name}`, {
        message: 'an earlier smoke deploy left it behind, by its name and age',
        fix: 'run halcyon-kit smoke, which removes it, or delete it',
      }),
    ),
];
