# What is said in the log, and the four storage requests: s3_download, s3_list, s3_upload, s3_delete. Needs
# BASHMENOT_S3_ENDPOINT (default s3.amazonaws.com), BASHMENOT_AWS_ACCESS_KEY_ID and BASHMENOT_AWS_SECRET_ACCESS_KEY.
# Each returns 0, or the first digit of the HTTP status (3, 4, 5), or 1 when there was no answer.

say_plain() { printf '%s\n' "$*" >&2; }
say() { say_plain "-----> $*"; }
say_indent() { say_plain "       $*"; }
say_error() { say_plain $'\e[1m'"   *** ERROR: $*"$'\e[0m'; }
say_warning() { say_plain $'\e[1m'"   *** WARNING: $*"$'\e[0m'; }
say_label() { say "$(printf '%-41s \e[1m%s\e[0m' "$1" "$2")"; }
say_indent_label() { say_indent "$(printf '%-41s \e[1m%s\e[0m' "$1" "$2")"; }
say_begin() { printf '       %s ' "$*" >&2; }
advise() {
  local line
  for line in "$@"; do
    if [[ -n $line ]]; then say_indent "$line"; else say_plain ''; fi
  done
}

describe_status() {
  case $1 in
  200) echo done ;;
  201) echo '201 (created)' ;;
  204) echo '204 (no content)' ;;
  301) echo '301 (moved permanently)' ;;
  302) echo '302 (found)' ;;
  304) echo '304 (not modified)' ;;
  307) echo '307 (temporary redirect)' ;;
  400) echo '400 (bad request)' ;;
  401) echo '401 (unauthorized)' ;;
  403) echo '403 (forbidden)' ;;
  404) echo '404 (not found)' ;;
  405) echo '405 (method not allowed)' ;;
  409) echo '409 (conflict)' ;;
  411) echo '411 (length required)' ;;
  412) echo '412 (precondition failed)' ;;
  413) echo '413 (request entity too large)' ;;
  429) echo '429 (too many requests)' ;;
  500) echo '500 (internal server error)' ;;
  501) echo '501 (not implemented)' ;;
  502) echo '502 (bad gateway)' ;;
  503) echo '503 (service unavailable)' ;;
  504) echo '504 (gateway timeout)' ;;
  *) echo "$1 (unknown)" ;;
  esac
}

# transfer RETRY_REFUSALS URL [CURL_OPTION]...: up to five tries, with pauses of 2, 4, 8 and 16 seconds. A refusal (4xx) is
# final unless RETRY_REFUSALS is 1.
transfer() {
  local retry_refusals=$1 url=$2 tries=${BASHMENOT_CURL_RETRIES:-5} try=0 code pause
  shift 2
  while :; do
    code=$(curl "$url" --fail --location --silent --show-error --write-out '%{http_code}' "$@" 2>/dev/null) || :
    say_plain "$(describe_status "$code")"
    case $code in
    2*) return 0 ;;
    4*) ((retry_refusals)) || return 4 ;;
    esac
    try=$((try + 1))
    ((try < tries)) || break
    pause=$((2 ** try))
    say_begin "Retrying in $pause seconds ($try/$tries)..."
    sleep "$pause"
  done
  case $code in
  [345]*) return "${code:0:1}" ;;
  *) return 1 ;;
  esac
}

# hmac_sha1 KEY TEXT: base64 of HMAC-SHA1 (RFC 2104) for a key of 64 ASCII characters at most. openssl's own -hmac would show the key in argv.
hmac_sha1() {
  local LC_ALL=C key=$1 i code inside='' outside='' inner
  for ((i = 0; i < 64; i++)); do
    code=0
    ((i >= ${#key})) || printf -v code '%d' "'${key:i:1}"
    printf -v inside '%s\\x%02x' "$inside" $((code ^ 0x36))
    printf -v outside '%s\\x%02x' "$outside" $((code ^ 0x5c))
  done
  inner=$({ printf '%b' "$inside"; printf '%s' "$2"; } | openssl sha1 -r)
  inner=${inner:0:40}
  { printf '%b' "$outside"; printf '%b' "$(sed 's/../\\x&/g' <<<"$inner")"; } | openssl sha1 -binary | openssl base64
}

# s3_request RETRY_REFUSALS METHOD RESOURCE QUERY MD5 ACL [CURL_OPTION]...: signed with version 2.
s3_request() {
  local retry_refusals=$1 method=$2 resource=$3 query=$4 md5=$5 acl=$6 endpoint=${BASHMENOT_S3_ENDPOINT:-s3.amazonaws.com} date text signature
  shift 6
  date=$(LC_ALL=C date -u -R)
  text=$(printf '%s\n%s\n\n%s\n%s%s' "$method" "$md5" "$date" "${acl:+x-amz-acl:$acl$'\n'}" "$resource")
  signature=$(hmac_sha1 "$BASHMENOT_AWS_SECRET_ACCESS_KEY" "$text")
  transfer "$retry_refusals" "https://$endpoint$resource$query" \
    --header "Host: $endpoint" \
    --header "Date: $date" \
    --header "Authorization: AWS $BASHMENOT_AWS_ACCESS_KEY_ID:$signature" \
    "$@"
}

# s3_download BUCKET KEY FILE
s3_download() {
  local resource=/$1/$2
  say_begin "Downloading s3:/$resource..."
  mkdir -p "$(dirname "$3")"
  s3_request 0 GET "$resource" '' '' '' --output "$3"
}

# s3_upload FILE BUCKET KEY ACL
s3_upload() {
  local resource=/$2/$3 md5
  md5=$(openssl md5 -binary <"$1" | openssl base64)
  say_begin "Uploading s3:/$resource..."
  s3_request 1 PUT "$resource" '' "$md5" "$4" --output /dev/null --header "Content-MD5: $md5" --header "x-amz-acl: $4" --upload-file "$1"
}

# s3_delete BUCKET KEY
s3_delete() {
  local resource=/$1/$2
  say_begin "Deleting s3:/$resource..."
  s3_request 0 DELETE "$resource" '' '' '' --output /dev/null --request DELETE
}

# s3_list BUCKET[/PREFIX] PREFIX: keys below both prefixes, without the bucket's own.
s3_list() {
  local bucket=${1%%/*} own='' prefix=$2 listing status=0
  [[ $1 != */* ]] || own=${1#*/}
  [[ -z $own ]] || prefix=$own${2:+/$2}
  listing=$(mktemp /tmp/listing.XXXXXX)
  say_begin "Listing s3://$bucket/${prefix:+?prefix=$prefix}..."
  s3_request 0 GET "/$bucket/" "${prefix:+?prefix=$prefix}" '' '' --output "$listing" || status=$?
  tr '<' '\n' <"$listing" | sed -n 's/^Key>//p' | sed "s:^$own/::"
  rm -f "$listing"
  return "$status"
}
