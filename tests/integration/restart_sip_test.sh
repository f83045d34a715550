#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sallyport-sip is restarted under calls, by SIGTERM and by kill -9: media between real phones goes on
# without one packet lost, and all that may happen in a call works afterwards; one record a call.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

# certificate NAME: one of the demonstration CA's, in tls/NAME.pem and .key
certificate() {
  local d=$lab_dir/tls
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$d/$1.key" \
    -out "$d/$1.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\n' "$1" >"$d/$1.ext"
  openssl x509 -req -in "$d/$1.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
    -extfile "$d/$1.ext" -out "$d/$1.pem" 2>/dev/null
}

lab_up
lab_ca
certificate carrier.test
mkdir "$lab_dir/records"
chown nobody "$lab_dir/records"
records=$lab_dir/records/calls.jsonl
LAB_SIP_LINES="  dialogs_return_s: 20
  records: {path: $records}
  peering: {address: $LAB_SIP, port: 5062}
  trunks:
    - {name: carrier, address: '$LAB_A:5091', tls_name: carrier.test, ping_s: 0}
  routes:
    - {prefix: '+49', from: users, to: [carrier]}" lab_config "memory: auto" "timeout_s: 120"
lab_user alice wonderland
lab_user bob builder77
lab_user carol absent99
lab_user dave doubt-44
lab_user erin eleven11
lab_user frank forty-two
lab_media
lab_sip
store=$lab_dir/bindings/dialogs.log

phone_config alice wonderland "$LAB_A" 440
phone_config bob builder77 "$LAB_B" 1000
phone_config carol absent99 "$LAB_A" 440
phone_config dave doubt-44 "$LAB_B" 1000
for name in carol dave; do sed -i 's/:5070$/:5080/' "$lab_dir/$name/config"; done
declare -A captures
capture alice "$NS_A"
captures[alice]=$CAPTURE_PID
capture bob "$NS_B"
captures[bob]=$CAPTURE_PID
phone_start bob "$NS_B"
BOB=$PHONE_PID
phone_start dave "$NS_B"
DAVE=$PHONE_PID
wait_for 10 phone_registered bob
wait_for 10 phone_registered dave
phone_start alice "$NS_A" -e "/dial sip:bob@$LAB_DOMAIN"
ALICE=$PHONE_PID
phone_start carol "$NS_A" -e "/dial sip:dave@$LAB_DOMAIN"
CAROL=$PHONE_PID
not() { ! "$@"; }
there_are() { [ "$(sessions)" -eq "$1" ]; }
check "two calls of real phones are up" eventually 8 there_are 2
mapfile -t ids < <(ctl --json sessions | jq -r '.[].id')
flow() { ctl --json sessions "$1" | jq -e "[.legs[].packets_in] | min >= $2" >/dev/null; }
check "media flows in both" eventually 5 flow "${ids[0]}" 50
check "media flows in both" eventually 5 flow "${ids[1]}" 50

# the relay tells keys to whom it trusts, and what it tells is not in the store
export_as() { # USER ID
  setpriv --reuid "$1" --regid nogroup --clear-groups "$BUILD/tests/tools/relay_session" --export "$lab_dir/run/relay.sock" "$2"
}
refused() { export_as "$1" "$2" 2>&1 | grep -q "told to root, the relay's own user and sip.user alone"; }
check "another user of the socket's group is told no key" refused 12345 "${ids[0]}"
mapfile -t keys < <(for id in "${ids[@]}"; do export_as nobody "$id"; done | jq -r '.[].key')
check "sip.user is: two keys of each call" [ "${#keys[@]}" -eq 4 ]
# holds_key FILE: in base64, or in bytes
holds_key() {
  local key
  for key in "${keys[@]}"; do
    grep -qF "$key" "$1" && return
    grep -qaP "$(base64 -d <<<"$key" | xxd -p | head -c 32 | sed 's/../\\x&/g')" "$1" && return
    grep -qi "$(base64 -d <<<"$key" | xxd -p | head -c 32)" "$1" && return
  done
  return 1
}

env PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 150 python3 "$(dirname "$0")/restart_sip_test.py" \
  "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir" "$LAB_A" >"$lab_dir/python.log" 2>&1 &
PYTHON=$!
lab_pids+=("$PYTHON")
asked() { [ -s "$lab_dir/restart" ] || ! kill -0 "$PYTHON" 2>/dev/null; }
kept() { in_log "$lab_dir/sip.log" "$1 call(s) of an earlier life go on"; }

# under SIGNAL CALLS: the restart that the phones wait for
under() {
  local sum
  check "the phones are ready" eventually 20 asked
  [ -s "$lab_dir/restart" ] || return
  # within a second of the last change, its line is there
  check "the store is for its owner alone" [ "$(stat -c %a "$store")" = 600 ]
  sum=$(ctl --json sessions "${ids[0]}" | jq '[.legs[].packets_in] | add')
  kill "-$1" "$SIP_PID"
  wait "$SIP_PID" 2>/dev/null
  cat "$lab_dir/sip.log" >>"$lab_dir/earlier.log"
  : >"$lab_dir/sip.log"
  check "no key is in the store" sh -c "! grep -q 'inline:\|uthorization' '$store'"
  check "nor is one of those that the relay has" not holds_key "$store"
  lab_sip
  check "$2 calls go on" kept "$2"
  rm "$lab_dir/restart"
  check "media goes on" eventually 5 flow "${ids[0]}" $((sum / 2 + 100))
}
under TERM 7
under KILL 5
check "a call that was not up ended with the process" in_log "$lab_dir/sip.log" "go on"
wait "$PYTHON"
status=$?
cat "$lab_dir/python.log"
check "the test phones and the trunk are content" [ "$status" -eq 0 ]
check "what is left are the two calls" eventually 5 there_are 2

check "both still flow" flow "${ids[0]}" 1000
check "both still flow" flow "${ids[1]}" 1000
for one in alice bob; do
  kill -INT "${captures[$one]}"
  wait "${captures[$one]}" 2>/dev/null
  for port in 20000 20002; do
    read -r lost came <<<"$(lost "$one" "$port")"
    check "$one's side lost none of $came packets from port $port" [ "$lost" -eq 0 -a "$came" -gt 1000 ]
  done
done

# these phones do not register anew for minutes: each speaks up when it has something to say
phone_stop "$ALICE"
check "the caller hangs up: its call ends" eventually 5 there_are 1
phone_stop "$DAVE"
check "the callee hangs up: so does the other" eventually 5 no_session
phone_stop "$BOB"
phone_stop "$CAROL"

recorded() { jq -se "$1" "$records" >/dev/null; }
check "one record each" eventually 5 recorded 'length == 9 and (map(.id) | unique | length) == 9'
check "with the true start of each" recorded 'map(select(.answer)) | length == 8 and all(.start <= .answer and .answer < .end)'
check "and its length" recorded "map(select(.legs[0].user == \"alice\" or .legs[0].user == \"carol\"))
  | length == 2 and all(.duration_s > 15 and .media[0].legs[0].packets_in > 1000 and .legs[0].tls != null)"
check "and who ended it" recorded '[.[] | select(.answer) | .ended_by] | sort == ["callee", "callee", "callee", "callee", "caller", "caller", "caller", "caller"]'
check "the call that was not up has one, too" recorded '[.[] | select(.answer | not)] | length == 1 and .[0].cause == "sallyport-sip is ending"'
kill -9 "$SIP_PID"
wait "$SIP_PID" 2>/dev/null
: >"$lab_dir/sip.log"
lab_sip
check "the next start finds no call, and writes no record" recorded 'length == 9'
check "and says nothing of any" sh -c "! grep -q 'earlier life have\|earlier life go' '$lab_dir/sip.log'"
