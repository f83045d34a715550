#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A call between real phones while certificates are renewed, and while a stranger attacks: it goes on,
# ends when it is told to, and another one can be set up.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
LAB_SIP_LINES="  limits: {message_s: 3, login_s: 8}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
chgrp nogroup "$lab_dir/tls/server.key" # read again by the user that it has become
chmod 640 "$lab_dir/tls/server.key"
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000

call() {
  rm -rf "$lab_dir/alice/heard"/* "$lab_dir/bob/heard"/*
  phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
  ALICE=$PHONE_PID
}
relayed() { ctl --json sessions | jq "[.[].id][0] // empty" -r | xargs -r "$BUILD/relay/sallyctl" --socket "$lab_dir/run/relay.sock" --json sessions | jq ".legs[$1].packets_in"; }
flows() { [ "$(relayed 0)" -ge "$1" ] && [ "$(relayed 1)" -ge "$1" ]; }
counted() { "$BUILD/control/sallyctl-sip" --socket "$lab_dir/run/sip.sock" stats --json | jq ".[\"$1\"]"; }
shown() {
  ip netns exec "$NS_A" openssl s_client -connect "$LAB_SIP:5061" -CAfile "$lab_dir/tls/ca.pem" </dev/null 2>/dev/null |
    openssl x509 -noout -fingerprint
}

phone_start bob "$NS_B"
BOB=$PHONE_PID
wait_for 10 phone_registered bob
call
check "a call is up" eventually 5 one_session
check "media flows" eventually 5 flows 50

echo "== certificates renewed under the call"
before=$(shown)
mv "$lab_dir/tls/ca.pem" "$lab_dir/tls/ca.kept"
mv "$lab_dir/tls/ca.key" "$lab_dir/tls/ca.key.kept"
lab_ca
mv "$lab_dir/tls/ca.pem" "$lab_dir/tls/other.pem"
mv "$lab_dir/tls/ca.kept" "$lab_dir/tls/ca.pem"
mv "$lab_dir/tls/ca.key.kept" "$lab_dir/tls/ca.key"
openssl x509 -req -in "$lab_dir/tls/server.csr" -CA "$lab_dir/tls/ca.pem" -CAkey "$lab_dir/tls/ca.key" -CAcreateserial \
  -days 3 -extfile "$lab_dir/tls/server.ext" -out "$lab_dir/tls/server.pem" 2>/dev/null
chgrp nogroup "$lab_dir/tls/server.key"
chmod 640 "$lab_dir/tls/server.key"
kill -HUP "$SIP_PID"
check "they are read anew" eventually 5 said_sip "read anew"
renewed() { [ -n "$(shown)" ] && [ "$(shown)" != "$before" ]; }
check "who connects now gets the new one" eventually 5 renewed
at=$(relayed 0)
check "the call goes on" eventually 5 flows $((at + 50))

echo "== under attack"
ip -n "$NS_A" addr add 192.0.2.66/24 dev eth0
ip netns exec "$NS_A" python3 "$(dirname "$0")/sip_attack.py" "$LAB_SIP" 192.0.2.66 14 >"$lab_dir/attack.log" 2>&1 &
ATTACK=$!
lab_pids+=("$ATTACK")
check "the attack begins" eventually 5 in_log "$lab_dir/attack.log" "attacking"
sleep 2 # of the attack
at=$(relayed 0)
check "media goes on" eventually 5 flows $((at + 100))
phone_stop "$ALICE"
check "the end of the call arrives" eventually 3 phone_said bob "^BYE "
check "the session is gone" eventually 3 no_session
check "alice heard bob" tone_is alice 1000
call
check "another call is set up" eventually 5 one_session
check "its media flows" eventually 5 flows 50
check "the attack still goes on" kill -0 "$ATTACK"
check "it was refused" [ "$(counted requests.rate)" -gt 50 ]
wait "$ATTACK"
echo "the attacker says: $(tail -1 "$lab_dir/attack.log")"
check "its connections were cut, by name" [ "$(($(counted cut.requests) + $(counted cut.message)))" -gt 5 ]
check "and held up" [ "$(counted connections.rate)" -gt 5 ]
phone_stop "$ALICE"
check "this call ends, too" eventually 3 no_session
phone_stop "$BOB"
