import { explainApp, explainOwner, explainPipeline, explainTeam } from '../names.js';
import { appsOf, holdersOf, teamsOf, type Rule } from './draft.js';

/** Names that are keys: shared buckets, teams, apps. */
export const keyNames: Rule = (draft, report) => {
  const check = (path: string[], message: string | undefined) => {
    if (message !== undefined) report(path, message, { at: 'key' });
  };
  for (const id of Object.keys(draft.buckets ?? {})) check(['buckets', id], explainOwner(id));
  for (const [name, team] of teamsOf(draft)) {
    check(['teams', name], explainTeam(name));
    for (const [app] of appsOf(team)) check(['teams', name, 'apps', app], explainApp(app));
    for (const pipeline of Object.keys(team.pipelines ?? {})) check(['teams', name, 'pipelines', pipeline], explainPipeline(pipeline));
  }
};

/** An app has one set of config vars, and so has a stage of a pipeline: it can be in one team. */
export const oneTeamAnApp: Rule = (draft, report) => {
  const teams = new Map<string, string>();
  for (const [name, team] of teamsOf(draft)) {
    for (const { path } of holdersOf(team)) {
      const what = path[0] === 'apps' ? 'an app' : 'a stage of a pipeline';
      const first = teams.get(path.join(' '));
      if (first === undefined) teams.set(path.join(' '), name);
      else
        report(['teams', name, ...path], `is in team ${first} already`, {
          at: 'key',
          hint: `${what} belongs to one team; remove it here or there`,
        });
    }
  }
};
