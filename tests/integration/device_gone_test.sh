#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A network interface is taken from under a running relay: it says so, goes on with the other one, and
# when the interface is there again it ends to be started anew, as a service manager does.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_config "memory: auto"
lab_media
S80=AES_CM_128_HMAC_SHA1_80
link_is() { ctl --json status | jq -e --arg name "$1" --argjson up "$2" '.interfaces[] | select(.name == $name) | .link_up == $up' >/dev/null; }
said() { in_log "$lab_dir/media.log" "$1"; }
answers() { ip netns exec "$NS_A" ping -c 1 -W 1 192.0.2.1 >/dev/null 2>&1; }

check "both links are up" eval 'link_is access-a true && link_is access-b true'

ip -n "$NS_B" link set eth0 down
check "a link that goes down is told of" eventually 5 said "interface access-b: the link .* is down"
check "and shown" link_is access-b false
ip -n "$NS_B" link set eth0 up
check "and one that comes up" eventually 5 said "interface access-b: the link .* is up again"

ip -n "$NS_R" link del vb
check "an interface that goes away is told of" eventually 5 said "interface access-b: network interface vb is gone"
check "and shown" link_is access-b false
check "once" [ "$(grep -c "vb is gone" "$lab_dir/media.log")" -eq 1 ]
before=$(awk '{ print $14 + $15 }' "/proc/$MEDIA_PID/stat")
sleep 2
spent=$(($(awk '{ print $14 + $15 }' "/proc/$MEDIA_PID/stat") - before))
check "the relay does not spin: $spent of 200 ticks" [ "$spent" -lt 100 ]
check "the other interface goes on" answers
"$BUILD/tests/tools/relay_session" "$lab_dir/run/relay.sock" lives \
  "access-a,$S80,$(openssl rand -base64 30),$LAB_A:40000" "access-a,$S80,$(openssl rand -base64 30),$LAB_A:41000" >/dev/null
check "sessions can be made on it" [ "$(sessions)" -eq 1 ]

lab_wire vb "$NS_B" "$LAB_B" 198.51.100.1 2>/dev/null
ended() { ! kill -0 "$MEDIA_PID" 2>/dev/null; }
check "when the interface is there again the relay ends" eventually 5 ended
wait "$MEDIA_PID"
check "with a status of its own, 75" [ $? -eq 75 ]
check "and says why" said "vb is there again: ending, to be started anew"
lab_media
check "and anew both links are up" eval 'link_is access-a true && link_is access-b true'
