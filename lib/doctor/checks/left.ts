import { inWords } from '../../deploy/left.plan.js';
import { purposeOf } from '../../smoke/name.js';
import { whoOf } from '../../smoke/register.client.js';
import type { Check } from '../model.js';
import { about, info, warning } from './finding.js';

/** Apps of smoke deploys that were killed, and of those under way. */
export const smokeApps: Check = ({ teams, strays = [] }) => {
  const noted = teams.flatMap(({ team, smokeApps: apps = [] }) => apps.map((app) => ({ app, team: team.name })));
  const unnoted = strays.filter((name) => !noted.some(({ app }) => app.name === name));
  return [
    ...noted.flatMap(({ app, team }) => {
      const by = `a ${purposeOf(app.name)} of ${whoOf(app)}`;
      const left = {
        message: `${by} was killed and left it behind; it may hold a live key of team ${team}`,
        fix: `run halcyon-kit sync ${team}, which removes it`,
      };
      return about(`app ${app.name}`, [
        app.running ? info('smoke-app-running', { message: `it is in use by ${by}`, fix: 'wait for it' }) : warning('smoke-app-left', left),
      ]);
    }),
    ...unnoted.flatMap((name) =>
      about(`app ${name}`, [
        warning('smoke-app-left', {
          message: `an earlier ${purposeOf(name)} left it behind, by its name and age`,
          fix: 'run halcyon-kit smoke, which removes it, or delete it',
        }),
      ]),
    ),
  ];
};

/** What an earlier file made and this one no longer names. */
export const leftBehind: Check = ({ left }) =>
  left === undefined
    ? []
    : [
        ...inWords(left).flatMap(({ name, subject, ...body }) => about(subject, [(name === 'bucket-left' ? info : warning)(name, body)])),
        ...(left.unread === undefined
          ? []
          : about('what an earlier file left behind', [
              warning('not-checked', {
                message: left.unread,
                looksLike: 'unknown',
                fix: 'get the permission named, and run the doctor again',
              }),
            ])),
      ];
