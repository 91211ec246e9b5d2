import type { AppFacts, Check, Finding, Observation, TeamFacts } from '../model.js';

type Body = Pick<Finding, 'message' | 'fix'> & { readonly looksLike?: string };

const make =
  (severity: Finding['severity']) =>
  (name: string, subject: string, { message, looksLike, fix }: Body): Finding => ({
    ...{ name, severity, subject, message, looksLike: looksLike ?? 'nothing', fix },
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

/** A check of each app by itself. */
export const ofApps =
  (check: (app: AppFacts, facts: TeamFacts, observation: Observation) => Finding[]): Check =>
  (observation) =>
    observation.teams.flatMap((facts) => facts.apps.flatMap((app) => check(app, facts, observation)));

export const subject = ({ name }: AppFacts): string => `app ${name}`;
