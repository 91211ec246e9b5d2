import type { Operation } from './halcyon-requests.js';

const VERBS: Record<Operation, string> = { download: 'Downloading', list: 'Listing', upload: 'Uploading', delete: 'Deleting' };
const WORDS: Record<number, string> = {
  301: 'moved permanently',
  307: 'temporary redirect',
  400: 'bad request',
  403: 'forbidden',
  404: 'not found',
  429: 'too many requests',
  500: 'internal server error',
  503: 'service unavailable',
};

/** What a build log shows when this comes of `operation`: often no more than a cache miss. */
export function inBuildLog(operation: Operation, status: number | undefined, { bucket }: { readonly bucket: string }): string {
  // Without an answer, curl writes 000.
  const shown = status === undefined ? '000 (unknown)' : `${status} (${WORDS[status] ?? 'unknown'})`;
  const line = `"${VERBS[operation]} s3://${bucket}/…... ${shown}"`;
  const retried = operation === 'upload' || status === undefined || status < 400 || status >= 500;
  const retries = retried ? ', "Retrying in 2 seconds (1/5)..." four times' : '';
  switch (operation) {
    case 'upload':
      return `${line}${retries}, and the build fails`;
    case 'download':
      if (status !== undefined && status >= 300 && status < 400)
        return `${line}${retries}, then "Incorrect HALCYON_S3_ENDPOINT", and the build fails`;
      return `${line}${retries}, then the build goes on as if nothing were stored, up to "Deploying buildpack only"`;
    case 'list':
      return `${line}${retries}, then the build goes on without what is stored`;
    case 'delete':
      return `${line}${retries}, then the build goes on; old archives stay`;
  }
}
