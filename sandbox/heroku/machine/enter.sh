#!/usr/bin/env bash
# Gives a command a root of its own: every top-level directory of the machine bound in, read-only; /app, /tmp and /var/tmp of
# the room's; and the extra binds it is told of. Run as process 1 of new user, mount and process namespaces (see machine.ts).
#
#   enter.sh ROOM CWD [SOURCE TARGET]... -- COMMAND [ARGUMENT]...
#
# Binds whose target is below /tmp or /app are made inside the room's own. Exits 125 when the room cannot be made.
set -u
wanted_path=${PATH-}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
room=$1 cwd=$2 root=$1/root
shift 2

make_room() {
  mount -t tmpfs -o mode=0755,size=16m room "$root" || return 1
  local entry
  for entry in /* /.[!.]*; do
    case $entry in /app | /tmp | /proc | '/.[!.]*') continue ;; esac
    if [[ -L $entry ]]; then
      cp -P "$entry" "$root$entry" || return 1
    elif [[ -d $entry ]]; then
      mkdir "$root$entry" && mount --rbind "$entry" "$root$entry" || return 1
      # As on Heroku, a build or dyno writes to /app and to temporary directories, not to the machine.
      case $entry in /dev | /sys | /run) ;; *) read_only "$root$entry" ;; esac
    fi
  done
  mkdir "$root/app" "$root/tmp" "$root/proc" || return 1
  mount --bind "$room/app" "$root/app" && mount --bind "$room/tmp" "$root/tmp" || return 1
  [[ ! -d $root/var/tmp ]] || mount --bind "$room/var-tmp" "$root/var/tmp" || return 1
  # A fresh /proc is refused where parts of the machine's own are masked; that one serves too, it only shows more.
  mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc" || return 1
}

# Flags that the machine has put on a mount must be named again, or the change is refused.
read_only() {
  local flags
  for flags in ro ro,nosuid,nodev ro,nosuid,nodev,noexec ro,nosuid,nodev,relatime; do
    mount -o "remount,bind,$flags" "$1" 2>/dev/null && return
  done
}

bind() {
  local target=$root$2
  if [[ -d $1 ]]; then
    [[ -d $target ]] || mkdir -p "$target" || return 1
  elif [[ ! -e $target ]]; then
    mkdir -p "$(dirname "$target")" && : >"$target" || return 1
  fi
  mount --bind "$1" "$target"
}

make_room || exit 125
while [[ $1 != -- ]]; do
  bind "$1" "$2" || exit 125
  shift 2
done
shift

# Process 1 gets no signal it does not ask for, so the command is a child: told to stop, everything in the room is.
trap 'kill -TERM -1' TERM
chroot=$(command -v chroot)
PATH=$wanted_path "$chroot" "$root" /bin/bash -c 'cd "$1" && unset OLDPWD && shift && exec "$@"' bash "$cwd" "$@" <&0 &
child=$!
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
exit "$status"
