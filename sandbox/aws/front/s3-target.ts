/** Which bucket, key and region a path and `Host` name. Source: S3 user guide, "Virtual hosting of general purpose buckets". */

interface S3Host {
  readonly bucket?: string;
  readonly region?: string;
}

/** `s3.REGION.amazonaws.com`, `s3.amazonaws.com`, and the same under `localhost`, which clients need not be pointed at. */
const S3_HOST =
  /^(?:(?<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?(?<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|localhost)$/;

export function s3Host(hostHeader: string | undefined): S3Host | undefined {
  const host = (hostHeader ?? '').replace(/:\d+$/, '').toLowerCase();
  const match = S3_HOST.exec(host);
  if (match !== null) return { bucket: match.groups?.bucket, region: match.groups?.region ?? 'global' };
  // What SDKs make of a custom endpoint on localhost when not told to use path style.
  if (host.endsWith('.localhost')) return { bucket: host.slice(0, -'.localhost'.length) };
  return undefined;
}

export function s3Target(hostHeader: string | undefined, path: string): { bucket?: string; key?: string } {
  const bucket = s3Host(hostHeader)?.bucket;
  const rest = path.replace(/^\//, '');
  if (bucket !== undefined) return { bucket, key: rest === '' ? undefined : decode(rest) };
  const slash = rest.indexOf('/');
  const name = slash < 0 ? rest : rest.slice(0, slash);
  const key = slash < 0 ? '' : rest.slice(slash + 1);
  return { bucket: name === '' ? undefined : decode(name), key: key === '' ? undefined : decode(key) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
