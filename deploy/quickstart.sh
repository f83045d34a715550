#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A real encrypted call through Sallyport, in one command: see usage below.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
BUILD=${SALLYPORT_BUILD:-$root/build}
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$here/lib.sh"

usage() {
  cat <<EOF
Usage: sudo deploy/quickstart.sh [--json FILE] [--seconds N] [--keep | --stop] [--help]

Installs what Sallyport needs (Debian 12 packages), builds it, and runs a real call: two baresip
phones in network namespaces of their own register over TLS with digest, call each other with SRTP,
each playing a tone, and hear each other through the relay, which re-encrypts every packet. Then it
tells what it measured, and takes everything down again.

  --json FILE   write what was measured as JSON, too
  --seconds N   how long the call lasts (default 5)
  --keep        leave the relay running, reachable from this machine, and print the settings for a
                phone of your own
  --stop        take down what --keep left
  --help        this text

Exit status: 0 if everything held that it says; 1 if not (each failure has its sentence); 2 usage.
EOF
}

json="" seconds=5 keep=no stop=no
while [ $# -gt 0 ]; do
  case $1 in
    --json) [ $# -gt 1 ] || { usage >&2; exit 2; }; json=$2; shift ;;
    --seconds) [ $# -gt 1 ] || { usage >&2; exit 2; }; seconds=$2; shift ;;
    --keep) keep=yes ;;
    --stop) stop=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "quickstart.sh: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
case $seconds in
  '' | *[!0-9]*) echo "quickstart.sh: --seconds wants a number" >&2; exit 2 ;;
esac
[ "$seconds" -ge 2 ] && [ "$seconds" -le 50 ] || { echo "quickstart.sh: --seconds: 2 to 50" >&2; exit 2; }
if [ "$(id -u)" -ne 0 ]; then
  echo "quickstart.sh: run it as root (sudo): it installs packages, makes network namespaces and opens DPDK devices" >&2
  exit 1
fi

KEEP_NOTE=/run/sallyport-quickstart
HOST_WIRE=sallyport-demo
HOST_NET=203.0.113

step() { echo "== $*"; }

# What --keep left is noted in a file, and ended by process id.
if [ "$stop" = yes ]; then
  [ -f "$KEEP_NOTE" ] || { echo "quickstart.sh: nothing was kept"; exit 0; }
  # shellcheck disable=SC1090 # written below
  . "$KEEP_NOTE"
  rm -f "$KEEP_NOTE"
  lab_pids=("$MEDIA_PID" "$SIP_PID")
  for pid in "$SIP_PID" "$MEDIA_PID"; do kill "$pid" 2>/dev/null; done
  for _ in $(seq 50); do kill -0 "$MEDIA_PID" 2>/dev/null || break; sleep 0.1; done
  ip link del "$HOST_WIRE" 2>/dev/null
  lab_pids=()
  lab_down
  echo "taken down"
  exit 0
fi
if [ "$keep" = yes ] && [ -f "$KEEP_NOTE" ]; then
  echo "quickstart.sh: a relay is kept already: deploy/quickstart.sh --stop takes it down" >&2
  exit 1
fi

trap 'lab_down' EXIT
trap 'exit 1' INT TERM HUP

step "packages"
"$here/packages.sh" build demo || exit 1

step "build"
build() {
  [ -f "$BUILD/build.ninja" ] ||
    meson setup "$BUILD" "$root" --buildtype=release -Dtests=false -Dtools=true >"$BUILD.log" 2>&1 || return 1
  # a terminal sees ninja count; a file gets a line now and then
  if [ -t 1 ]; then
    ninja -C "$BUILD"
  else
    ninja -C "$BUILD" 2>&1 | tee -a "$BUILD.log" | awk 'NR % 20 == 0 { print "   " $1, $2; fflush() }'
    return "${PIPESTATUS[0]}"
  fi
}
# two at once must not build into one folder at once
exec 9>"$root/.quickstart.lock"
flock 9
if ! build; then
  tail -30 "$BUILD.log" >&2
  fail "quickstart.sh: the build failed: its last lines are above"
fi
flock -u 9
rm -f "$BUILD.log"

step "demonstration CA, users, namespaces"
if [ "$keep" = yes ] && ip -o -4 addr show | grep -q " $HOST_NET\\."; then
  fail "quickstart.sh: this machine uses $HOST_NET.0/24 itself, which --keep would put between it and the relay"
fi
lab_up
if [ "$keep" = yes ]; then
  # a third interface, for phones on this machine; the phones in namespaces reach its address, too
  LAB_SIP=$HOST_NET.1
  ip -n "$NS_R" link add vh type veth peer name "$HOST_WIRE" netns $$ ||
    fail "quickstart.sh: there is an interface $HOST_WIRE already"
  ip netns exec "$NS_R" sysctl -qw net.ipv6.conf.vh.disable_ipv6=1
  ip -n "$NS_R" link set vh up
  ethtool -K "$HOST_WIRE" tx off tso off gso off >/dev/null 2>&1
  ip addr add "$HOST_NET.2/24" dev "$HOST_WIRE"
  ip link set "$HOST_WIRE" up
  LAB_MORE_INTERFACES="    - name: host
      device: net_af_xdp2,iface=vh
      address: $HOST_NET.1/24"
fi
lab_ca
lab_config "memory: auto"
alice_password=$(openssl rand -hex 12) bob_password=$(openssl rand -hex 12)
lab_user alice "$alice_password"
lab_user bob "$bob_password"

step "sallyport-media and sallyport-sip"
lab_media
lab_sip
grep -h "warning" "$lab_dir/media.log" | sed 's/^[^ ]* /   /'

step "two phones: registering"
phone_config alice "$alice_password" "$LAB_A" 440
phone_config bob "$bob_password" "$LAB_B" 1000
for side in "alice $NS_A" "bob $NS_B"; do
  set -- $side
  ip netns exec "$2" tcpdump -i eth0 -U -w "$lab_dir/$1/wire.pcap" >/dev/null 2>"$lab_dir/$1/tcpdump.log" &
  lab_pids+=("$!")
  wait_for 10 in_log "$lab_dir/$1/tcpdump.log" "listening on" || fail "quickstart.sh: tcpdump does not start"
done
# the phones verify the server; this says it in so many words
ip netns exec "$NS_A" timeout 10 openssl s_client -connect "$LAB_SIP:5061" -CAfile "$lab_dir/tls/ca.pem" \
  -verify_return_error -verify_ip "$LAB_SIP" </dev/null >"$lab_dir/verify.log" 2>&1
phone_start bob "$NS_B"
wait_for 15 phone_registered bob || {
  cat "$lab_dir/sip.log" >&2
  fail "quickstart.sh: bob's phone did not register: what sallyport-sip said is above"
}

step "a call of $seconds seconds: alice (440 Hz) to bob (1000 Hz)"
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t $((seconds + 2))
ALICE_PID=$PHONE_PID
has_session() { [ "$(ctl --json sessions | jq length)" -gt 0 ]; }
wait_for 10 has_session || {
  cat "$lab_dir/sip.log" >&2
  fail "quickstart.sh: there is no call: what sallyport-sip said is above"
}
id=$(ctl --json sessions | jq -r '.[0].id')
while ctl --json sessions "$id" >"$lab_dir/session.new" 2>/dev/null; do
  mv "$lab_dir/session.new" "$lab_dir/session.json"
  sleep 0.2
done
wait "$ALICE_PID"
ctl --json stats >"$lab_dir/stats.json"
ctl --json status >"$lab_dir/status.json"
sleep 0.5 # the captures' last packets

step "what was measured"
"$here/measure.sh" "$BUILD" "$lab_dir" "$seconds" >"$lab_dir/result.json" ||
  fail "quickstart.sh: the measurement could not be made"
"$here/report.sh" "$lab_dir/result.json"
good=$?
[ -z "$json" ] || cp "$lab_dir/result.json" "$json"

if [ "$keep" = yes ] && [ "$good" -eq 0 ]; then
  cat >"$KEEP_NOTE" <<EOF
MEDIA_PID=$MEDIA_PID
SIP_PID=$SIP_PID
NS_R=$NS_R
NS_A=$NS_A
NS_B=$NS_B
lab_dir=$lab_dir
EOF
  # the phones and captures end, the relay stays
  for pid in "${lab_pids[@]}"; do
    [ "$pid" = "$MEDIA_PID" ] || [ "$pid" = "$SIP_PID" ] || kill "$pid" 2>/dev/null
  done
  lab_pids=()
  trap - EXIT
  cat <<EOF

The relay is left running. A phone on this machine reaches it with these settings:

  server, outbound proxy   $LAB_SIP port 5061, TLS (CA: $lab_dir/tls/ca.pem)
  domain, realm            $LAB_DOMAIN
  account                  alice, password $alice_password
  another account          bob, password $bob_password
  media encryption         SRTP with SDES, mandatory

  as a baresip account     <sip:alice@$LAB_DOMAIN;transport=tls>;auth_user=alice;auth_pass=$alice_password;outbound="sip:$LAB_SIP:5061;transport=tls";mediaenc=srtp-mand

Look inside:    sudo $BUILD/relay/sallyctl --socket $lab_dir/run/relay.sock status
Take it down:   sudo deploy/quickstart.sh --stop
EOF
fi
exit "$good"
