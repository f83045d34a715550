#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A call is up, and the configuration changes under it: by SIGHUP and by sallyctl, live where that can be,
# refused whole where it can't. No packet of the call is lost.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
LAB_SIP_LINES="  no_answer_s: 10
  peering: {address: $LAB_SIP, port: 5062}
  calls: {per_user: 5}
  trunks:
    - {name: carrier, address: '192.0.2.77:5061', tls_name: carrier.test, ping_s: 0}
  routes:
    - {prefix: '+49', from: users, to: [carrier]}" lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
chgrp nogroup "$lab_dir/tls/server.key" # read again by the user that it has become
chmod 640 "$lab_dir/tls/server.key"
CONFIG=$lab_dir/sallyport.yaml
lab_media
lab_sip
phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000

sally() { "$BUILD/relay/sallyctl" --config "$CONFIG" "$@"; }
reload() { sally reload >"$lab_dir/reload.out" 2>"$lab_dir/reload.err"; }
printed() { grep -qE "$1" "$lab_dir/reload.out"; }
refused() { # PATTERN: with exit status 1 or 2, and this sentence
  reload
  local status=$?
  { [ "$status" = 1 ] || [ "$status" = 2 ]; } && grep -qE "$1" "$lab_dir/reload.err"
}
in_force() { sally --json config show | jq -e ".[\"$1\"][] | select(.field == \"$2\") | .value == \"$3\"" >/dev/null; }
said_media() { in_log "$lab_dir/media.log" "$1"; }
sip_list() { "$BUILD/control/sallyctl-sip" --socket "$lab_dir/run/sip.sock" "$1" --json; }
call_leg() { ctl --json sessions "$(ctl --json sessions | jq -r '.[0].id')"; }
relayed() { call_leg | jq '.legs[0].packets_in'; }
flows() { [ "$(relayed)" -ge "$1" ]; }
dropped() { ctl --json sessions "$FIRST" | jq '[.legs[].drops | add // 0] | add'; }

phone_start bob "$NS_B"
BOB=$PHONE_PID
wait_for 10 phone_registered bob
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
check "a call is up" eventually 5 one_session
check "media flows" eventually 5 flows 50
FIRST=$(ctl --json sessions | jq -r ".[0].id")
drops=$(dropped)
ports=$(call_leg | jq -c '[.legs[].local_rtp]')

echo "== what is in force"
check "what the file says" in_force sallyport-sip sip.calls.per_user 5
check "defaults are marked" sh -c "'$BUILD/relay/sallyctl' --config '$CONFIG' config show | grep -q 'sip.flow_timer_s .* 120 (default)'"
check "of the relay, too" in_force sallyport-media media.one_way_s 15

echo "== live, by sallyctl"
sed -i -e 's/per_user: 5/per_user: 1/' -e "s/name: carrier, address/name: other, address/" -e 's/to: \[carrier\]/to: [other]/' \
  -e 's/^media:/media:\n  one_way_s: 9/' -e 's/no_answer_s: 10/no_answer_s: 11/' "$CONFIG"
sed -i -E 's/^( *)(address: 192\.0\.2\.[0-9]+\/24|address: "?[0-9.]+\/[0-9]+"?)$/\1\2\n\1ports: {first: 41000, last: 41003}/' "$CONFIG"
sally config reference >/dev/full 2>"$lab_dir/full"
check "what can't be written is a failure" [ $? -eq 1 ]
check "sallyctl check takes it" sally config check "$CONFIG"
check "and says so in JSON" sh -c "'$BUILD/relay/sallyctl' --json config check '$CONFIG' | jq -e '.good and .error == null'"
check "the reload" reload
check "it prints a limit" printed 'sip.calls.per_user: 5 -> 1'
check "a trunk that goes" printed 'sip.trunks\[carrier\]: there -> -'
check "a trunk that comes" printed 'sip.trunks\[other\]: - -> there'
check "a route" printed 'sip.routes\[0\].to: carrier -> other'
check "what the relay changes" printed 'media.one_way_s: 15 -> 9'
check "a port range" printed 'ports.first: .* -> 41000'
check "it is in force" in_force sallyport-sip sip.calls.per_user 1
check "in the relay" in_force sallyport-media media.one_way_s 9
check "sallyctl sip trunks has the new one alone" [ "$(sip_list trunks | jq -c '[.[].trunk]')" = '["other"]' ]
check "the call keeps its ports" [ "$(call_leg | jq -c '[.legs[].local_rtp]')" = "$ports" ]
at=$(relayed)
check "and goes on" eventually 5 flows $((at + 50))
# a second call from the same user is over its new limit
phone_config carol wonderland "$LAB_A" 700
sed -i 's/:5070/:5090/' "$lab_dir/carol/config"
sed -i 's/carol/alice/g' "$lab_dir/carol/accounts"
phone_start carol "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 3
check "the new limit holds" eventually 5 phone_said carol "SIP/2.0 503"
wait "$PHONE_PID" 2>/dev/null

echo "== live, by SIGHUP"
sed -i 's/per_user: 1/per_user: 4/' "$CONFIG"
grep -q '^log:' "$CONFIG" && sed -i 's/level: .*/level: debug/' "$CONFIG" || printf 'log: {level: debug}\n' >>"$CONFIG"
kill -HUP "$SIP_PID" "$MEDIA_PID"
check "sallyport-sip says what changed" eventually 5 said_sip 'sip.calls.per_user: 1 -> 4'
check "and sallyport-media" eventually 5 said_media 'log.level: .* -> debug'
check "it is in force" in_force sallyport-sip log.level debug
phone_start carol "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN" -t 4
two_sessions() { [ "$(sessions)" = 2 ]; }
check "a second call is let in" eventually 5 two_sessions
new_port() { ctl --json sessions | jq -r '.[].id' | while read -r id; do ctl --json sessions "$id"; done | grep -q '410[0-9][0-9]'; }
check "with ports of the new range" new_port
wait "$PHONE_PID" 2>/dev/null
check "and ends" eventually 5 one_session

echo "== refused whole"
cp "$CONFIG" "$lab_dir/good.yaml"
sed -i -e 's/per_user: 4/per_user: 3/' "$CONFIG"
echo "  nonsense: 1" >>"$CONFIG"
check "a bad file: file and line are named" refused "$CONFIG:[0-9]+: "
kill -HUP "$SIP_PID"
check "by SIGHUP, too" eventually 5 said_sip "nothing is changed: $CONFIG:[0-9]*: "
cp "$lab_dir/good.yaml" "$CONFIG"
sed -i -e 's/per_user: 4/per_user: 3/' -e 's/^sip:/sip:\n  port: 5071/' "$CONFIG"
check "a setting that takes a restart is named, with both values" refused 'sip.port: 5061 -> 5071: takes a restart of sallyport-sip'
check "nothing of the file is in force" in_force sallyport-sip sip.calls.per_user 4
cp "$lab_dir/good.yaml" "$CONFIG"
sed -i -e 's/per_user: 4/per_user: 3/' -e 's/^media:/media:\n  sessions: 77/' "$CONFIG"
check "what one daemon refuses, the other does not take" refused 'media.sessions: 10000 -> 77: takes a restart of sallyport-media'
check "it has what it had" in_force sallyport-sip sip.calls.per_user 4
cp "$lab_dir/good.yaml" "$CONFIG"
sed -i -e 's/per_user: 4/per_user: 3/' -e "s|^  users:.*|  users: $lab_dir/nothing.db|" "$CONFIG"
check "a store that can't be opened" refused 'nothing.db'
check "nothing is changed" in_force sallyport-sip sip.calls.per_user 4

echo "== another users' store"
cp "$lab_dir/good.yaml" "$CONFIG"
store=$(sally --json config show | jq -r '.["sallyport-sip"][] | select(.field == "sip.users") | .value')
cp -p "$store" "$store.second"
sed -i "s|^  users:.*|  users: $store.second|" "$CONFIG"
check "is opened" reload
check "and the old one closed" sh -c "! ls -l /proc/$SIP_PID/fd | grep -q '$store\$'"
phone_start carol "$NS_A"
check "who is in it logs in" eventually 10 phone_said carol "SIP/2.0 200 OK"
phone_stop "$PHONE_PID"

echo "== the first call"
at=$(relayed)
check "goes on" eventually 5 flows $((at + 50))
check "and nothing was dropped" [ "$(dropped)" = "$drops" ]
phone_stop "$ALICE"
check "its end arrives" eventually 3 no_session
check "bob heard alice" eventually 5 tone_is bob 440
phone_stop "$BOB"
