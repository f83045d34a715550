#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hold, resume and a transfer between real phones.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_media
lab_sip

# phone NAME PASSWORD ADDRESS HZ: with a door for commands
phone() {
  phone_config "$@"
  printf 'module_app ctrl_tcp.so\nctrl_tcp_listen %s:4444\n' "$3" >>"$lab_dir/$1/config"
}
# tell ADDRESS NAMESPACE COMMAND [PARAMETER]: what a person would do at the phone
tell() {
  ip netns exec "$2" timeout 5 python3 - "$1" "$3" "${4:-}" <<'END'
import json, socket, sys
text = json.dumps({"command": sys.argv[2], "params": sys.argv[3], "token": "x"})
door = socket.create_connection((sys.argv[1], 4444), timeout=3)
door.sendall(("%d:%s," % (len(text), text)).encode())
sys.exit(0 if b'"response":true' in door.recv(4096) else 1)
END
}
# in_use: how many packets have come from both phones, at the relay
in_use() { ctl --json sessions | jq '[.[].legs[].packets_in] | add // 0'; }
flows() {
  local before
  before=$(in_use)
  wait_for 5 eval "[ \$(in_use) -gt $((before + 20)) ]"
}
offers() { [ "$(grep -c '^INVITE ' "$lab_dir/$1/log")" -ge "$2" ]; } # NAME COUNT

phone alice wonderland "$LAB_A" 440
phone bob builder77 "$LAB_B" 1000
phone carol absent99 "$LAB_A" 700
sed -i 's/:5070/:5080/; s/:4444/:4445/' "$lab_dir/carol/config"

phone_start bob "$NS_B"
BOB=$PHONE_PID
phone_start carol "$NS_A"
CAROL=$PHONE_PID
check "bob is there" eventually 10 phone_registered bob
check "carol is there" eventually 10 phone_registered carol
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID

echo "== hold and resume"
check "a session is at the relay" eventually 8 one_session
check "audio flows" flows
check "alice holds" tell "$LAB_A" "$NS_A" hold
check "bob is offered it" eventually 5 phone_said bob "^a=sendonly"
check "alice resumes" tell "$LAB_A" "$NS_A" resume
check "bob is offered that" eventually 5 offers bob 3
check "audio flows again" flows
check "it is the same session" one_session

echo "== transfer"
check "alice transfers bob to carol" tell "$LAB_A" "$NS_A" transfer "sip:carol@$LAB_DOMAIN"
check "carol is called" eventually 5 offers carol 1
check "alice is told that it worked" eventually 5 phone_said alice "^SIP/2.0 200 OK"
check "alice's call ends" eventually 5 phone_said alice "^BYE "
check "audio flows" flows
check "in the one session" one_session
sleep 2 # of talk: enough to tell the tones
phone_stop "$ALICE"
check "the call goes on without alice" one_session
phone_stop "$BOB"
check "bob's end is the call's" eventually 5 no_session
phone_stop "$CAROL"
check "carol heard bob" tone_is carol 1000
check "nothing was forged" [ "$(ctl --json stats | jq '.["drop.tx_full"] + .["drop.no_memory"]')" = 0 ]
