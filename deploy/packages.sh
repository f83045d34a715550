#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The Debian packages that Sallyport needs, by purpose: the one list of them.
#
#   sudo deploy/packages.sh build          what building and running takes
#   sudo deploy/packages.sh build demo     and the quick start's phones and judges
#   sudo deploy/packages.sh build demo package   and what deploy/package.sh takes
#   sudo deploy/packages.sh build test     and everything that the tests run
#   deploy/packages.sh --list build test   only print them
set -eu

build="gcc libc6-dev meson ninja-build pkg-config
  libdpdk-dev libipsec-mb-dev libsofia-sip-ua-dev libcyaml-dev libyaml-dev libjansson-dev
  libsqlite3-dev libpq-dev libssl-dev libpcap-dev libmnl-dev libcap-ng-dev
  libmicrohttpd-dev libsystemd-dev"

demo="libsrtp2-dev baresip-core sox iproute2 ethtool tcpdump tshark openssl jq
  procps kmod"

package="debhelper dpkg-dev fakeroot pandoc"

test="$demo $package libcmocka-dev git clang libclang-rt-14-dev clang-format codespell shellcheck
  ffmpeg gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad sip-tester sipsak linphone-cli stunnel4 iputils-ping iputils-arping netcat-openbsd
  kamailio kamailio-tls-modules kamailio-sqlite-modules dnsmasq-base
  python3-minimal sqlite3 fail2ban libfaketime postgresql gdb binutils
  systemd lintian mmdebstrap curl prometheus chromium chromium-driver"

usage() {
  sed -n '3,10s/^# \{0,1\}//p' "$0"
  exit "$1"
}

list_only=no
wanted=""
for word in "$@"; do
  case $word in
    build) wanted="$wanted $build" ;;
    package) wanted="$wanted $package" ;;
    demo) wanted="$wanted $demo" ;;
    test) wanted="$wanted $test" ;;
    --list) list_only=yes ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
  esac
done
[ -n "$wanted" ] || usage 2 >&2

if [ "$list_only" = yes ]; then
  for package in $wanted; do echo "$package"; done | sort -u
  exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "packages.sh: this machine has no apt-get: Sallyport is built on Debian 12" >&2
  exit 1
fi

missing=""
for package in $wanted; do
  case " $missing " in *" $package "*) continue ;; esac
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "packages.sh: run it as root (sudo): these are missing:$missing" >&2
  exit 1
fi

# apt's own lines would scroll by the hundred: a count tells as much, and the log is kept for errors
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 $missing </dev/null >"$log" 2>&1 &
  apt=$!
  while kill -0 "$apt" 2>/dev/null; do
    sleep 2
    printf '\r  installing: %s of the packages set up ' "$(grep -c '^Setting up' "$log" || true)" >&2
  done
  printf '\n' >&2
  wait "$apt"
}
echo "packages.sh: installing$missing" >&2
if ! install; then
  echo "  the package lists may be old: refreshing them" >&2
  apt-get update -qq </dev/null >"$log" 2>&1 || true
  if ! install; then
    cat "$log" >&2
    echo "packages.sh: apt-get could not install all of them: the reason is above" >&2
    exit 1
  fi
fi
