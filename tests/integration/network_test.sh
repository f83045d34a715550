#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Networks as carriers have them: IPv4 and IPv6 on one interface, calls between the two, a VLAN on the
# other side, DSCP, a link that goes down and comes back; and the counters on DPDK's telemetry.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
A6=2001:db8:a::10
ip netns exec "$NS_A" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
ip -n "$NS_A" addr add "$A6/64" dev eth0 nodad
ip netns exec "$NS_B" ethtool -K eth0 rxvlan off txvlan off >/dev/null 2>&1
cat >"$lab_dir/sallyport.yaml" <<CONFIG
media:
  socket: $lab_dir/run/relay.sock
  memory: auto
  user: nobody
  telemetry: true
  interfaces:
    - name: access
      device: net_af_xdp0,iface=va
      addresses:
        - address: 192.0.2.1/24
          ports: {first: 20000, last: 20999}
        - address: 2001:db8:a::1/64
          ports: {first: 30000, last: 30999}
    - name: core
      device: net_af_xdp1,iface=vb
      address: 198.51.100.1/24
      dscp: 34
    - name: tagged
      device: net_af_xdp1,iface=vb
      vlan: 7
      address: 203.0.113.1/24
CONFIG
mkdir -p "$lab_dir/run"
chown nobody:nogroup "$lab_dir/run"
lab_media

here=$(cd "$(dirname "$0")" && pwd)
# peer NAMESPACE ARGUMENT...: an echo in the background
peer() {
  local ns=$1
  shift
  ip netns exec "$ns" python3 "$here/rtp_peer.py" "$@" >"$lab_dir/peer.log" 2>&1 </dev/null &
  PEER_PID=$!
  lab_pids+=("$PEER_PID")
  wait_for 10 in_log "$lab_dir/peer.log" ready
}
# session ID LEG LEG
session() {
  "$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" "$1" "$2" "$3" >"$lab_dir/$1.json" || exit 1
}
local_of() { jq -r ".[$2].local | sub(\":[0-9]+$\"; \"\") | gsub(\"[][]\"; \"\")" "$lab_dir/$1.json"; }
port_of() { jq -r ".[$2].port" "$lab_dir/$1.json"; }
# say ID LOCAL PORT: 100 packets to leg 0, and what came back, in $lab_dir/say.json
say() {
  ip netns exec "$NS_A" python3 "$here/rtp_peer.py" say "$2" "$3" "$(local_of "$1" 0)" "$(port_of "$1" 0)" 100 >"$lab_dir/say.json"
}
heard() { jq -e ".heard >= $1" "$lab_dir/say.json" >/dev/null; }

check "the kernel answers IPv6 by the exception path" ip netns exec "$NS_A" ping -6 -c 3 -i 0.2 -W 2 -q 2001:db8:a::1
check "and IPv4 beside it" ip netns exec "$NS_A" ping -c 3 -i 0.2 -W 2 -q 192.0.2.1

peer "$NS_B" echo "$LAB_B" 41000 60
session four "access,RTP,-,$LAB_A:40000,dscp=10" "core,RTP,-,$LAB_B:41000"
say four "$LAB_A" 40000
check "IPv4 to IPv4: $(cat "$lab_dir/say.json")" heard 98
check "with the session's DSCP" jq -e '.dscp == [10]' "$lab_dir/say.json"
session six "access,RTP,-,[$A6]:40002" "core,RTP,-,$LAB_B:41000"
check "the leg's address is IPv6: $(local_of six 0)" [ "$(local_of six 0)" = 2001:db8:a::1 ]
say six "$A6" 40002
check "IPv6 to IPv4: $(cat "$lab_dir/say.json")" heard 98
check "with the interface's DSCP" jq -e '.dscp == [46]' "$lab_dir/say.json"

kill "$PEER_PID"
peer "$NS_B" vlan eth0 7 203.0.113.60 42000 60
session vlan "access,RTP,-,[$A6]:40004" "tagged,RTP,-,203.0.113.60:42000"
say vlan "$A6" 40004
check "IPv6 to IPv4 in VLAN 7: $(cat "$lab_dir/say.json")" heard 90

check "what came in is counted by interface" jq -e '."interface.tagged.rx_packets" >= 90 and ."interface.core.rx_packets" >= 190' <(ctl --json stats)

ip -n "$NS_A" link set eth0 down
sleep 1
kill -0 "$MEDIA_PID"
check "the relay outlives a link that goes down" [ $? -eq 0 ]
ip -n "$NS_A" link set eth0 up
ip -n "$NS_A" route add default via 192.0.2.1 2>/dev/null
ip -n "$NS_A" addr add "$A6/64" dev eth0 nodad 2>/dev/null
kill "$PEER_PID"
peer "$NS_B" echo "$LAB_B" 41000 60
back() {
  say four "$LAB_A" 40000
  heard 95
}
check "media is back when the link is" eventually 20 back

telemetry=$(sed -n "s/.*DPDK's telemetry: //p" "$lab_dir/media.log")
cat >"$lab_dir/telemetry.py" <<'PYTHON'
import json, socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
end.settimeout(5)
end.connect(sys.argv[1])
end.recv(4096)
end.send(b"/sallyport/stats,packets")
answer = json.loads(end.recv(65536))["/sallyport/stats"]
print(answer)
sys.exit(0 if answer["packets/relayed"] > 300 else 1)
PYTHON
check "DPDK's telemetry tells the same" python3 "$lab_dir/telemetry.py" "$telemetry"
kill "$MEDIA_PID"
wait "$MEDIA_PID"
check "and leaves nothing behind" [ -z "$(ls "$lab_dir/run")" ]
