#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The systemd units: systemd knows each of their settings, they wait for the daemon's own word and
# watch it, and they leave a daemon no more rights than it needs, by systemd's own judgement.
#
# usage: units_test.sh BUILD-FOLDER
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:?the build folder}" && pwd) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../_check.sh
. "$(dirname "$0")/../_check.sh"

# its settings and its dependencies, with the programs that have just been built
understood() { # NAME
  sed -E "s#/usr/s?bin/sallyctl#$build/relay/sallyctl#; s#/usr/sbin/#$work/#" \
    "$root/deploy/systemd/$1.service" >"$work/$1.service"
  systemd-analyze verify --man=no "$work/$1.service" >"$work/said" 2>&1 && ! grep -q "$1" "$work/said" && return 0
  sed 's/^/  systemd says: /' "$work/said"
  return 1
}

exposed_at_most() { # NAME TENTHS
  systemd-analyze security --offline=yes --threshold="$2" --no-pager "$root/deploy/systemd/$1.service" \
    >"$work/said" 2>&1 && return 0
  grep -E '^✗|Overall' "$work/said"
  return 1
}

has() { grep -qE "^$2$" "$root/deploy/systemd/$1.service"; } # NAME LINE

find "$build" -maxdepth 2 -type f -name 'sallyport-*' -perm -u+x -exec ln -s {} "$work/" \;
# tenths of all that a unit could leave open
limits="sallyport-media:38 sallyport-sip:15 sallyport-web:15"
for limit in $limits; do
  unit=${limit%:*}
  check "$unit: systemd understands its unit" understood "$unit"
  check "$unit: its exposure is at most ${limit#*:} tenths" exposed_at_most "$unit" "${limit#*:}"
  check "$unit: it says itself when it is ready" has "$unit" Type=notify
  check "$unit: it is watched" has "$unit" 'WatchdogSec=[0-9]+s'
  check "$unit: it is started again" has "$unit" Restart=on-failure
done
check "each unit has its limit here" [ "$(find "$root/deploy/systemd" -name '*.service' | wc -l)" = "$(wc -w <<<"$limits")" ]
check "sallyport-sip is not root" has sallyport-sip User=sallyport-sip
check "sallyport-sip has no capability" has sallyport-sip CapabilityBoundingSet=
exit "$bad"
