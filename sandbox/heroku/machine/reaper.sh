#!/usr/bin/env bash
# Outlives its parent by a moment: when the parent's end of stdin closes, however it died, every process group it named
# and has not taken back is killed, and the directory is removed.
#
#   reaper.sh DIRECTORY        stdin: lines `+ GROUP` and `- GROUP`
groups=()
while read -r sign group; do
  case $sign in
  +) groups[group]=$group ;;
  -) unset "groups[group]" ;;
  esac
done
for group in ${groups[@]+"${groups[@]}"}; do
  kill -KILL -- "-$group" 2>/dev/null
done
# What was just killed may still be letting go of its files.
for _ in 1 2 3 4 5; do
  rm -rf -- "$1" 2>/dev/null && exit 0
  sleep 0.2
done
