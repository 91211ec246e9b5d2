# Archives: kept in the cache directory ($cache), fetched from private and then public storage, and put into private storage.

# A redirect means that the bucket lives behind another endpoint.
wrong_endpoint() {
  (($1 == 3)) || return 1
  say_error "Incorrect HALCYON_S3_ENDPOINT for $HALCYON_S3_BUCKET: $HALCYON_S3_ENDPOINT"
  say_error "To use $HALCYON_S3_BUCKET, use the correct HALCYON_S3_ENDPOINT"
}

# store_archive PREFIX NAME
store_archive() {
  local status=0
  ! on HALCYON_NO_UPLOAD && has_private_storage || return 0
  s3_upload "$cache/$2" "$HALCYON_S3_BUCKET" "$1/$2" "$HALCYON_S3_ACL" || status=$?
  ((status)) || return 0
  say_error 'Failed to upload cached file'
  wrong_endpoint "$status" || :
  return 1
}

# fetch_archive PREFIX NAME: into the cache. What public storage has is put into private storage at once.
fetch_archive() {
  local status=0
  if has_private_storage; then
    s3_download "$HALCYON_S3_BUCKET" "$1/$2" "$cache/$2" || status=$?
    ((status)) || return 0
    ! wrong_endpoint "$status" || return 1
  fi
  has_public_storage || return 1
  say_begin "Downloading $HALCYON_PUBLIC_STORAGE_URL/$1/$2..."
  transfer 0 "$HALCYON_PUBLIC_STORAGE_URL/$1/$2" --output "$cache/$2" || return 1
  store_archive "$1" "$2"
}

# remove_superseded PREFIX START PATTERN NAME: delete what PATTERN matches, except NAME.
remove_superseded() {
  local old
  ! on HALCYON_NO_UPLOAD && ! on HALCYON_NO_CLEAN_PRIVATE_STORAGE && has_private_storage || return 0
  while IFS= read -r old; do
    old=${old#"$1/"}
    if [[ $old =~ ^$3$ && $old != "$4" ]]; then
      s3_delete "$HALCYON_S3_BUCKET" "$1/$old" || say_error 'Failed to delete private stored file'
    fi
  done < <(s3_list "$HALCYON_S3_BUCKET" "$1/$2" || say_error 'Failed to list private stored files')
}

size_of() { du -sh "$1" | cut -f 1 | sed 's/[KMG]$/&B/'; }

# pack DIRECTORY NAME
pack() {
  say_begin "Creating $2..."
  tar -czf "$cache/$2" -C "$1" .
  say_plain "done, $(size_of "$cache/$2")"
}

# unpack NAME DIRECTORY: from the cache, if it is there and carries the tag that matches $3.
unpack() {
  [[ -f $cache/$1 ]] || return 1
  say_begin "Extracting $1..."
  rm -rf "$2"
  mkdir -p "$2"
  if ! tar -xzf "$cache/$1" -C "$2" 2>/dev/null; then
    say_plain error
    return 1
  fi
  say_plain "done, $(size_of "$2")"
  grep -qxE "$3" "$2/.halcyon-tag"
}

# restore PREFIX NAME DIRECTORY TAG_PATTERN WHAT
restore_archive() {
  say "Restoring $5 directory"
  if unpack "$2" "$3" "$4"; then
    touch "$cache/$2"
    return 0
  fi
  rm -rf "$3"
  fetch_archive "$1" "$2" || return 1
  unpack "$2" "$3" "$4" && return 0
  rm -rf "$3"
  say_warning "Failed to restore $5 directory"
  return 1
}
