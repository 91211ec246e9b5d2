import type { IncomingHttpHeaders } from 'node:http';

/** What S3's error document says. */
export interface S3Error {
  readonly code?: string;
  readonly message?: string;
  readonly region?: string;
}

const unescapeXml = (text: string): string =>
  text
    .replaceAll(/&#x([0-9a-f]{1,5});/gi, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replaceAll(/&#(\d{1,6});/g, (_, decimal: string) => String.fromCodePoint(Number(decimal)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

export function readError(body: Buffer, headers: IncomingHttpHeaders): S3Error {
  const text = body.subarray(0, 65_536).toString('utf8');
  const field = (name: string) => {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
    return found === undefined ? undefined : unescapeXml(found);
  };
  const region = headers['x-amz-bucket-region'] ?? field('Region');
  return {
    code: field('Code'),
    message: field('Message'),
    region: Array.isArray(region) ? region[0] : region,
  };
}
