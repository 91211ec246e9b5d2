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

links=() dirs=("$root/app" "$root/tmp" "$root/proc") files=() table=()

# A build enters some six rooms, and here a process costs more than what it does: one mount(8) takes the whole table.
make_room() {
  mount -t tmpfs -o mode=0755,size=16m room "$root" || return 1
  local entry flags own
  local -A flags_of
  while read -r _ _ _ _ entry flags _; do flags_of[$entry]=$flags; done </proc/self/mountinfo
  for entry in /* /.[!.]*; do
    case $entry in /app | /tmp | /proc | '/.[!.]*') continue ;; esac
    if [[ -L $entry ]]; then
      links+=("$entry")
    elif [[ -d $entry ]]; then
      dirs+=("$root$entry")
      # As on Heroku, a build or dyno writes to /app and to temporary directories, not to the machine. Flags that the machine has put on a
      # mount must be named again, or the change is refused.
      own=${flags_of[$entry]-${flags_of[/]-rw}}
      case $entry in /dev | /sys | /run) row "$entry" "$entry" rbind ;; *) row "$entry" "$entry" "rbind,${own/#rw/ro}" ;; esac
    fi
  done
  row "$room/app" /app bind
  row "$room/tmp" /tmp bind
  [[ ! -d /var/tmp ]] || row "$room/var-tmp" /var/tmp bind
  while [[ $1 != -- ]]; do
    bind "$1" "$2"
    shift 2
  done
  mkdir -p "${dirs[@]}" || return 1
  [[ ${#links[@]} -eq 0 ]] || cp -P "${links[@]}" "$root/" || return 1
  for entry in "${files[@]}"; do [[ -e $entry ]] || : >"$entry" || return 1; done
  printf '%s\n' "${table[@]}" >"$room/fstab"
  mount --all --fstab "$room/fstab" || return 1
  # A fresh /proc is refused where parts of the machine's own are masked; that one serves too, it only shows more.
  mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc" || return 1
}

row() {
  table+=("${1// /\\040} ${root// /\\040}${2// /\\040} none $3 0 0")
}

bind() {
  local made=
  case $2 in
    /tmp/*) made=$room/tmp${2#/tmp} ;;
    /app/*) made=$room/app${2#/app} ;;
  esac
  if [[ -n $made && -d $1 ]]; then
    dirs+=("$made")
  elif [[ -n $made ]]; then
    dirs+=("${made%/*}")
    files+=("$made")
  fi
  row "$1" "$2" bind
}

make_room "$@" || exit 125
while [[ $1 != -- ]]; do shift 2; done
shift

# Process 1 gets no signal it does not ask for, so the command is a child: told to stop, everything in the room is.
trap 'kill -TERM -1' TERM
chroot "$root" /bin/bash -c 'PATH=$1 && cd "$2" && unset OLDPWD && shift 2 && exec "$@"' bash "$wanted_path" "$cwd" "$@" <&0 &
child=$!
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
exit "$status"
