#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sallyctl capture: the packets of one session, in both directions, and of no other; without keys.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_config "memory: auto"
lab_media
here=$(cd "$(dirname "$0")" && pwd)
ip netns exec "$NS_B" python3 "$here/rtp_peer.py" echo "$LAB_B" 41000 60 >"$lab_dir/echo.log" 2>&1 &
lab_pids+=("$!")
wait_for 10 in_log "$lab_dir/echo.log" ready
for i in 0 1; do
  "$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" "s$i" "access-a,RTP,-,$LAB_A:$((40000 + 2 * i))" \
    "access-b,RTP,-,$LAB_B:41000" >"$lab_dir/s$i.json" || exit 1
  ip netns exec "$NS_A" python3 "$here/rtp_peer.py" say "$LAB_A" $((40000 + 2 * i)) 192.0.2.1 \
    "$(jq '.[0].port' "$lab_dir/s$i.json")" 250 >"$lab_dir/say$i.json" &
  lab_pids+=("$!")
done
ctl capture --session s1 --seconds 2 "$lab_dir/one.pcapng"
check "it ends by itself" [ $? -eq 0 ]
from() { tshark -r "$lab_dir/one.pcapng" -Y "udp.srcport == $1" 2>/dev/null | wc -l; }
port=$(jq '.[0].port' "$lab_dir/s1.json")
check "the phone's packets are in it: $(from 40002)" [ "$(from 40002)" -gt 80 ]
check "and what the relay sends to it: $(from "$port")" [ "$(from "$port")" -gt 80 ]
check "and nothing of the other session" [ "$(from 40000)" -eq 0 ]
check "with times of today" sh -c "tshark -r '$lab_dir/one.pcapng' -c 1 -T fields -e frame.time_epoch 2>/dev/null |
  awk -v now=\$(date +%s) '{ exit \$1 > now - 60 && \$1 < now + 5 ? 0 : 1 }'"
ctl capture --session s1 "$lab_dir/one.pcapng" 2>"$lab_dir/refused"
check "a file is not overwritten: $(cat "$lab_dir/refused")" grep -q -- --force "$lab_dir/refused"
ctl capture --session nobody "$lab_dir/no.pcapng" 2>"$lab_dir/refused"
check "a session that is not there: $(cat "$lab_dir/refused")" [ ! -e "$lab_dir/no.pcapng" ]
ctl capture --interface access-b --packets 50 --seconds 3 "$lab_dir/b.pcapng"
check "an interface, 50 packets" [ "$(tshark -r "$lab_dir/b.pcapng" 2>/dev/null | wc -l)" -eq 50 ]
ctl capture --session s1 --seconds 30 "$lab_dir/long.pcapng" >"$lab_dir/long.log" 2>&1 &
LONG_PID=$!
lab_pids+=("$LONG_PID")
eventually 5 test -s "$lab_dir/long.pcapng"
ctl capture --interface access-a "$lab_dir/second.pcapng" 2>"$lab_dir/refused"
check "one at a time: $(cat "$lab_dir/refused")" grep -q running "$lab_dir/refused"
ctl end s1
wait "$LONG_PID"
check "it ends with its session" [ $? -eq 0 ]
check "the relay goes on" [ "$(sessions)" = 1 ]
