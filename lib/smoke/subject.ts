import { accessOf, type Access, type Mode, type PrincipalId } from '../contract/index.js';
import { principalOf } from '../config/derive.js';
import type { App, KitConfig, Team } from '../config/model.js';
import { KitError } from '../errors.js';

/** What one smoke deploy is about: a team, a mode, and the app it stands for. */
export interface Subject {
  readonly team: Team;
  readonly app: App;
  readonly mode: Mode;
  readonly access?: Access;
  readonly principal?: PrincipalId;
}

/** One subject for each mode and access in use, canaries first; the one app where `app` is given. */
export function subjectsOf(team: Team, options: { modes?: readonly Mode[]; app?: string } = {}): Subject[] {
  const apps =
    options.app === undefined ? [...team.apps].sort((a, b) => Number(b.canary) - Number(a.canary)) : [appNamed(team, options.app)];
  const seen = new Set<string>();
  return apps
    .map((app) => subjectOf(team, app))
    .filter(
      ({ mode, access }) => (options.modes?.includes(mode) ?? true) && !seen.has(`${mode} ${access}`) && seen.add(`${mode} ${access}`),
    );
}

export function subjectOf(team: Team, app: App): Subject {
  return { team, app, mode: app.mode, access: accessOf(app.mode, app.clean), principal: principalOf(team, app) };
}

/** @throws KitError `app-not-in-team`. */
export function appNamed(team: Team, name: string): App {
  const app = team.apps.find((candidate) => candidate.name === name);
  if (app) return app;
  throw new KitError('app-not-in-team', `app ${name} is not in team ${team.name}; there are: ${team.apps.map((a) => a.name).join(', ')}`);
}

/** Prefixes of other teams in the same bucket, apart from those above or below this team's; at most three. */
export function otherPrefixes(config: KitConfig, team: Team): string[] {
  const own = team.bucket?.prefix;
  if (own === undefined || team.bucket === undefined) return [];
  const name = team.bucket.spec.name;
  const others = config.teams.filter((other) => other.name !== team.name && other.bucket?.spec.name === name);
  return [...new Set(others.flatMap(({ bucket }) => bucket?.prefix ?? []))]
    .filter((prefix) => !`${prefix}/`.startsWith(`${own}/`) && !`${own}/`.startsWith(`${prefix}/`))
    .slice(0, 3);
}
