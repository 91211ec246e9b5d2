import type { Finding } from '../model.js';

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
