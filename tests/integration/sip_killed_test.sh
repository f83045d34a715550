#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kill -9 of sallyport-sip in the middle of a call: not one media packet is lost; restarted, it finds
# the call, and new calls work beside it.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
capture alice "$NS_A"
capture bob "$NS_B"

phone_start bob "$NS_B"
BOB=$PHONE_PID
wait_for 10 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "a call is up" eventually 5 one_session
id=$(ctl --json sessions | jq -r '.[0].id')
relayed() { ctl --json sessions "$id" | jq ".legs[$1].packets_$2"; }
flows() { [ "$(relayed 0 in)" -ge "$1" ]; }
check "media flows" eventually 5 flows 50

before=$(relayed 0 in)
kill -9 "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
check "sallyport-sip is gone" sh -c "! kill -0 $SIP_PID 2>/dev/null"
check "the session lives" one_session
check "media goes on" eventually 5 flows $((before + 100))

: >"$lab_dir/sip.log"
lab_sip
check "restarted, it goes on with the call of its earlier life" eventually 5 said_sip "1 call(s) of an earlier life go on"
before=$(relayed 0 in)
check "media goes on still" eventually 5 flows $((before + 50))

kill -INT "$CAPTURE_PID" 2>/dev/null # bob's capture; alice's ends with the test
read -r lost_b came_b <<<"$(lost bob 20000)"
read -r lost_a came_a <<<"$(lost alice 20000)"
echo "alice got $came_a packets, $lost_a lost; bob got $came_b, $lost_b lost"
check "bob lost not one packet" [ "$lost_b" -eq 0 ]
check "alice lost not one packet" [ "$lost_a" -eq 0 ]
check "they got more than a few" [ "$((came_a < came_b ? came_a : came_b))" -gt 150 ]
drops() { ctl --json sessions "$id" | jq '[.legs[].drops | .auth_failed, .replayed, .too_old, .tx_full, .next_hop_unresolved] | add // 0'; }
check "the relay dropped none of them" [ "$(drops)" -eq 0 ]

ctl end "$id" >/dev/null
check "the session can be ended by hand" no_session
phone_stop "$ALICE"
phone_stop "$BOB"
