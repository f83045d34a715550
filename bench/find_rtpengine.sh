# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by what measures rtpengine.

# find_rtpengine FOLDER: sets `rtpengine`, the command. If it is not installed, Debian's package and
# what it needs are unpacked into the folder: it takes no configuration and no service.
find_rtpengine() {
  local packages deb folder=$1
  # shellcheck disable=SC2034 # for who sources it
  rtpengine=(rtpengine)
  command -v rtpengine >/dev/null && return
  command -v apt-get >/dev/null || return 1
  echo "rtpengine: not installed: unpacking Debian's rtpengine-daemon into a temporary folder" >&2
  mkdir "$folder/deb" "$folder/root" && chmod 755 "$folder" "$folder/deb"
  packages=$(apt-get install -s --no-install-recommends rtpengine-daemon 2>/dev/null |
    awk '$1 == "Inst" { print $2 }')
  [ -n "$packages" ] || return 1
  # shellcheck disable=SC2086 # names without spaces
  (cd "$folder/deb" && timeout 60 apt-get download $packages >/dev/null 2>&1) || return 1
  for deb in "$folder"/deb/*.deb; do
    dpkg -x "$deb" "$folder/root" || return 1
  done
  # shellcheck disable=SC2034 # whoever sources this uses it
  rtpengine=(env "LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu)"
    "$folder/root/usr/bin/rtpengine")
}
