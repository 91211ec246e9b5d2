import type { IncomingHttpHeaders } from 'node:http';

/** How a request is signed, as it claims: nothing is verified here, MiniStack does that. */
export interface Signature {
  readonly version: 2 | 4 | 'none';
  readonly accessKeyId?: string;
  readonly region?: string;
  readonly service?: string;
  readonly presigned: boolean;
}

export function readSignature(headers: IncomingHttpHeaders, query: URLSearchParams): Signature {
  const header = headers.authorization ?? '';
  const scope = /^AWS4-HMAC-SHA256\s.*?Credential=([^,\s]+)/.exec(header)?.[1];
  if (scope !== undefined) return { version: 4, presigned: false, ...readScope(scope) };
  const v2 = /^AWS ([^:\s]+):/.exec(header);
  if (v2 !== null) return { version: 2, accessKeyId: v2[1], service: 's3', presigned: false };
  const credential = query.get('X-Amz-Credential');
  if (credential !== null) return { version: 4, presigned: true, ...readScope(credential) };
  const key = query.get('AWSAccessKeyId');
  if (key !== null && query.has('Signature') && query.has('Expires'))
    return { version: 2, accessKeyId: key, service: 's3', presigned: true };
  return { version: 'none', presigned: false };
}

function readScope(scope: string): Pick<Signature, 'accessKeyId' | 'region' | 'service'> {
  const parts = scope.split('/');
  return { accessKeyId: parts[0], region: parts[2], service: parts[3] };
}
