#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The ways in which calls begin and end, between real phones.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
LAB_SIP_LINES="  no_answer_s: 3" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip

AUTO="mediaenc=srtp-mand;answermode=auto"
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000

# call_from ALICE_SECONDS [CALLEE]: alice calls for so long; her phone's log starts anew
call_from() {
  rm -rf "$lab_dir/alice/heard"/*
  phone_start alice "$NS_A" -e "/dial sip:${2:-bob}@$LAB_DOMAIN" -t "$1"
  ALICE=$PHONE_PID
}
# bob starts, and registers
bob_up() {
  rm -rf "$lab_dir/bob/heard"/*
  phone_start bob "$NS_B"
  BOB=$PHONE_PID
  wait_for 10 phone_registered bob || echo "bob does not register"
}
records() { grep -c "call .*: alice to .* ended" "$lab_dir/sip.log"; }
record_says() { grep "call .*: alice to" "$lab_dir/sip.log" | tail -1 | grep -q "$1"; }

echo "== the caller hangs up"
bob_up
call_from 5
check "a session is at the relay" eventually 5 one_session
wait "$ALICE"
check "the session is gone" eventually 3 no_session
check "bob got a BYE" phone_said bob "^BYE "
check "alice heard bob" tone_is alice 1000
check "bob heard alice" tone_is bob 440
check "one call record, and it says who hung up" record_says "the caller hung up"
phone_stop "$BOB"

echo "== the callee hangs up"
bob_up
call_from 20
check "a session is at the relay" eventually 5 one_session
sleep 1
phone_stop "$BOB" # it ends its calls with BYE
check "the session is gone" eventually 3 no_session
check "alice got a BYE" phone_said alice "^BYE "
check "the record says so" record_says "the callee hung up"
phone_stop "$ALICE"

echo "== RTP and RTCP on one port, on both legs"
sed -i 's/^rtcp_mux no/rtcp_mux yes/' "$lab_dir/alice/config" "$lab_dir/bob/config"
bob_up
call_from 9
check "a session is at the relay" eventually 5 one_session
id=$(ctl --json sessions | jq -r '.[0].id')
muxed() { ctl --json sessions "$id" | jq -e "$1" >/dev/null; }
check "both legs are muxed" muxed '.legs | all(.rtcp_mux and .local_rtp == .local_rtcp)'
check "RTCP passes both ways on it" eventually 8 muxed '.legs | all(.rtcp_in > 0 and .rtcp_out > 0)'
phone_stop "$ALICE"
phone_stop "$BOB"
check "the session is gone" eventually 3 no_session
sed -i 's/^rtcp_mux yes/rtcp_mux no/' "$lab_dir/alice/config" "$lab_dir/bob/config"

echo "== cancelled while it rings"
phone_config bob builder77 "$LAB_B" 1000 "mediaenc=srtp-mand;answermode=manual"
bob_up
call_from 2
check "bob rings" eventually 5 phone_said bob "^INVITE "
check "alice hears that it rings" eventually 3 phone_said alice "180 Ringing"
wait "$ALICE"
check "bob's phone was told" eventually 3 phone_said bob "^CANCEL "
check "the session is gone" eventually 3 no_session
check "the record says so" record_says "cancelled by the caller"

echo "== nobody answers"
call_from 8
check "alice is told 480" eventually 7 phone_said alice "SIP/2.0 480"
check "the record says so" record_says "no answer"
check "the session is gone" eventually 3 no_session
phone_stop "$ALICE"
phone_stop "$BOB"

echo "== rejected: the callee is in a call already"
phone_config bob builder77 "$LAB_B" 1000 "$AUTO"
sed -i 's/^call_max_calls.*/call_max_calls 1/' "$lab_dir/bob/config"
bob_up
call_from 12
check "the first call is up" eventually 5 phone_said alice "200 OK"
FIRST=$ALICE
phone_config carol absent99 "$LAB_A" 700 "$AUTO"
sed -i 's/:5070/:5080/' "$lab_dir/carol/config"
phone_start carol "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 4
check "the second caller is told 486" eventually 6 phone_said carol "SIP/2.0 486"
check "the first call goes on" one_session
phone_stop "$PHONE_PID"
phone_stop "$FIRST"
check "the session is gone" eventually 3 no_session
phone_stop "$BOB"

echo "== no SDES"
bob_up
sed -i "s/mediaenc=srtp-mand;//" "$lab_dir/alice/accounts"
call_from 4
check "alice is told 488" eventually 4 phone_said alice "SIP/2.0 488"
check "no session is made" no_session
phone_stop "$ALICE"
phone_config alice wonderland "$LAB_A" 440

echo "== unknown and absent"
call_from 4 nobody
check "an unknown user is 404" eventually 4 phone_said alice "SIP/2.0 404"
phone_stop "$ALICE"
call_from 4 carol
check "a user who is not registered is 480" eventually 4 phone_said alice "SIP/2.0 480"
phone_stop "$ALICE"

echo "== wrong password"
phone_config mallory x "$LAB_A" 440
sed -i "s/mallory@/alice@/; s/auth_user=mallory/auth_user=alice/; s/auth_pass=x/auth_pass=wrong/" "$lab_dir/mallory/accounts"
phone_start mallory "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 4
check "it is logged with source and reason" eventually 5 said_sip "authentication failed: REGISTER from $LAB_A:.*response"
check "no session is made" no_session
check "the phone gets nothing but 401" sh -c "! grep -q 'SIP/2.0 200' '$lab_dir/mallory/log'"
phone_stop "$PHONE_PID"
phone_stop "$BOB"

echo "== a server that the phone's CA does not vouch for"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another CA" \
  -keyout "$lab_dir/tls/other.key" -out "$lab_dir/tls/other.pem" 2>/dev/null
phone_config dave x "$LAB_A" 440 "$AUTO" "$lab_dir/tls/other.pem"
phone_start dave "$NS_A" -t 3
wait "$PHONE_PID"
check "a phone refuses it before it says anything" sh -c "! grep -q '^REGISTER\|SIP/2.0 401' '$lab_dir/dave/log'"
check "OpenSSL's client refuses it" sh -c "! ip netns exec $NS_A timeout 10 openssl s_client -connect $LAB_SIP:5061 \
  -CAfile $lab_dir/tls/other.pem -verify_return_error </dev/null >/dev/null 2>&1"
check "and takes it with the right one" sh -c "ip netns exec $NS_A timeout 10 openssl s_client -connect $LAB_SIP:5061 \
  -CAfile $lab_dir/tls/ca.pem -verify_return_error </dev/null >/dev/null 2>&1"

check "no key is in any log of ours" sh -c "! grep -q 'inline:' '$lab_dir/sip.log' '$lab_dir/media.log'"
check "nothing was forged or lost" [ "$(ctl --json stats | jq '.["drop.auth_failed"] + .["drop.tx_full"] + .["drop.no_memory"]')" = 0 ]
