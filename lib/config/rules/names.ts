import { explainApp, explainOwner, explainTeam } from '../names.js';
import { appsOf, teamsOf, type Rule } from './draft.js';

/** Names that are keys: shared buckets, teams, apps. */
export const keyNames: Rule = (draft, report) => {
  const check = (path: string[], message: string | undefined) => {
    if (message !== undefined) report(path, message, { at: 'key' });
  };
  for (const id of Object.keys(draft.buckets ?? {})) check(['buckets', id], explainOwner(id));
  for (const [name, team] of teamsOf(draft)) {
    check(['teams', name], explainTeam(name));
    for (const [app] of appsOf(team)) check(['teams', name, 'apps', app], explainApp(app));
  }
};

/** An app has one set of config vars, so it can be in one team. */
export const oneTeamAnApp: Rule = (draft, report) => {
  const teams = new Map<string, string>();
  for (const [name, team] of teamsOf(draft)) {
    for (const [app] of appsOf(team)) {
      const first = teams.get(app);
      if (first === undefined) teams.set(app, name);
      else
        report(['teams', name, 'apps', app], `is in team ${first} already`, {
          at: 'key',
          hint: 'an app belongs to one team; remove it here or there',
        });
    }
  }
};
