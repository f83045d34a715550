#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sallyctl drain: new calls hear 503 with Retry-After, the one that is up goes on, and after it both
# daemons end with status 0. Cancelled in between, calls are taken as before.
# shellcheck source-path=SCRIPTDIR source=_init.sh
. "$(dirname "$0")/_init.sh"

lab_up
lab_ca
lab_config "memory: auto"
lab_user alice wonderland
lab_user bob builder77
lab_media
lab_sip
drain() { "$BUILD/relay/sallyctl" --config "$lab_dir/sallyport.yaml" drain "$@"; }
draining() { [ "$(ctl --json status | jq .draining)" = "$1" ]; }

# ended PID: gone, and with status 0
ended() {
  wait_for 10 gone "$1"
  wait "$1"
}
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

mkfifo "$lab_dir/said" "$lab_dir/told"
PYTHONDONTWRITEBYTECODE=1 ip netns exec "$NS_A" timeout 60 python3 "$(dirname "$0")/drain_test.py" \
  "$LAB_SIP" "$LAB_DOMAIN" "$lab_dir/tls/ca.pem" <"$lab_dir/told" >"$lab_dir/said" 2>"$lab_dir/phones.log" &
PHONES_PID=$!
lab_pids+=("$PHONES_PID")
exec 5>"$lab_dir/told" 6<"$lab_dir/said"
rounds=0
while read -r -u 6 line; do
  case $line in
    drained?)
      rounds=$((rounds + 1))
      drain --json >"$lab_dir/begun.json"
      check "draining, with a call up" [ $? -eq 0 ]
      check "and as JSON" jq -e '. == {"state": "draining", "calls": 1, "sessions": 1}' "$lab_dir/begun.json"
      check "status says so" draining true
      check "and for people" eventually 2 sh -c "'$BUILD/relay/sallyctl' --socket '$lab_dir/run/relay.sock' status | grep -q '^draining'"
      if [ "$rounds" -eq 1 ]; then
        drain --json --deadline 1 >"$lab_dir/late.json" 2>"$lab_dir/late"
        check "it is not waited for longer than asked" [ $? -eq 1 ]
        check "and JSON says that" jq -e '. == {"state": "late", "calls": 1, "sessions": 1}' "$lab_dir/late.json"
        check "and the sentence names the cure" grep -q "1 call(s), 1 session(s).*--cancel" "$lab_dir/late"
      else
        drain --wait --deadline 45 >"$lab_dir/waited" 2>&1 &
        DRAIN_PID=$!
        # an order that came after the last call would end an empty pair
        check "and waited for" eventually 5 grep -q "1 call(s); .*1 session(s)" "$lab_dir/waited"
      fi
      ;;
    cancelled?)
      check "cancelled" drain --cancel
      check "status says so, too" draining false
      ;;
    *) echo "$line" ;;
  esac
  [ "$line" = over ] || echo go >&5
done
check "the phones heard what they should" wait "$PHONES_PID"
cat "$lab_dir/phones.log"
check "whoever waited is told" wait "$DRAIN_PID"
check "that the last call is over" grep -q "drained: the last call is over" "$lab_dir/waited"
[ "$bad" -eq 0 ] || tail -n 5 "$lab_dir/waited" "$lab_dir/sip.log" "$lab_dir/media.log"
check "sallyport-sip has ended, with status 0" ended "$SIP_PID"
check "sallyport-media has ended, with status 0" ended "$MEDIA_PID"
drain --json >"$lab_dir/nobody.json" 2>"$lab_dir/nobody"
check "then nobody answers" [ $? -eq 3 ]
check "and no JSON says otherwise" [ ! -s "$lab_dir/nobody.json" ]

# an empty pair ends at once
lab_media
: >"$lab_dir/sip.log"
lab_sip
drain --json --wait --deadline 10 >"$lab_dir/empty.json"
check "without calls both end at once" [ $? -eq 0 ]
check "and JSON is of the end alone" jq -e '. == {"state": "drained", "calls": null, "sessions": null}' "$lab_dir/empty.json"
check "sallyport-sip with status 0" ended "$SIP_PID"
check "sallyport-media with status 0" ended "$MEDIA_PID"
