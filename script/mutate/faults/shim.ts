import { faultsOf } from '../fault.js';

/** The SigV4 buildpack. */
export const SHIM = [
  ...faultsOf('buildpack/shim/curl', {
    'acl-unsigned': [`    x-amz-* | content-md5 | content-type)`, `    content-md5 | content-type)`, 'guide'],
    'signed-headers-unsorted': ['("${!headers[@]}")\n  sort_list', '("${!headers[@]}")', 'guide'],
    'md5-unsigned': [`    x-amz-* | content-md5 | content-type)`, `    x-amz-* | content-type)`, 'shim alone'],
    'query-unsorted': [`    sort_list\n    for pair in`, `    for pair in`, 'shim alone'],
    'local-time': [`TZ=UTC0 printf`, `TZ=XXX5 printf`, 'shim alone'],
    'told-region-unheeded': [`elif [[ -n $HALCYON_S3_REGION ]]; then`, `elif [[ -z \${HALCYON_S3_REGION-x} ]]; then`, 'shim'],
    // The local S3 does not hold a body against the hash that is claimed for it.
    'payload-always-empty': [`payload=UNSIGNED-PAYLOAD`, `payload=$EMPTY_SHA256`, 'shim alone'],
    'percent-decoded': [`then printf -v char '%%%02X' "$code"; fi`, `then :; fi`, 'shim'],
    'url-left-as-it-came': ['"${url%"${url#*://}"}$authority$path${query:+?$query}"', '"$url"', 'shim'],
    'secret-of-bashmenot-not-found': [`secret=$BASHMENOT_AWS_SECRET_ACCESS_KEY`, `secret=`, 'shim'],
    'secret-of-halcyon-not-found': [`secret=$HALCYON_AWS_SECRET_ACCESS_KEY`, `secret=`, 'shim alone'],
    'long-secret-not-hashed': [`((\${#block} > 128))`, `((\${#block} > 1280))`, 'shim alone'],
    'never-signs': [`*authorization:*aws* ]]`, `*authorization:*aws4* ]]`, 'shim'],
    'signs-strangers-requests': [`[[ -n $secret ]]`, `secret=\${secret:-none}`, 'shim alone'],
    'dot-segments-kept': [`remove_dot_segments\n  encode`, `:\n  encode`, 'shim alone'],
  }),
  ...faultsOf('buildpack/bin/compile', {
    'source-hash-changed': [`ln -sfn ../.halcyon-sigv4/.ghc/profile.sh`, `cp "$buildpack/shim/profile.sh"`, 'guide'],
    'not-exported-to-builds': [`>"$buildpack/export"`, `>/dev/null`, 'guide'],
  }),
  ...faultsOf('buildpack/shim/profile.sh', {
    'not-on-path-of-dynos': [`export PATH="$HOME/.halcyon-sigv4/.ghc:$PATH"`, `:`, 'guide'],
  }),
];
