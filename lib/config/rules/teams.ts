import { appsOf, holdersOf, ofTeams, teamsOf, type DraftApp, type Rule } from './draft.js';

/** A file about nothing. */
export const something: Rule = (draft, report) => {
  if (draft.teams !== undefined && Object.keys(draft.teams).length === 0) report(['teams'], 'has no team', { at: 'key' });
  for (const [name, team] of teamsOf(draft)) {
    if (team.apps !== undefined && appsOf(team).length === 0)
      report(['teams', name, 'apps'], 'has no app', { at: 'key', hint: 'name at least one Heroku app' });
  }
};

/** The users, the stack and the bucket of a name are one team's. */
export const formerNames: Rule = (draft, report) => {
  const seen = new Map<string, string>();
  for (const [name, { was }] of teamsOf(draft)) {
    if (was === undefined) continue;
    const taken =
      draft.teams?.[was] !== undefined ? 'is a team of this file' : seen.has(was) ? `is what team ${seen.get(was)} was` : undefined;
    if (taken !== undefined) report(['teams', name, 'was'], `${taken}: ${JSON.stringify(was)}`, { hint: 'remove it here or there' });
    seen.set(was, name);
  }
};

const isPrivate = (app: DraftApp): boolean => app.mode === 'read-only' || app.mode === 'upload';

export const bucketForPrivateApps = ofTeams((team, report) => {
  const needy = holdersOf(team).find(({ app }) => isPrivate(app));
  if (team.bucket !== undefined || needy === undefined) return;
  const [kind, name, stage] = needy.path;
  report([], `has no bucket, but ${kind === 'apps' ? `app ${name}` : `${stage} of pipeline ${name}`} is in mode ${needy.app.mode}`, {
    at: 'key',
    hint: 'add "bucket", or make every app public',
  });
});

/** Settings of an app that its mode gives no meaning to: they say that the mode is not the one that was meant. */
export const meaningfulApps = ofTeams((team, report) => {
  const apps = holdersOf(team);
  for (const { path: at, app } of apps) {
    if (app.mode === undefined) continue;
    if (app.clean !== undefined && app.mode !== 'upload')
      report([...at, 'clean'], `goes with mode upload only, and this app is in mode ${app.mode}: its key may never delete`, { at: 'key' });
    if (app.publicStorage === 'fallback' && app.mode === 'read-only')
      report([...at, 'publicStorage'], 'cannot be fallback in mode read-only, which never uses public packages', {
        hint: 'remove it, or use mode upload',
      });
    if (app.publicStorage !== undefined && app.mode === 'public')
      report([...at, 'publicStorage'], 'means nothing in mode public, which uses public packages only', { at: 'key', hint: 'remove it' });
    if (app.canary === true && app.mode === 'public')
      report([...at, 'canary'], 'means nothing in mode public, which has no key to rotate', { at: 'key', hint: 'remove it' });
  }
  if (team.publicStorage === 'fallback' && apps.length > 0 && apps.every(({ app: { mode } }) => mode === 'public' || mode === 'read-only'))
    report(['publicStorage'], 'cannot be fallback where no app is in mode upload: the other modes do not choose', { hint: 'remove it' });
});

export const oneCanaryATeam = ofTeams((team, report, name) => {
  const [first, ...others] = appsOf(team).filter(([, app]) => app.canary === true);
  for (const [app] of others)
    report(['apps', app, 'canary'], `is the second canary of team ${name}: ${first![0]} is one already`, { hint: 'keep one' });
});
