import type { Finding } from '../model.js';

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

/** Of an app, or of a stage of a pipeline, whose name says what it is. */
export const subjectOf = (name: string): string => (name.startsWith('pipeline:') ? name : `app ${name}`);

/** @param subject - as {@link Finding} has it: `app NAME`. */
export const about = (subject: string, faults: Iterable<Fault>): Finding[] =>
  [...faults].map(({ name, severity, ...rest }) => ({ name, severity, subject, ...rest }));

/** What the operator could not see. */
export const notChecked = (unread: readonly string[], fix = 'get the permission named, and run the doctor again'): Fault[] =>
  unread.map((what) => warning('not-checked', { message: `could not read ${what}`, looksLike: 'unknown', fix }));
