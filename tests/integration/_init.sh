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
# shellcheck source=../_check.sh
. "$ROOT/tests/_check.sh"

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
  [ -n "$file" ] && is_tone "$file" "$2"
}
is_tone() { # FILE HZ
  "$BUILD/deploy/tools/tone_meter" "$1" |
    jq -e --argjson hz "$2" '(.tone_hz // 0) > $hz - 5 and (.tone_hz // 0) < $hz + 5 and .purity > 0.8' >/dev/null
}

# capture NAME NAMESPACE: everything on this phone's wire, into its folder; sets CAPTURE_PID
capture() {
  ip netns exec "$2" tcpdump -i eth0 -U -w "$lab_dir/$1/wire.pcap" >/dev/null 2>"$lab_dir/$1/tcpdump.log" &
  CAPTURE_PID=$!
  lab_pids+=("$CAPTURE_PID")
  wait_for 10 in_log "$lab_dir/$1/tcpdump.log" "listening on"
}

# names_known: the server's name, and this machine's, as the phones' namespaces see them; and no DNS
names_known() {
  local ns
  trap 'rm -rf "/etc/netns/$NS_A" "/etc/netns/$NS_B"; finish' EXIT
  for ns in "$NS_A" "$NS_B"; do
    mkdir -p "/etc/netns/$ns"
    printf '%s\n' "127.0.0.1 localhost" "$LAB_SIP $LAB_DOMAIN" "$LAB_A $(uname -n)" >"/etc/netns/$ns/hosts"
    echo "nameserver 127.0.0.1" >"/etc/netns/$ns/resolv.conf"
  done
}

# phone_door NAME ADDRESS PORT: a baresip that is told what to do there
phone_door() { printf 'module_app ctrl_tcp.so\nctrl_tcp_listen %s:%s\n' "$2" "$3" >>"$lab_dir/$1/config"; }
# tell ADDRESS:PORT NAMESPACE COMMAND [PARAMETER]: what a person would do at the phone
tell() {
  ip netns exec "$2" timeout 5 python3 - "$1" "$3" "${4:-}" <<'END'
import json, socket, sys
text = json.dumps({"command": sys.argv[2], "params": sys.argv[3], "token": "x"})
host, port = sys.argv[1].split(":")
door = socket.create_connection((host, int(port)), timeout=3)
door.sendall(("%d:%s," % (len(text), text)).encode())
said = b""
while b'"ok":' not in said: # events may come first
    said += door.recv(4096) or sys.exit(1)
sys.exit(0 if b'"ok":true' in said else 1)
END
}
# directed NAME DIRECTION: what this baresip's last answer says of itself
directed() {
  awk -v "relay=$LAB_SIP:" '/^TLS / { mine = index($2, relay) != 1; answer = 0 } /^SIP\/2.0 200/ { answer = mine }
    answer && /^a=(sendrecv|sendonly|recvonly|inactive)/ { said = $0 }
    END { sub(/^a=/, "", said); sub(/\r$/, "", said); print said }' "$lab_dir/$1/log" | grep -qx "$2"
}

# told NAME: port, suite and key of what the relay sends this baresip, as it was told last
told() {
  awk -v "relay=$LAB_SIP:" '/^TLS / { ours = index($2, relay) == 1; crypto = 0 }
    ours && /^m=audio / { port = $2 }
    ours && /^a=crypto:/ && !crypto++ { suite = $2; key = $3; sub("inline:", "", key); sub(/[|\r].*/, "", key) }
    END { print port, suite, key }' "$lab_dir/$1/log"
}

# sent NAME NAMESPACE HZ: all of the next half second that the relay sends this phone verifies, and is that
# tone. For baresip 1.0 records nothing any more once it was on hold, with or without a relay.
sent() {
  local port suite key d=$lab_dir/$1
  read -r port suite key < <(told "$1")
  ip netns exec "$2" timeout 5 tcpdump -i eth0 -c 30 -w "$d/sent.pcap" "udp src port $port" 2>/dev/null &&
    "$BUILD/tests/tools/srtp_hear" "$d/sent.pcap" "$port" "$suite" "$key" "$d/sent.wav" >/dev/null &&
    is_tone "$d/sent.wav" "$3"
}

# sent_nothing NAME NAMESPACE: the relay sends this phone nothing, for half a second
sent_nothing() {
  local port
  read -r port _ < <(told "$1")
  [ -n "$port" ] || return 1
  ip netns exec "$2" timeout 0.6 tcpdump -i eth0 -c 1 -w "$lab_dir/$1/nothing.pcap" "udp src port $port" 2>/dev/null
  [ $? -eq 124 ] # it has waited in vain
}

# lost NAME PORT: how many RTP packets from the relay's port are missing in this phone's capture, by
# their sequence numbers, and how many came: "LOST CAME"
lost() {
  tshark -r "$lab_dir/$1/wire.pcap" -d "udp.port==$2,rtp" -Y "rtp && udp.srcport==$2" -T fields -e rtp.seq 2>/dev/null |
    awk 'NR > 1 { step = ($1 - last + 65536) % 65536; if (step > 1 && step < 30000) lost += step - 1 }
      { last = $1 } END { print lost + 0, NR }'
}
