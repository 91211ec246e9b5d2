# Halcyon's functions, under its names, for who sources them on a dyno: defaults, and what is done around an upload and a deletion.
stand_in=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
source "$stand_in/lib/halcyon/lib/bashmenot/src.sh"
source "$stand_in/lib/config.sh"
source "$stand_in/lib/storage.sh"

set_halcyon_vars() { apply_defaults; }

# upload_cached_file PREFIX NAME
upload_cached_file() {
  cache=$HALCYON_CACHE
  store_archive "$@"
}

# delete_private_stored_file PREFIX NAME
delete_private_stored_file() {
  ! on HALCYON_NO_UPLOAD && ! on HALCYON_NO_CLEAN_PRIVATE_STORAGE && has_private_storage || return 0
  s3_delete "$HALCYON_S3_BUCKET" "$1/$2" && return 0
  say_error 'Failed to delete private stored file'
  return 1
}
