#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The SIP lab: registrations and whole calls a second, by SIPp behind stunnel, of Sallyport and of
# Kamailio with rtpengine, one after the other on the same core; see usage below.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# shellcheck source=find_rtpengine.sh
. "$here/find_rtpengine.sh"

usage() {
  cat <<END
Usage: sudo bench/sip.sh [--quick] [--part NAME]... [--json FILE]

Measures what signalling costs: SIPp (behind stunnel, for it has no TLS) registers users and makes calls,
each with digest, SDES keys and a media session at the relay, from INVITE to BYE. Sallyport, and
Kamailio with rtpengine, are measured in turn on one core; SIPp and stunnel have the other.

  --quick       one round in place of three, 10,000 users in place of 100,000, 30 s in place of 5 min
  --part NAME   only this; may be given again for another:
                  search    the most registrations and calls a second without a failure
                  users     100,000 users registered, 2,000 calls up: memory of each
                  soak      80 % of the most calls for 5 minutes: none may fail
                  overload  three times the most calls are offered: how many are completed?
                those after search need its figures: in the same run, or in FILE
  --what NAME   search for this alone: registrations, or calls
  --json FILE   the figures, for programs; parts after search are added to what is in it
  --rounds N    of the search
  --more        the search's rounds are added to those in FILE: a long run in pieces
  --build DIR   where Sallyport has been built (default: build-bench; make it with
                meson setup build-bench --buildtype=release && ninja -C build-bench)
  --cores G,S   cores of SIPp and stunnel, and of what is measured (default: the first two)
  --alone       Sallyport alone
  --brief       a few calls at a low rate: whether all this works, not how fast it is

Progress goes to stderr, the table to stdout. Nothing else should run meanwhile. Two network namespaces
are made for it, and taken away however it ends. How to read the figures: docs/lab.md.

Exit status: 0 measured, 1 something failed, 2 wrong use.
END
}

misused() {
  echo "sip.sh: $*: see bench/sip.sh --help" >&2
  exit 2
}
fail() {
  echo "sip.sh: $*" >&2
  exit 1
}

parts="" options=() rtpengine=() build=$root/build-bench alone=no
read -r -a cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
cores=${cpus[0]},${cpus[1]:-}
while [ $# -gt 0 ]; do
  case $1 in
    --part | --what | --json | --build | --cores | --rounds)
      [ $# -gt 1 ] && [ -n "$2" ] || misused "$1 takes a value"
      case $1 in
        --part)
          case $2 in
            search | users | soak | overload) parts="$parts $2" ;;
            *) misused "there is no part \"$2\"" ;;
          esac
          ;;
        --what)
          case $2 in
            registrations) options+=(--what register) ;;
            calls) options+=(--what caller) ;;
            *) misused "nothing is called \"$2\": registrations, or calls" ;;
          esac
          ;;
        --json) options+=(--json "$(realpath "$2")") ;;
        --build) build=$2 ;;
        --cores) cores=$2 ;;
        --rounds) options+=(--rounds "$2") ;;
      esac
      shift
      ;;
    --quick | --brief | --more) options+=("$1") ;;
    --alone) alone=yes ;;
    -h | --help) usage; exit 0 ;;
    *) misused "what is \"$1\"?" ;;
  esac
  shift
done
[[ $cores =~ ^[0-9]+,[0-9]+$ ]] || misused "two cores are needed, as --cores 0,1"
[ "$(id -u)" -eq 0 ] || fail "run it as root (sudo): it makes network namespaces and opens a DPDK port"
for program in control/sallyport-sip dataplane/sallyport-media relay/sallyctl control/sallyctl-sip; do
  [ -x "$build/$program" ] || fail "$build/$program isn't there: ninja -C $build"
done
for program in sipp stunnel taskset openssl; do
  command -v "$program" >/dev/null || fail "$program is missing: sudo deploy/packages.sh build test"
done
build=$(cd "$build" && pwd)

dir=$(mktemp -d "${TMPDIR:-/tmp}/sallyport.XXXXXX")
name=sp-sip-$(basename "$dir" | tr -dc 'a-zA-Z0-9' | tail -c 6)-$$
lab=""
finish() {
  local status=$?
  trap '' INT TERM HUP
  if [ -n "$lab" ]; then
    kill "$lab" 2>/dev/null
    wait "$lab" 2>/dev/null
  fi
  ip netns del "$name" 2>/dev/null
  ip netns del "$name-far" 2>/dev/null
  rm -rf "$dir"
  exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

if [ "$alone" = no ]; then
  command -v kamailio >/dev/null || fail "kamailio is missing: deploy/packages.sh build test, or --alone"
  find_rtpengine "$dir" || fail "Debian's rtpengine-daemon is not to be had: install it, or --alone"
  options+=(--rtpengine "${rtpengine[*]}")
fi

# signalling goes over loopback; the relay's port is one end of a veth pair, whose other end has the
# addresses that the phones' descriptions name
ip netns add "$name" && ip netns add "$name-far" &&
  ip -n "$name" link set lo up &&
  ip -n "$name" link add lab type veth peer name eth0 netns "$name-far" &&
  ip netns exec "$name" sysctl -qw net.ipv6.conf.lab.disable_ipv6=1 &&
  ip -n "$name" link set lab up &&
  ip -n "$name-far" addr add 192.0.2.10/24 dev eth0 &&
  ip -n "$name-far" addr add 192.0.2.11/24 dev eth0 &&
  ip -n "$name-far" link set eth0 up || fail "the network namespaces could not be made"
ulimit -n "$(ulimit -Hn)"
PYTHONDONTWRITEBYTECODE=1 ip netns exec "$name" python3 "$here/sip/lab.py" --folder "$dir" \
  --build "$build" --cores "$cores" --parts "${parts:-search users soak overload}" "${options[@]}" &
lab=$!
wait "$lab"
status=$?
lab=""
exit "$status"
