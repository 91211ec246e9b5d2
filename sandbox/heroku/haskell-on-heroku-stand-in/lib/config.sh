# Config vars: which are taken from ENV_DIR, which are shown, and what holds where none is set.

# NAMEs a build never takes: they would turn the build itself upside down.
readonly REFUSED='BUILDPACK_INTERNAL_|BUILDPACK_URL|GIT_DIR|LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|PATH'
readonly REFUSED_OWN='^HALCYON_(INTERNAL_|DIR|BASE|PREFIX|ROOT|CACHE|URL)|^BASHMENOT_(INTERNAL_|DIR|URL)'
readonly MASKED='DATABASE|KEY|PASSPHRASE|PASSWORD|POSTGRESQL|PRIVATE|SECRET'

import_config_vars() {
  local name value url
  for name in BUILDPACK_URL HALCYON_URL BASHMENOT_URL; do
    [[ -f $1/$name ]] || continue
    url=$(<"$1/$name")
    say_indent_label "$name:" "${url/.git/}"
  done
  while IFS= read -r name; do
    [[ -n $name && ! $name =~ $REFUSED && ! $name =~ $REFUSED_OWN ]] || continue
    value=$(<"$1/$name")
    export "$name=$value"
    if [[ $name =~ $MASKED ]]; then
      say_indent_label "$name:" '(secret)'
    else
      say_indent_label "$name:" "$value"
    fi
  done < <(find "$1" -maxdepth 1 -type f -printf '%f\n' 2>/dev/null | sort)
}

# Public storage is asked only where builds are made for /app, which is always so here.
apply_defaults() {
  : "${HALCYON_S3_ENDPOINT:=s3.amazonaws.com}" "${HALCYON_S3_ACL:=private}"
  : "${HALCYON_PUBLIC_STORAGE_URL:=https://halcyon.global.ssl.fastly.net}"
  : "${HALCYON_GHC_VERSION:=7.8.4}" "${HALCYON_CABAL_VERSION:=1.20.0.3}"
  : "${HALCYON_CABAL_REMOTE_REPO:=hackage:http://hackage.haskell.org/packages/archive}"
  export BASHMENOT_S3_ENDPOINT=$HALCYON_S3_ENDPOINT
  export BASHMENOT_AWS_ACCESS_KEY_ID=${HALCYON_AWS_ACCESS_KEY_ID:-} BASHMENOT_AWS_SECRET_ACCESS_KEY=${HALCYON_AWS_SECRET_ACCESS_KEY:-}
}

on() { [[ ${!1:-0} != 0 ]]; }

private_key_given() {
  [[ -n ${HALCYON_AWS_ACCESS_KEY_ID:-} && -n ${HALCYON_AWS_SECRET_ACCESS_KEY:-} && -n ${HALCYON_S3_BUCKET:-} ]]
}
has_private_storage() { ! on HALCYON_NO_PRIVATE_STORAGE && private_key_given && [[ -n $HALCYON_S3_ENDPOINT && -n $HALCYON_S3_ACL ]]; }
has_public_storage() { ! on HALCYON_NO_PUBLIC_STORAGE && [[ -n $HALCYON_PUBLIC_STORAGE_URL ]]; }

storage_found() {
  if has_private_storage && has_public_storage; then
    echo 'private and public'
  elif has_private_storage; then
    echo private
  elif has_public_storage; then
    echo public
  else
    echo none
  fi
}

# linux-ubuntu-24.04-x86_64
platform() {
  local id version
  id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
  version=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d '"')
  echo "linux-$id${version:+-$version}-$(uname -m)"
}
