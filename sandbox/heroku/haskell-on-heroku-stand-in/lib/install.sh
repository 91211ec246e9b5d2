# Installing a package: from a finished archive, else by building it with a GHC from storage, else by making that too.
#
# There is no GHC here. "GHC" is an archive of the right name that says so, and "compiling" installs the file that
# `main-is` names, which has to be a script (first line #!). Everything around that is done as for a real one.

# The one value of a field of the package description, whose name may be capitalised.
package_field() {
  local file found
  file=$(find "$1" -maxdepth 1 -type f -name '*.cabal')
  [[ -n $file && $file != *$'\n'* ]] || return 1
  found=$(tr -d '\r' <"$file" | awk -v field="$2:" '$1 == field || $1 == toupper(substr(field, 1, 1)) substr(field, 2) { print $2 }')
  [[ -n $found && $found != *$'\n'* ]] || return 1
  echo "$found"
}
package_label() {
  local name version
  name=$(package_field "$1" name) && version=$(package_field "$1" version) && echo "$name-$version"
}
package_executable() {
  local first
  first=$(cat "$1"/*.cabal | tr -d '\r' | awk 'tolower($1) == "executable" { print $2; exit }')
  [[ -n $first ]] && echo "$first"
}

digest() { openssl sha1 | sed 's/^.* //'; }

source_hash() (
  cd "$1"
  ignored=(.gitmodules .ghc .cabal .cabal-sandbox cabal.sandbox.config)
  [[ ! -f .halcyon/extra-source-hash-ignore ]] || mapfile -t -O "${#ignored[@]}" ignored <.halcyon/extra-source-hash-ignore
  names=(-name .git)
  for name in "${ignored[@]}"; do names+=(-o -name "$name"); done
  find . \( "${names[@]}" \) -prune -o -type f -exec openssl sha1 '{}' ';' | sort -V | digest
)

# `base ==4.7.0.2, text ==1.1` becomes a line each: `base 4.7.0.2`
constraints() {
  tr -d '\r' <"$1/cabal.config" | awk 'tolower($1) ~ /^constraints:/ { on = 1 } on' | sed 's/[Cc]onstraints://; s/,//g; s/==/ /; s/  */ /g; s/^ //; s/ $//; /^$/d' | sort -V
}

# tag LABEL HASH GHC CABAL, all fields being patterns where the tag is to be matched
tag() { printf '1\t%s\t/app\t/app\t%s\t%s\t\t\t%s\t%s\t%s\t%s\t\t\t' "$(platform)" "$@"; }
ghc_tag() { printf '1\t%s\t/app\t\t\t\t\t\t%s\t\t\t\t\t\t' "$(platform)" "$HALCYON_GHC_VERSION"; }
quoted() { sed 's/[.]/\\./g' <<<"$1"; }

describe_package() {
  say_indent_label 'Label:' "$label"
  say_indent_label 'Prefix:' /app
  say_indent_label 'Source hash:' "${hash:0:7}"
  [[ -z $1 ]] || say_indent_label 'Constraints hash:' "${1:0:7}"
  describe_tools "${1:+full}"
}
describe_tools() {
  say_indent_label 'External storage:' "$(storage_found)"
  say_indent_label 'GHC version:' "$HALCYON_GHC_VERSION"
  if [[ -n $1 ]]; then
    say_indent_label 'Cabal version:' "$HALCYON_CABAL_VERSION"
    say_indent_label 'Cabal remote-repo:' "$HALCYON_CABAL_REMOTE_REPO"
  fi
  say_plain ''
}

restore_install() {
  restore_archive "$(platform)/ghc-$HALCYON_GHC_VERSION" "$archive" "$1" \
    "$(tag "$(quoted "$label")" "$hash" "$(quoted "$HALCYON_GHC_VERSION")" '.*' '.*' '.*')" install
}

place() {
  say 'Installing app to /app'
  mkdir -p "$2/app"
  cp -R "$1/app/." "$2/app"
  say "Installed $label"
}

# Returns 2 where it has to be made and may not be.
install_ghc() {
  local name="halcyon-ghc-$HALCYON_GHC_VERSION.tar.gz" dir
  dir=$(mktemp -du /tmp/ghc.XXXXXX)
  restore_archive "$(platform)" "$name" "$dir" "$(ghc_tag)" GHC && return 0
  if on HALCYON_NO_BUILD || on HALCYON_NO_BUILD_DEPENDENCIES; then
    say_error 'Cannot build GHC directory'
    return 2
  fi
  say 'Building GHC directory'
  mkdir -p "$dir"
  echo 'No compiler: what stands for haskell-on-heroku installs scripts.' >"$dir/README"
  ghc_tag >"$dir/.halcyon-tag"
  echo >>"$dir/.halcyon-tag"
  say 'Archiving GHC directory'
  pack "$dir" "$name" && store_archive "$(platform)" "$name"
}

# build_package SOURCE INSTALL_DIR
build_package() {
  local main name dir
  say 'Building app'
  main=$(package_field "$1" main-is) || main=
  dir=$(awk 'tolower($1) == "hs-source-dirs:" { print $2 }' "$1"/*.cabal | head -n 1)
  main=$1/${dir:+$dir/}$main
  if [[ ! -f $main || $(head -c 2 "$main") != '#!' ]]; then
    say_error 'No GHC here: main-is must name a script that begins with #!'
    say_error 'Failed to build app'
    return 1
  fi
  say "App built, $(size_of "$1")"
  name=$(package_executable "$1")
  mkdir -p "$2/app/bin" "$2/app/.halcyon/$label"
  install -m 755 "$main" "$2/app/bin/$name"
  echo "$name" >"$2/app/.halcyon/$label/executable"
  echo "/app/share/$label" >"$2/app/.halcyon/$label/data-dir"
}

archive_install() {
  local prefix
  prefix="$(platform)/ghc-$HALCYON_GHC_VERSION"
  tag "$label" "$hash" "$HALCYON_GHC_VERSION" '' "$HALCYON_CABAL_VERSION" '' >"$1/.halcyon-tag"
  echo >>"$1/.halcyon-tag"
  say "Install directory prepared, $(size_of "$1")"
  say 'Archiving install directory'
  pack "$1" "$archive" && store_archive "$prefix" "$archive" || return 1
  remove_superseded "$prefix" halcyon-install- "halcyon-install-.*-$(quoted "$label")\\.tar\\.gz" "$archive"
}

# install_package SOURCE ROOT CACHE: into ROOT/app. Returns 2 where something has to be built that may not be.
install_package() {
  local source=$1 root=$2 before list install status=0
  cache=$3
  label=$(package_label "$source") || return 1
  if on HALCYON_PURGE_CACHE; then
    say 'Purging cache'
    say_plain ''
    rm -rf "$cache"
  fi
  mkdir -p "$cache"
  before=$(ls "$cache" | sort -V)
  if [[ -n $before ]]; then
    say 'Examining cache contents'
    sed 's/^/       /' <<<"$before" >&2
    say_plain ''
  fi
  say "Installing $label"
  if [[ ! -f $source/cabal.config ]]; then
    say 'Installing GHC and Cabal'
    describe_tools full
    install_ghc || return
    say_error 'No GHC here: constraints cannot be determined, so a cabal.config is needed'
    return 1
  fi
  hash=$(source_hash "$source")
  archive="halcyon-install-${hash:0:7}-$label.tar.gz"
  install=$(mktemp -du /tmp/install.XXXXXX)
  describe_package ''
  if ! restore_install "$install"; then
    say_plain ''
    say 'Determining constraints'
    list=$(constraints "$source")
    describe_package "$(digest <<<"$list")"
    install_ghc || return
    build_package "$source" "$install.built" || return 1
    say_plain ''
    # Someone else may have built it meanwhile.
    if ! restore_install "$install"; then
      mv "$install.built" "$install"
      say 'Preparing install directory'
      archive_install "$install" || return 1
    fi
  fi
  place "$install" "$root"
  list=$(ls "$cache" | sort -V | grep -vxF -e "${before:-/}" | sed 's/^/       + /') || :
  if [[ -n $list ]]; then
    say_plain ''
    say 'Examining cache changes'
    say_plain "$list"
  fi
}

# install_from_dyno BUILDPACK: the source that was deployed, with its dependencies. Sets label.
install_from_dyno() {
  local source
  apply_defaults
  source=$(mktemp -d /tmp/source.XXXXXX)
  tar -xzf "$1/source.tar.gz" -C "$source" || return 1
  install_package "$source" "" "${HALCYON_CACHE:-/var/tmp/halcyon-cache}"
}
