import type { RefusalContext, Verdict } from './refusal.js';

const TLS = /^(CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO$|ca-bundle-unreadable$|HOSTNAME_MISMATCH$)/;

/** Why there was no answer at all. */
export function unanswered({ code, message }: { code: string; message: string }, { endpoint, region }: RefusalContext): Verdict {
  if (TLS.test(code)) {
    return {
      kind: 'tls',
      message: `TLS to ${endpoint} fails: ${message} (${code})`,
      fix: 'let the endpoint present a certificate for its own name from a public authority; for an emulator or a proxy set AWS_CA_BUNDLE here, and CURL_CA_BUNDLE on the apps',
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_NONAME') {
    return {
      kind: 'wrong-endpoint',
      message: `there is no host ${endpoint}`,
      fix: `correct "endpoint" of the bucket in the file, or remove it to use the regional one of ${region}, then run halcyon-kit sync`,
    };
  }
  return {
    kind: 'endpoint-unreachable',
    message: `${endpoint} cannot be reached: ${message} (${code})`,
    fix: `check the network here, and "endpoint" of the bucket in the file`,
    transient: true,
  };
}
