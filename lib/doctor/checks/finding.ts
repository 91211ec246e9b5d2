import type { AppFacts, Check, Finding, Observation, PrincipalFacts, TeamFacts } from '../model.js';

/** What is wrong with something, apart from what that is. */
export type Fault = Omit<Finding, 'subject'>;

const make =
  (severity: Finding['severity']) =>
  (name: string, { message, looksLike, fix }: Pick<Finding, 'message' | 'fix'> & { readonly looksLike?: string }): Fault => ({
    ...{ name, severity, message, looksLike: looksLike ?? 'nothing', fix },
  });

/** Builds fail, or go without what is stored. */
export const broken = make('broken');
/** They may. */
export const warning = make('warning');
/** Worth knowing. */
export const info = make('info');

export const CACHE_MISS = '"Downloading s3://…... 403 (forbidden)", as if nothing were stored, up to "Deploying buildpack only"';
export const UPLOAD_FAILS = '"Uploading s3://…... 403 (forbidden)", "Retrying in 2 seconds (1/5)..." four times, and the build fails';
export const NO_PRIVATE_STORAGE = '"External storage: public" or "none" in place of "private"';

/** @param subject - as {@link Finding} has it: `app NAME`. */
export const about = (subject: string, faults: Iterable<Fault>): Finding[] =>
  [...faults].map(({ name, severity, ...rest }) => ({ name, severity, subject, ...rest }));

/** A check of each app by itself. */
export const ofApps =
  (check: (app: AppFacts, facts: TeamFacts, observation: Observation) => Iterable<Fault>): Check =>
  (observation) =>
    observation.teams.flatMap((facts) => facts.apps.flatMap((app) => about(`app ${app.name}`, check(app, facts, observation))));

/** A check of each principal by itself. */
export const ofPrincipals =
  (check: (principal: PrincipalFacts, facts: TeamFacts) => Iterable<Fault>): Check =>
  ({ teams }) =>
    teams.flatMap((facts) => facts.principals.flatMap((one) => about(`principal ${one.label}`, check(one, facts))));
