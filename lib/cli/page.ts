import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { soaksUntil } from '../doctor/checks/keys.js';
import { KitError } from '../errors.js';
import { driftOf, stageOf, type Glance } from './glance.js';

/** What the page draws: as little as it needs, since there is one of each app of a fleet. `page/` has its types from here. */
export const pageData = ({ at, deployment, policy, findings, buckets, teams, packages }: Glance) => ({
  ...{ at, deployment, policy, findings, buckets, packages },
  teams: teams.map(({ team, modes, observation, bucket, prefix, lastProof }) => ({
    ...{ name: team, bucket, prefix, lastProof },
    principals: observation.principals.map((principal) => ({
      ...{ label: principal.label, user: principal.user, declared: principal.declared },
      keys: principal.keys.map((key) => {
        const soaks = soaksUntil(key, policy);
        return {
          ...{ id: key.id, status: key.status, stage: stageOf(principal, key), made: key.createdAt, used: key.lastUsedAt },
          // When it may be deleted, where it soaks.
          ...(soaks === undefined ? {} : { soaks: new Date(soaks).toISOString() }),
        };
      }),
    })),
    apps: observation.apps.map((app) => {
      const drift = app.state === 'present' ? driftOf(app, observation) : [];
      return {
        ...{ name: app.name, mode: modes[app.stage ?? app.name] ?? 'unknown', user: app.user, key: app.vars.HALCYON_AWS_ACCESS_KEY_ID },
        ...(drift.length === 0 ? {} : { drift }),
        ...(app.state === 'present' && app.problem === undefined ? {} : { problem: app.problem ?? app.state }),
      };
    }),
  })),
});

export type PageData = ReturnType<typeof pageData>;
export type PageTeam = PageData['teams'][number];
export type PageKey = PageTeam['principals'][number]['keys'][number];
export type PageApp = PageTeam['apps'][number];

/** The page, whole: template, style and script of `page/` as the build made them one, and what it draws as JSON in it. */
export async function pageOf(glance: Glance): Promise<string> {
  const file = ['../../page/status.html', '../../dist/page/status.html']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (file === undefined) throw new KitError('page-missing', 'the page is not in this installation; build or install halcyon-kit again');
  // No text of anyone's ends the element that it is in.
  const json = JSON.stringify(pageData(glance)).replaceAll('<', '\\u003c');
  return (await readFile(file, 'utf8')).replace(/(?<=id="data">)[^<]*/, () => json);
}
