#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hold, resume and transfers, by either side, between real phones: what each is told, and what it is sent.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_user dave farther5
lab_media
lab_sip

# phone NAME PASSWORD ADDRESS HZ [DOOR]
phone() {
  phone_config "$1" "$2" "$3" "$4"
  phone_door "$1" "$3" "${5:-4444}"
}
# in_use: how many packets have come from both phones, at the relay
in_use() { ctl --json sessions | jq '[.[].legs[].packets_in] | add // 0'; }
flows() {
  local before
  before=$(in_use)
  wait_for 5 eval "[ \$(in_use) -gt $((before + 20)) ]"
}
offers() { [ "$(grep -c '^INVITE ' "$lab_dir/$1/log")" -ge "$2" ]; } # NAME COUNT

# toward DIRECTION_A DIRECTION_B: what the two far ends do, as the relay has it
toward() {
  local id
  id=$(ctl --json sessions | jq -r '.[0].id')
  [ "$(ctl --json sessions "$id" | jq -r '[.legs[].direction] | join("/")')" = "$1/$2" ]
}

phone alice wonderland "$LAB_A" 440
phone bob builder77 "$LAB_B" 1000
phone carol absent99 "$LAB_A" 700 4445
phone dave farther5 "$LAB_B" 1500 4445
sed -i 's/:5070/:5080/' "$lab_dir/carol/config" "$lab_dir/dave/config"

phone_start bob "$NS_B"
BOB=$PHONE_PID
phone_start carol "$NS_A"
CAROL=$PHONE_PID
phone_start dave "$NS_B"
DAVE=$PHONE_PID
check "bob is there" eventually 10 phone_registered bob
check "carol is there" eventually 10 phone_registered carol
check "dave is there" eventually 10 phone_registered dave
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID

echo "== the caller holds and resumes"
check "a session is at the relay" eventually 8 one_session
check "audio flows" flows
check "bob is sent alice's tone" sent bob "$NS_B" 440
check "alice holds" tell "$LAB_A:4444" "$NS_A" hold
check "bob is offered it" eventually 5 phone_said bob "^a=sendonly"
check "bob only listens" eventually 5 directed bob recvonly
check "and alice is told so" eventually 5 phone_said alice "^a=recvonly"
check "the relay knows" eventually 5 toward "sends only" "listens only"
check "bob hears nothing" sent_nothing bob "$NS_B"
check "alice hears nothing" sent_nothing alice "$NS_A"
check "alice resumes" tell "$LAB_A:4444" "$NS_A" resume
check "bob is offered that" eventually 5 offers bob 3
check "audio flows again" flows
check "both ways" toward "both ways" "both ways"
check "bob is sent alice's tone again" sent bob "$NS_B" 440
check "alice is sent bob's again" sent alice "$NS_A" 1000
check "it is the same session" one_session

echo "== the callee holds and resumes"
check "bob holds" tell "$LAB_B:4444" "$NS_B" hold
check "alice only listens" eventually 5 directed alice recvonly
check "alice hears nothing" sent_nothing alice "$NS_A"
check "bob resumes" tell "$LAB_B:4444" "$NS_B" resume
check "audio flows again" flows
check "alice is sent bob's tone again" sent alice "$NS_A" 1000

echo "== transfer by the caller"
check "alice transfers bob to carol" tell "$LAB_A:4444" "$NS_A" transfer "sip:carol@$LAB_DOMAIN"
check "carol is called" eventually 5 offers carol 1
check "alice is told that it worked" eventually 5 phone_said alice "^SIP/2.0 200 OK"
check "alice's call ends" eventually 5 phone_said alice "^BYE "
check "audio flows" flows
check "in the one session" one_session
check "carol is sent bob's tone" sent carol "$NS_A" 1000
check "bob is sent carol's" sent bob "$NS_B" 700
check "carol has heard bob" eventually 5 tone_is carol 1000
phone_stop "$ALICE"
check "the call goes on without alice" one_session

echo "== transfer by the callee"
check "bob transfers carol to dave" tell "$LAB_B:4444" "$NS_B" transfer "sip:dave@$LAB_DOMAIN"
check "dave is called" eventually 5 offers dave 1
check "bob's call ends" eventually 5 phone_said bob "^BYE "
check "audio flows" flows
check "carol is sent dave's tone" sent carol "$NS_A" 1500
check "dave is sent carol's" sent dave "$NS_B" 700
check "dave has heard carol" eventually 5 tone_is dave 700
phone_stop "$BOB"
check "the call goes on without bob" one_session

echo "== a transfer to nobody"
check "carol transfers dave to somebody who is not there" tell "$LAB_A:4445" "$NS_A" transfer "sip:alice@$LAB_DOMAIN"
check "carol is told that it failed" eventually 5 phone_said carol "^SIP/2.0 480"
check "baresip hangs up then, and the call ends" eventually 5 no_session
phone_stop "$CAROL"
phone_stop "$DAVE"
check "nothing was forged" [ "$(ctl --json stats | jq '.["drop.tx_full"] + .["drop.no_memory"] + .["drop.auth_failed"]')" = 0 ]
