# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by each integration test: `. _init.sh`, with the build folder as the test's first argument.
# The relay and the phones live in namespaces of their own (deploy/lib.sh), which are taken down
# however the test ends.
set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "${1:?the build folder}" && pwd) || exit 1
# shellcheck source=../../deploy/lib.sh
. "$ROOT/deploy/lib.sh"
bad=0

finish() {
  local status=$?
  [ "$status" -eq 0 ] || bad=1
  if [ "$bad" -ne 0 ] && [ -n "$lab_dir" ]; then
    for log in "$lab_dir"/sip.log "$lab_dir"/media.log; do
      [ -f "$log" ] && echo "--- ${log##*/}" && tail -25 "$log"
    done
  fi
  lab_down
  exit "$bad"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# check SENTENCE COMMAND...: notes whether it holds, and goes on
check() {
  local sentence=$1
  shift
  if "$@"; then
    echo "ok: $sentence"
  else
    echo "NOT OK: $sentence"
    bad=1
  fi
}

# eventually SECONDS COMMAND...: the same as wait_for, for use in check
eventually() { wait_for "$@"; }

sessions() { ctl --json sessions | jq length; }
no_session() { [ "$(sessions)" = 0 ]; }
one_session() { [ "$(sessions)" = 1 ]; }
said_sip() { in_log "$lab_dir/sip.log" "$1"; }
phone_said() { in_log "$lab_dir/$1/log" "$2"; } # NAME PATTERN

# phone_stop PID: as a person would, with goodbye; waits until it has gone
phone_stop() {
  kill -INT "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

# tone_is NAME HZ: what this phone heard is that tone
tone_is() {
  local file
  file=$(heard "$1")
  [ -n "$file" ] && "$BUILD/deploy/tools/tone_meter" "$file" |
    jq -e --argjson hz "$2" '(.tone_hz // 0) > $hz - 5 and (.tone_hz // 0) < $hz + 5 and .purity > 0.8' >/dev/null
}

# capture NAME NAMESPACE: everything on this phone's wire, into its folder; sets CAPTURE_PID
capture() {
  ip netns exec "$2" tcpdump -i eth0 -U -w "$lab_dir/$1/wire.pcap" >/dev/null 2>"$lab_dir/$1/tcpdump.log" &
  CAPTURE_PID=$!
  lab_pids+=("$CAPTURE_PID")
  wait_for 10 in_log "$lab_dir/$1/tcpdump.log" "listening on"
}

# lost NAME PORT: how many RTP packets from the relay's port are missing in this phone's capture, by
# their sequence numbers, and how many came: "LOST CAME"
lost() {
  tshark -r "$lab_dir/$1/wire.pcap" -d "udp.port==$2,rtp" -Y "rtp && udp.srcport==$2" -T fields -e rtp.seq 2>/dev/null |
    awk 'NR > 1 { step = ($1 - last + 65536) % 65536; if (step > 1 && step < 30000) lost += step - 1 }
      { last = $1 } END { print lost + 0, NR }'
}
